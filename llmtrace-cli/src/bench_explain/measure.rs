//! How well scores find what is known.

use serde::Serialize;

/// How well scores find what is known; sizes count, not signs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Found {
    /// Of the candidates whose scores are at least a tenth of the largest, the share that matters.
    pub(super) precision: f64,
    /// Of those that matter, the share whose scores are at least a tenth of the largest.
    pub(super) recall: f64,
    /// The area below the curve of precision over recall, as candidates are taken by their scores; ties share.
    pub(super) average_precision: f64,
}

/// The share of the largest score from which on a candidate counts as found.
const SHARE: f64 = 0.1;

impl Found {
    /// Compares scores with the numbers of the candidates that matter.
    pub(super) fn new(scores: &[f64], truth: &[usize]) -> Self {
        let sizes: Vec<f64> = scores.iter().map(|score| score.abs()).collect();
        let largest = sizes.iter().copied().fold(0.0, f64::max);
        let chosen: Vec<usize> =
            (0..sizes.len()).filter(|at| largest > 0.0 && at_least(&sizes, *at, SHARE * largest)).collect();
        let right = chosen.iter().filter(|at| truth.contains(at)).count();
        Self {
            precision: share(right, chosen.len()),
            recall: share(right, truth.len()),
            average_precision: average_precision(&sizes, truth),
        }
    }
}

fn at_least(sizes: &[f64], at: usize, least: f64) -> bool {
    sizes.get(at).is_some_and(|size| *size >= least)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn average_precision(sizes: &[f64], truth: &[usize]) -> f64 {
    let mut levels: Vec<f64> = sizes.to_vec();
    levels.sort_by(|a, b| b.total_cmp(a));
    levels.dedup();
    let (mut area, mut before) = (0.0, 0.0);
    for level in levels {
        let taken: Vec<usize> = (0..sizes.len()).filter(|at| at_least(sizes, *at, level)).collect();
        let right = taken.iter().filter(|at| truth.contains(at)).count();
        let recall = share(right, truth.len());
        area += (recall - before) * share(right, taken.len());
        before = recall;
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scores: &[f64], truth: &[usize], expected: [f64; 3]) {
        let found = Found::new(scores, truth);
        let found = [found.precision, found.recall, found.average_precision];
        assert!(
            found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12),
            "{found:?}"
        );
    }

    #[test]
    fn scores_are_measured_against_what_matters() {
        check(&[0.0, 3.0, -1.0, 0.0], &[1, 2], [1.0; 3]);
        check(&[0.0, 3.0, -0.1, 0.0], &[1, 2], [1.0, 0.5, 1.0]);
        check(&[2.0, 3.0, 1.0, 0.0], &[1, 2], [2.0 / 3.0, 1.0, 0.5 + 0.5 * 2.0 / 3.0]);
        check(&[0.0; 4], &[1, 2], [0.0, 0.0, 0.5]);
        check(&[1.0; 4], &[0], [0.25, 1.0, 0.25]);
        check(&[5.0, 0.0], &[1], [0.0, 0.0, 0.5]);
    }
}
