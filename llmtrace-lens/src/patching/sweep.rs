//! What a sweep of patches found.

use serde::{Deserialize, Serialize};

use crate::error::RunError;

/// The effect of each patch of a sweep, as plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sweep {
    /// What was patched: the name of a site, such as `hook_resid_pre`, or of the paths.
    pub what: String,
    /// What was measured.
    pub metric: String,
    /// The metric of the clean run.
    pub clean: f64,
    /// The metric of the corrupted run; the mean of several.
    pub corrupted: f64,
    /// What is counted along each axis, outermost first.
    pub axes: Vec<SweepAxis>,
    /// The metric with each patch, the last axis running fastest.
    pub values: Vec<f64>,
    /// The share of the lost metric that each patch brings back: `(value - corrupted) / (clean - corrupted)`.
    pub recovered: Vec<f64>,
    /// The standard errors of `recovered`, where several samples were taken.
    pub standard_errors: Option<Vec<f64>>,
}

/// One axis of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepAxis {
    /// `layer`, `position`, `head`, `key` or `sender`.
    pub name: String,
    /// One label a step: numbers of layers and heads, tokens of positions (`Oakland/Dallas` where clean and corrupted differ).
    pub labels: Vec<String>,
}

impl Sweep {
    /// The length of each axis.
    pub fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| axis.labels.len()).collect()
    }

    /// The share recovered at an index, one number an axis.
    pub fn at(&self, index: &[usize]) -> Option<f64> {
        let shape = self.shape();
        if index.len() != shape.len() || index.iter().zip(&shape).any(|(at, size)| at >= size) {
            return None;
        }
        let flat = index.iter().zip(&shape).fold(0, |flat, (at, size)| flat * size + at);
        self.recovered.get(flat).copied()
    }

    /// The indices of the patches that recover most, and what they recover.
    pub fn strongest(&self, count: usize) -> Vec<(Vec<usize>, f64)> {
        let mut order: Vec<usize> = (0..self.recovered.len()).collect();
        order.sort_by(|a, b| self.recovered[*b].total_cmp(&self.recovered[*a]));
        order.into_iter().take(count).map(|flat| (self.index(flat), self.recovered[flat])).collect()
    }

    fn index(&self, mut flat: usize) -> Vec<usize> {
        let mut index: Vec<usize> = self
            .shape()
            .iter()
            .rev()
            .map(|size| {
                let at = flat % size;
                flat /= size;
                at
            })
            .collect();
        index.reverse();
        index
    }
}

impl SweepAxis {
    pub(super) fn new(name: &str, labels: impl IntoIterator<Item = String>) -> Self {
        Self { name: name.to_owned(), labels: labels.into_iter().collect() }
    }

    pub(super) fn counted(name: &str, count: usize) -> Self {
        Self::new(name, (0..count).map(|at| at.to_string()))
    }
}

/// What the metric is of without any patch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) clean: f64,
    pub(super) corrupted: f64,
}

impl Ends {
    /// Refuses runs that do not differ: no share of nothing can be recovered.
    pub(super) fn new(clean: f64, corrupted: f64) -> Result<Self, RunError> {
        if (clean - corrupted).abs() < 1e-9 || !(clean - corrupted).is_finite() {
            return Err(RunError::Input(format!(
                "the metric is {clean} of the clean run and {corrupted} of the corrupted one: there is nothing to recover"
            )));
        }
        Ok(Self { clean, corrupted })
    }

    pub(super) fn recovered(self, value: f64) -> f64 {
        (value - self.corrupted) / (self.clean - self.corrupted)
    }

    pub(super) fn sweep(self, what: &str, metric: &str, axes: Vec<SweepAxis>, values: Vec<f64>) -> Sweep {
        Sweep {
            what: what.to_owned(),
            metric: metric.to_owned(),
            clean: self.clean,
            corrupted: self.corrupted,
            axes,
            recovered: values.iter().map(|value| self.recovered(*value)).collect(),
            values,
            standard_errors: None,
        }
    }
}
