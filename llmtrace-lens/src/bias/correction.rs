//! P-values of several comparisons at once.

use serde::{Deserialize, Serialize};

/// How p-values are corrected where several comparisons are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Correction {
    /// The chance of any false alarm is bounded (Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure").
    #[default]
    Holm,
    /// The share of false alarms among alarms is bounded (Benjamini and Hochberg 1995, "Controlling the False Discovery Rate").
    BenjaminiHochberg,
}

impl Correction {
    /// The corrected p-values, in the order of the others.
    pub(super) fn of(self, values: &[f64]) -> Vec<f64> {
        let count = values.len();
        let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
        order.sort_by(|a, b| a.1.total_cmp(&b.1));
        match self {
            Self::Holm => {
                let mut largest = 0.0_f64;
                for (rank, (_, p)) in order.iter_mut().enumerate() {
                    largest = largest.max((*p * (count - rank) as f64).min(1.0));
                    *p = largest;
                }
            }
            Self::BenjaminiHochberg => {
                let mut smallest = 1.0_f64;
                for (rank, (_, p)) in order.iter_mut().enumerate().rev() {
                    smallest = smallest.min(*p * count as f64 / (rank + 1) as f64);
                    *p = smallest;
                }
            }
        }
        order.sort_by_key(|(at, _)| *at);
        order.into_iter().map(|(_, p)| p).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As R's `p.adjust` computes them.
    #[test]
    fn p_values_are_corrected_as_r_does() {
        let check = |correction: Correction, values: &[f64], expected: &[f64]| {
            let found = correction.of(values);
            let is_near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(is_near && found.len() == expected.len(), "{found:?} is not {expected:?}");
        };
        check(Correction::Holm, &[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]);
        check(Correction::BenjaminiHochberg, &[0.01, 0.04, 0.03, 0.005], &[0.02, 0.04, 0.04, 0.02]);
        check(Correction::Holm, &[0.6, 0.7], &[1.0, 1.0]);
        check(Correction::Holm, &[], &[]);
    }
}
