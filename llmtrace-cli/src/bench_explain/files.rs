//! The tasks as files for other programs, and the scores that they give.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use llmtrace_lens::handmade::{Brackets, Induction, TwoStep};
use serde::{Deserialize, Serialize};

use super::task::{Asked, Task};
use crate::failure::{Failure, shown};

/// What `tasks.json` holds.
#[derive(Serialize)]
struct TasksFile<'a> {
    version: u32,
    tasks: Vec<&'a Asked>,
}

/// Scores of one method.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScoresFile {
    /// The method's name.
    pub(super) method: String,
    /// By the task's name: a number for each candidate, in the order of the task.
    pub(super) scores: BTreeMap<String, Vec<f64>>,
    /// By the task's name: how long it took.
    #[serde(default)]
    pub(super) seconds: BTreeMap<String, f64>,
}

const VERSION: u32 = 1;

/// Writes `tasks.json`, and the folder of each model that was built by hand, below `models`.
pub(super) fn write(folder: &Path, tasks: &[Task]) -> Result<(), Failure> {
    let unwritable =
        |error: &dyn std::fmt::Display| Failure::Wrong(format!("cannot write {}: {error}", folder.display()));
    let models = folder.join("models");
    for builder in [Induction::builder(), TwoStep::builder(), Brackets::builder()] {
        let builder = builder.map_err(|error| unwritable(&error))?;
        let name = builder.name().to_owned();
        builder.save(models.join(name)).map_err(|error| unwritable(&error))?;
    }
    let file = TasksFile { version: VERSION, tasks: tasks.iter().map(|task| &task.asked).collect() };
    let text = serde_json::to_string_pretty(&file).map_err(|error| unwritable(&error))?;
    fs::write(folder.join("tasks.json"), text + "\n").map_err(|error| unwritable(&error))
}

/// Reads the scores of a method, and holds them to the tasks.
pub(super) fn read(path: &Path, tasks: &[Task]) -> Result<ScoresFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let problem = |problem: String| Failure::Wrong(format!("{}: {problem}", shown(path)));
    let file: ScoresFile = serde_json::from_str(&text).map_err(|error| problem(error.to_string()))?;
    if file.scores.is_empty() {
        return Err(problem("there are no scores: give a list of numbers for one task or more".to_owned()));
    }
    for (name, scores) in &file.scores {
        let Some(task) = tasks.iter().find(|task| task.asked.name == *name) else {
            return Err(problem(format!("there is no task {name:?}: --write-tasks writes those there are")));
        };
        let expected = task.asked.candidates.len();
        if scores.len() != expected {
            let found = scores.len();
            return Err(problem(format!(
                "task {name:?} has {found} scores, expected {expected}, one a candidate"
            )));
        }
    }
    if let Some(name) = file.seconds.keys().find(|name| !file.scores.contains_key(*name)) {
        return Err(problem(format!("there are seconds of task {name:?}, but no scores")));
    }
    Ok(file)
}
