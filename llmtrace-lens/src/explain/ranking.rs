//! Parts in the order of their values, and what the score does along it.

use super::{Coalition, ExplainError, Game};

/// Values of parts, and the parts by them, the highest first.
#[derive(Debug)]
pub(super) struct Ranking {
    values: Vec<f64>,
    order: Vec<usize>,
}

/// Shares of the parts that are taken for the rationale, in percent.
const THRESHOLDS: [usize; 10] = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

impl Ranking {
    pub(super) fn new(values: Vec<f64>) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        Self { values, order }
    }

    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Every mask that its measures ask for.
    pub(super) fn masks(&self) -> Vec<Coalition> {
        let tops = (0..=self.order.len()).map(|count| self.top(count));
        let rationales = self.tops().into_iter();
        tops.chain(rationales).flat_map(|top| [top.complement(), top]).collect()
    }

    /// What the score loses on average without the rationales, and with nothing else; `None` where there are too few
    /// parts for any.
    pub(super) fn rationales(&self, game: &Game<'_>) -> Result<(Option<f64>, Option<f64>), ExplainError> {
        let full = Coalition::full(self.order.len());
        let whole = game.values(&[full])?.first().copied().unwrap_or_default();
        let tops = self.tops();
        let without = game.values(&tops.iter().map(Coalition::complement).collect::<Vec<_>>())?;
        let alone = game.values(&tops)?;
        let lost = |values: &[f64]| {
            let sum: f64 = values.iter().map(|value| whole - value).sum();
            (!values.is_empty()).then(|| sum / values.len() as f64)
        };
        Ok((lost(&without), lost(&alone)))
    }

    /// The areas under the curves of deletion and insertion, over the share of parts from 0 to 1 (trapezoids).
    pub(super) fn areas(&self, game: &Game<'_>) -> Result<(f64, f64), ExplainError> {
        let tops: Vec<_> = (0..=self.order.len()).map(|count| self.top(count)).collect();
        let inserted = game.values(&tops)?;
        let deleted = game.values(&tops.iter().map(Coalition::complement).collect::<Vec<_>>())?;
        Ok((area(&deleted), area(&inserted)))
    }

    fn top(&self, count: usize) -> Coalition {
        Coalition::of(self.order.len(), self.order.iter().copied().take(count))
    }

    /// The rationales: at each threshold the top parts with values above 0, each different one once.
    fn tops(&self) -> Vec<Coalition> {
        let parts = self.order.len();
        let positive = self.values.iter().filter(|value| **value > 0.0).count();
        let counts = THRESHOLDS.iter().map(|percent| percent * parts / 100).filter(|count| *count > 0);
        let mut counts: Vec<_> = counts.map(|count| count.min(positive)).collect();
        counts.dedup();
        counts.into_iter().map(|count| self.top(count)).collect()
    }
}

fn area(curve: &[f64]) -> f64 {
    let sum: f64 = curve.windows(2).map(|pair| pair.iter().sum::<f64>() / 2.0).sum();
    sum / curve.len().saturating_sub(1).max(1) as f64
}
