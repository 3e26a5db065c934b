//! The results of methods over tasks.

use std::fmt::Write as _;

use serde::Serialize;

use super::measure::Found;
use super::methods;
use super::task::{Kind, Task};
use crate::failure::Failure;
use llmtrace_lens::explain::{Attribution, LeaveOneOut};

/// How one method did on one task.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scored {
    pub(super) method: String,
    pub(super) task: String,
    pub(super) kind: Kind,
    #[serde(flatten)]
    pub(super) found: Found,
    /// Of tokens: see [`Faithful`].
    #[serde(flatten)]
    pub(super) faithful: Option<Faithful>,
    /// How long the scores took.
    pub(super) seconds: Option<f64>,
}

/// How true scores of tokens are to the model.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Faithful {
    /// The mean score while tokens are masked one by one, the highest first; 0 is the score of nothing, 1 that of all. Less is better.
    pub(super) deletion: f64,
    /// The same while tokens are added to nothing. More is better.
    pub(super) insertion: f64,
    /// How much of the score the values sum to: 1 is all.
    pub(super) completeness: f64,
}

impl Scored {
    /// Judges the scores of a task's candidates.
    pub(super) fn new(
        method: &str,
        task: &Task,
        scores: &[f64],
        seconds: Option<f64>,
    ) -> Result<Self, Failure> {
        let faithful =
            if task.asked.kind == Kind::Tokens { Some(Faithful::new(task, scores)?) } else { None };
        Ok(Self {
            method: method.to_owned(),
            task: task.asked.name.clone(),
            kind: task.asked.kind,
            found: Found::new(scores, &task.truth),
            faithful,
            seconds,
        })
    }
}

impl Faithful {
    fn new(task: &Task, scores: &[f64]) -> Result<Self, Failure> {
        let wrong = |error: llmtrace_lens::explain::ExplainError| Failure::Wrong(error.to_string());
        let tokens = methods::game(task);
        let game = tokens.game();
        let ends = game.explain(&LeaveOneOut).map_err(wrong)?;
        let attribution = Attribution::new("scores", tokens.parts(), scores).map_err(wrong)?;
        let judged = game.judge_beside(&attribution, 1).map_err(wrong)?;
        let whole = ends.full_value - ends.base_value;
        let part = |score: Option<f64>| (score.unwrap_or(ends.base_value) - ends.base_value) / whole;
        let sum: f64 = scores.iter().sum();
        Ok(Self {
            deletion: part(judged.deletion.value),
            insertion: part(judged.insertion.value),
            completeness: (1.0 - ((whole - sum) / whole).abs()).max(0.0),
        })
    }
}

/// The means of each method over its tasks, one line each.
pub(super) fn drawn(results: &[Scored]) -> String {
    let mut out = String::new();
    let mut told: Vec<(Kind, &str)> = Vec::new();
    for result in results {
        let key = (result.kind, result.method.as_str());
        if told.contains(&key) {
            continue;
        }
        if told.last().is_none_or(|(kind, _)| *kind != result.kind) {
            let blank = if told.is_empty() { "" } else { "\n" };
            let _ = write!(
                out,
                "{blank}{:<22}{:>6}{:>11}{:>8}{:>9}",
                result.kind.name(),
                "tasks",
                "precision",
                "recall",
                "average"
            );
            let more = if result.kind == Kind::Tokens { "   deletion insertion completeness" } else { "" };
            let _ = writeln!(out, "{more}{:>10}", "seconds");
        }
        told.push(key);
        let of: Vec<&Scored> =
            results.iter().filter(|other| (other.kind, other.method.as_str()) == key).collect();
        let mean =
            |value: &dyn Fn(&Scored) -> f64| of.iter().map(|at| value(at)).sum::<f64>() / of.len() as f64;
        let found = [
            mean(&|at| at.found.precision),
            mean(&|at| at.found.recall),
            mean(&|at| at.found.average_precision),
        ];
        let _ = write!(
            out,
            "{:<22}{:>6}{:>11.2}{:>8.2}{:>9.2}",
            result.method,
            of.len(),
            found[0],
            found[1],
            found[2]
        );
        if result.kind == Kind::Tokens {
            let faithful = |value: fn(Faithful) -> f64| mean(&|at| at.faithful.map_or(f64::NAN, value));
            let values =
                [faithful(|at| at.deletion), faithful(|at| at.insertion), faithful(|at| at.completeness)];
            let _ = write!(out, "{:>11.2}{:>10.2}{:>13.2}", values[0], values[1], values[2]);
        }
        let seconds: Option<f64> = of.iter().map(|at| at.seconds).sum();
        let _ = writeln!(out, "{:>10}", seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.3}")));
    }
    out
}
