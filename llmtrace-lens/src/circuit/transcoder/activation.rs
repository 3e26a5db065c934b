//! When a feature is active.

use serde::{Deserialize, Serialize};

/// What turns the pre-activations of a layer's features at one position into activations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FeatureActivation {
    /// `max(x, 0)`.
    Relu,
    /// `x` where it exceeds the feature's threshold, else 0 (Rajamanoharan et al. 2024); one threshold a feature.
    JumpRelu(Vec<f32>),
    /// The largest so many, the rest 0 (Gao et al. 2024).
    TopK(usize),
}

impl FeatureActivation {
    /// The features that are not 0, in their order, with their activations.
    pub fn active(&self, pre: &[f32]) -> Vec<(usize, f32)> {
        let numbered = pre.iter().copied().enumerate();
        match self {
            Self::Relu => numbered.filter(|(_, pre)| *pre > 0.0).collect(),
            Self::JumpRelu(thresholds) => numbered
                .zip(thresholds)
                .filter(|((_, pre), threshold)| pre > *threshold && *pre != 0.0)
                .map(|(feature, _)| feature)
                .collect(),
            Self::TopK(count) => {
                let mut largest: Vec<(usize, f32)> = numbered.collect();
                if *count < largest.len() {
                    largest.select_nth_unstable_by(*count, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                    largest.truncate(*count);
                }
                largest.retain(|(_, pre)| *pre != 0.0);
                largest.sort_unstable_by_key(|(feature, _)| *feature);
                largest
            }
        }
    }

    /// The activation of one feature that was active, had its pre-activation been this one and all others as they were.
    pub(crate) fn of(&self, feature: usize, pre: f32) -> f32 {
        let threshold = match self {
            Self::Relu => 0.0,
            Self::JumpRelu(thresholds) => thresholds.get(feature).copied().unwrap_or(0.0),
            Self::TopK(_) => f32::NEG_INFINITY,
        };
        if pre > threshold { pre } else { 0.0 }
    }
}
