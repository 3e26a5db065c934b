//! Whether a text is like those that a classifier was trained on.

use serde::{Deserialize, Serialize};

use crate::cholesky::Cholesky;

/// Where the texts of each class lie, and how they vary about there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Classes {
    /// The mean of each class's features.
    pub(super) centres: Vec<Vec<f64>>,
    /// The covariance of features about their class's mean, row by row.
    pub(super) covariance: Vec<Vec<f64>>,
}

/// What is added to each variance, as a share of their mean: features that hardly vary must not decide (Ledoit and Wolf 2004 shrink
/// to the same matrix).
const SHRINKAGE: f64 = 0.02;

impl Classes {
    pub(super) fn of(rows: &[Vec<f64>], classes: &[usize], count: usize) -> Self {
        let features = rows.first().map_or(0, Vec::len);
        let mut centres = vec![vec![0.0; features]; count];
        for (class, centre) in centres.iter_mut().enumerate() {
            let own: Vec<&Vec<f64>> =
                rows.iter().zip(classes).filter(|(_, of)| **of == class).map(|(row, _)| row).collect();
            for (feature, centre) in centre.iter_mut().enumerate() {
                *centre = own.iter().map(|row| row[feature]).sum::<f64>() / own.len().max(1) as f64;
            }
        }
        let mut covariance = vec![vec![0.0; features]; features];
        for (row, class) in rows.iter().zip(classes) {
            let off: Vec<f64> =
                row.iter().zip(&centres[*class]).map(|(value, centre)| value - centre).collect();
            for (one, covariances) in off.iter().zip(&mut covariance) {
                covariances
                    .iter_mut()
                    .zip(&off)
                    .for_each(|(sum, other)| *sum += one * other / rows.len() as f64);
            }
        }
        let mean = (0..features).map(|at| covariance[at][at]).sum::<f64>() / features.max(1) as f64;
        (0..features).for_each(|at| covariance[at][at] += SHRINKAGE * mean);
        Self { centres, covariance }
    }

    /// The squared distance from each class's centre that allows for how texts of one class vary (Mahalanobis 1936).
    pub(super) fn distances(&self, row: &[f64]) -> Vec<f64> {
        let factor = Cholesky::of(row.len(), |i, j| self.covariance[i][j]);
        let distance = |centre: &Vec<f64>| -> f64 {
            let off: Vec<f64> = row.iter().zip(centre).map(|(value, centre)| value - centre).collect();
            factor.halfway(&off).iter().map(|part| part * part).sum()
        };
        self.centres.iter().map(distance).collect()
    }
}

/// The share of known distances that are at least as great, the new one counted with them: at most `p` of texts like the known
/// ones come out below `p` (a conformal p-value: Vovk, Gammerman and Shafer 2005).
pub(super) fn typicality(distance: f64, known: impl IntoIterator<Item = f64>) -> f64 {
    let (mut as_far, mut all) = (1_usize, 1_usize);
    for known in known {
        as_far += usize::from(known >= distance);
        all += 1;
    }
    as_far as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_far_out_is_not_typical() {
        let rows: Vec<Vec<f64>> = [[0.0, 5.0], [2.0, 5.0], [10.0, 5.0], [12.0, 5.0]].map(Vec::from).into();
        let classes = Classes::of(&rows, &[0, 0, 1, 1], 2);
        assert_eq!(classes.centres, [[1.0, 5.0], [11.0, 5.0]]);
        // Variances of 1 and 0, and 0.02 of their mean on each.
        assert!((classes.distances(&[4.0, 5.0])[0] - 9.0 / 1.01).abs() < 1e-12);
        assert!((classes.distances(&[11.0, 5.1])[1] - 0.01 / 0.01).abs() < 1e-12);
        // Along the way that texts vary a step is less far than across it.
        let rows: Vec<Vec<f64>> = [[-1.0, -1.0], [1.0, 1.0], [-1.0, -0.9], [1.0, 0.9]].map(Vec::from).into();
        let classes = Classes::of(&rows, &[0; 4], 1);
        assert!(classes.distances(&[1.0, -1.0])[0] > 30.0 * classes.distances(&[1.0, 1.0])[0]);
        let check = |distance: f64, expected: f64| {
            assert!((typicality(distance, [1.0, 2.0, 3.0]) - expected).abs() < 1e-12, "{distance}");
        };
        check(0.0, 1.0);
        check(2.0, 0.75);
        check(9.0, 0.25);
    }
}
