//! What is asked for, and what is printed.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::table::{Scored, drawn};
use super::task::Task;
use super::{files, methods, tasks};
use crate::failure::Failure;
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Scores methods of attribution on models whose circuits are known", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Score the numbers of this file too; may be given more than once
    #[arg(long, value_name = "FILE")]
    scores: Vec<PathBuf>,
    /// Write the tasks and their models into a folder, for other programs, and score nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["scores", "method", "json"])]
    write_tasks: Option<PathBuf>,
    /// Only these methods of this program; none with --method ''
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    method: Option<Vec<String>>,
    /// What chance begins with
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const ABOUT: &str = "\
Scores methods of attribution on questions whose answers are known: circuits
built by hand, whose every weight is known, and the toys, whose answer one word
of the prompt decides. A method gives each candidate (a token of the prompt, an
attention head, or an edge between two parts) a number.

Prints a table, the mean over tasks of: precision and recall (of candidates
whose scores are at least a tenth of the largest), average (the average
precision: 1 where all that matters comes first); for tokens deletion and
insertion (areas below the score's curve as tokens are masked or added, best
first; less and more are better) and completeness (how much of the score the
values sum to); seconds of all tasks together. With --json, one object: results,
each with method, task, kind, precision, recall, average_precision, deletion,
insertion, completeness, seconds.

Another program's method is scored by its file: docs/bench-explain.md.

Returns 0 when done, 2 if a file cannot be read or does not fit the tasks.";

const EXAMPLES: &str = "\
Examples:
  llmtrace bench-explain
  llmtrace bench-explain --write-tasks tasks
  llmtrace bench-explain --scores mine.json --method random --json";

/// What `--json` prints.
#[derive(Serialize)]
struct Results<'a> {
    results: &'a [Scored],
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let tasks = tasks::all()?;
    if let Some(folder) = &options.write_tasks {
        files::write(folder, &tasks)?;
        let count = tasks.len();
        return terminal::print(&format!("{count} tasks in {}\n", folder.join("tasks.json").display()));
    }
    options.check()?;
    let mut results = Vec::new();
    for path in &options.scores {
        let file = files::read(path, &tasks)?;
        for task in &tasks {
            if let Some(scores) = file.scores.get(&task.asked.name) {
                let seconds = file.seconds.get(&task.asked.name).copied();
                results.push(Scored::new(&file.method, task, scores, seconds)?);
            }
        }
    }
    for scorer in methods::ALL.iter().filter(|scorer| options.wants(scorer.name)) {
        for (number, task) in (0..).zip(tasks.iter().filter(|task| task.asked.kind == scorer.kind)) {
            results.extend(own(scorer, task, options.seed.wrapping_add(number))?);
        }
    }
    results.sort_by_key(|result| result.kind);
    if options.json {
        let text = serde_json::to_string(&Results { results: &results }).map_err(std::io::Error::from)?;
        return terminal::print(&(text + "\n"));
    }
    terminal::print(&drawn(&results))
}

fn own(scorer: &methods::Scorer, task: &Task, seed: u64) -> Result<Option<Scored>, Failure> {
    let began = Instant::now();
    let Some(scores) = (scorer.score)(task, seed)? else { return Ok(None) };
    Scored::new(scorer.name, task, &scores, Some(began.elapsed().as_secs_f64())).map(Some)
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| wanted == name))
    }

    fn check(&self) -> Result<(), Failure> {
        let known = |name: &str| name.is_empty() || methods::ALL.iter().any(|scorer| scorer.name == name);
        let unknown = self.method.iter().flatten().find(|name| !known(name));
        unknown.map_or(Ok(()), |name| {
            let mut names: Vec<&str> = methods::ALL.iter().map(|scorer| scorer.name).collect();
            names.sort_unstable();
            names.dedup();
            Err(Failure::Wrong(format!("there is no method {name:?}; there are {}", names.join(", "))))
        })
    }
}
