//! What keeps few features active.

use serde::{Deserialize, Serialize};

use crate::circuit::transcoder::FeatureActivation;

/// What keeps few features active at a position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sparsity {
    /// The so many largest, no more and no fewer (Gao et al. 2024, "Scaling and evaluating sparse autoencoders").
    TopK(usize),
    /// Features with a `ReLU` pay so much for each unit of activation, beside the mean squared error; both in units in which
    /// the numbers of an output have variance 1 (Bricken et al. 2023, "Towards Monosemanticity").
    L1(f64),
}

impl Sparsity {
    pub(super) fn activation(self) -> FeatureActivation {
        match self {
            Self::TopK(count) => FeatureActivation::TopK(count),
            Self::L1(_) => FeatureActivation::Relu,
        }
    }

    /// What a unit of activation costs.
    pub(super) fn cost(self) -> f32 {
        match self {
            Self::TopK(_) => 0.0,
            #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
            Self::L1(cost) => cost as f32,
        }
    }

    /// What is wrong with it for so many features.
    pub(super) fn problem(self, features: usize) -> Option<String> {
        match self {
            Self::TopK(count) if count == 0 || count > features => {
                Some(format!("{count} of {features} features cannot be active: give 1 to {features}"))
            }
            Self::L1(cost) if !cost.is_finite() || cost < 0.0 => {
                Some(format!("activations cannot cost {cost}: give 0 or more"))
            }
            _ => None,
        }
    }
}
