//! Scores of any method.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::BenchmarkError;
use super::part::Level;
use super::suite::Suite;

/// Scores of one method: for each task, a number for each of its parts, in their order.
///
/// A method may answer one level alone; of a level that it answers it answers every task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// What it is called.
    pub method: String,
    /// By the tasks' ids.
    pub scores: BTreeMap<String, Vec<f64>>,
    /// Seconds that each task took, where they were taken.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seconds: BTreeMap<String, f64>,
}

impl Submission {
    /// Reads the JSON of a submission.
    ///
    /// # Errors
    /// It is none: the place and what was expected.
    pub fn from_json(json: &str) -> Result<Self, BenchmarkError> {
        serde_json::from_str(json).map_err(|error| {
            BenchmarkError::Submission(format!(
                "{error}; expected {{\"method\": NAME, \"scores\": {{TASK: [NUMBER, ..], ..}}, \"seconds\": {{TASK: NUMBER, ..}}}}"
            ))
        })
    }

    /// What is wrong with it.
    pub(super) fn check(&self, suite: &Suite) -> Result<(), BenchmarkError> {
        let refuse = |problem: String| Err(BenchmarkError::Submission(format!("{}: {problem}", self.method)));
        for (id, scores) in &self.scores {
            let Some(task) = suite.tasks().iter().find(|task| task.id == *id) else {
                return refuse(format!("there is no task {id:?}"));
            };
            if scores.len() != task.parts.len() {
                return refuse(format!(
                    "task {id:?} has {} scores, expected {}",
                    scores.len(),
                    task.parts.len()
                ));
            }
            if scores.iter().any(|score| !score.is_finite()) {
                return refuse(format!("task {id:?} has a score that is no number"));
            }
        }
        if self.scores.is_empty() {
            return refuse("it scores no task".to_owned());
        }
        for level in Level::ALL {
            let of_level = || suite.tasks().iter().filter(|task| task.level == level);
            let is_answered = of_level().any(|task| self.scores.contains_key(&task.id));
            if let Some(missing) = of_level().find(|task| is_answered && !self.scores.contains_key(&task.id))
            {
                return refuse(format!(
                    "task {:?} is missing, as others of the {} are there",
                    missing.id,
                    level.as_str()
                ));
            }
        }
        Ok(())
    }
}
