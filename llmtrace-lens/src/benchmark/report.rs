//! How well methods did.

use serde::Serialize;

use super::part::Level;

/// How well methods did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// A row for each method and each level that it scored.
    pub rows: Vec<Row>,
}

/// How well a method did on the tasks of one level: means over them, of those for which a figure is defined.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The method.
    pub method: String,
    /// What it scored.
    pub level: Level,
    /// How many tasks.
    pub tasks: usize,
    /// The area under the curve of precision by recall: 1 where all true parts stand above all others.
    pub average_precision: Option<f64>,
    /// Precision, and recall, of as many highest scores as there are true parts.
    pub precision_at_truth: Option<f64>,
    /// The precision once all true parts are found.
    pub precision_at_full_recall: Option<f64>,
    /// Of tokens: what the answer loses without the highest scores (AOPC). More is better.
    pub comprehensiveness: Option<f64>,
    /// Of tokens: what it loses with these alone. Less is better.
    pub sufficiency: Option<f64>,
    /// Of tokens: the area under the answer while tokens are masked, the highest first. Less is better.
    pub deletion: Option<f64>,
    /// Of tokens: the area under the answer while tokens are added, the highest first. More is better.
    pub insertion: Option<f64>,
    /// Of tokens: 1 where the scores' sum is what the answer is above that of the masked prompt; less by the gap's share of it, at least 0.
    pub completeness: Option<f64>,
    /// Seconds a task.
    pub seconds: Option<f64>,
}

/// The mean of what is there.
pub(super) fn mean(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = values.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}
