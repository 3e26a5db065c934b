//! `llmtrace bench-explain`: how well attribution methods find what is known to be there.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use llmtrace_exporters::text;
use llmtrace_lens::benchmark::{BuiltIn, Level, Report, Row, Submission, Suite};

use crate::failure::Failure;
use crate::grid::Grid;
use crate::lens::{Steps, wrong};
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Measures attribution methods on models whose circuits are known", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// A method of this program; without any, all of them
    #[arg(long = "method", value_name = "NAME", hide_possible_values = true, value_parser = PossibleValuesParser::new(BuiltIn::ALL.map(BuiltIn::as_str)))]
    methods: Vec<String>,
    /// Scores of another method, as JSON: {"method": NAME, "scores": {TASK: [..]}}
    #[arg(long, value_name = "FILE")]
    scores: Vec<PathBuf>,
    /// Write the tasks and their models to a folder, for other programs to score
    #[arg(long, value_name = "DIR", conflicts_with_all = ["methods", "scores"])]
    write_tasks: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const ABOUT: &str = "\
Measures attribution methods on models whose circuits are known.

Models built by hand (two steps, induction, brackets, a refusal) have circuits of
which every token, head, neuron and edge is known; the toy is asked about
capitals. A method scores the parts of each task; they are ranked by the size of
their scores, whatever the sign. Printed are, for each kind of part:

  avg prec  average precision: the area under precision by recall, 1 where all
            true parts stand above all others
  at truth  precision, and recall, of as many as there are true parts
  at all    precision once all true parts are found
  compr     comprehensiveness: what the answer loses on average without the
            highest tokens; more is better
  suffic    sufficiency: what it loses with these alone; less is better
  delete    the mean answer while tokens are masked, the highest first; less is
            better
  insert    the same while tokens are added; more is better
  sums up   1 where the scores' sum is what the answer gains over the masked
            prompt, less by what is missing
  ms        milliseconds a task

Methods: leave-one-out, shapley, kernel-shap, owen, permutation, lime,
integrated-gradients, gradient-x-input, saliency, attention-rollout (tokens),
ablation, gradient-x-activation (heads, neurons), attribution-graph (neurons,
edges), random. Without --method and --scores all of these are measured.

Reads nothing but --scores. With --json, one object: rows. docs/bench-explain.md says how to
submit a method.

Returns 0 when done, 2 if a file cannot be read or its scores do not fit.";

const EXAMPLES: &str = "\
Examples:
  llmtrace bench-explain
  llmtrace bench-explain --write-tasks tasks
  llmtrace bench-explain --scores mine.json --method shapley --method random";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let suite = Suite::standard().map_err(wrong)?;
    if let Some(folder) = &options.write_tasks {
        let written = suite.write(folder);
        written.map_err(|error| Failure::Wrong(format!("cannot write {}: {error}", folder.display())))?;
        return terminal::print(&format!("{} tasks in {}\n", suite.tasks().len(), folder.display()));
    }
    let submissions = options.scores.iter().map(|path| {
        let json = fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
        Submission::from_json(&json).map_err(|error| wrong(format!("{}: {error}", path.display())))
    });
    let submissions = submissions.collect::<Result<Vec<_>, _>>()?;
    let is_asked = |method: &BuiltIn| {
        let all = options.methods.is_empty() && submissions.is_empty();
        all || options.methods.iter().any(|name| name == method.as_str())
    };
    let methods: Vec<BuiltIn> = BuiltIn::ALL.into_iter().filter(is_asked).collect();
    let mut rows = Vec::new();
    for submission in &submissions {
        rows.extend(suite.judge(submission).map_err(wrong)?.rows);
    }
    let steps = Steps::new("measuring");
    for (at, method) in methods.iter().enumerate() {
        rows.extend(suite.run(*method).map_err(wrong)?.rows);
        steps.set(at + 1, methods.len());
    }
    drop(steps);
    rows.sort_by(|a: &Row, b| {
        a.level
            .cmp(&b.level)
            .then(b.average_precision.unwrap_or(-1.0).total_cmp(&a.average_precision.unwrap_or(-1.0)))
    });
    let mut report = Report::default();
    report.rows = rows;
    if options.json {
        let json = serde_json::to_string(&report).map_err(std::io::Error::from)?;
        return terminal::print(&(json + "\n"));
    }
    terminal::print(&drawn(&report))
}

/// A table for each kind of part.
fn drawn(report: &Report) -> String {
    let mut out = String::new();
    for level in Level::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.level == level).collect();
        let Some(first) = rows.first() else { continue };
        let titles =
            ["avg prec", "at truth", "at all", "compr", "suffic", "delete", "insert", "sums up", "ms"];
        let shown: Vec<usize> =
            (0..titles.len()).filter(|at| rows.iter().any(|row| figures(row)[*at].is_some())).collect();
        let mut grid = Grid::default();
        let title = format!("{}, {} tasks", level.as_str(), first.tasks);
        grid.row([title].into_iter().chain(shown.iter().map(|at| titles[*at].to_owned())).collect(), "");
        for row in rows {
            let figures = figures(row);
            let cells = shown
                .iter()
                .map(|at| figures[*at].map_or_else(|| "–".to_owned(), |figure| number(*at, figure)));
            grid.row([text::cut(&text::escaped(&row.method), 32)].into_iter().chain(cells).collect(), "");
        }
        grid.write(terminal::columns().max(100), false, &mut out);
        out.push('\n');
    }
    out
}

fn number(column: usize, figure: f64) -> String {
    match column {
        3..=6 => format!("{figure:.2}"),
        8 => format!("{:.1}", figure * 1e3),
        _ => format!("{figure:.3}"),
    }
}

fn figures(row: &Row) -> [Option<f64>; 9] {
    [
        row.average_precision,
        row.precision_at_truth,
        row.precision_at_full_recall,
        row.comprehensiveness,
        row.sufficiency,
        row.deletion,
        row.insertion,
        row.completeness,
        row.seconds,
    ]
}
