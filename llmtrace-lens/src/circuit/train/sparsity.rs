//! What keeps few features active.

use serde::{Deserialize, Serialize};

/// What keeps few features active at a position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sparsity {
    /// The so many largest, no more and no fewer (Gao et al. 2024, "Scaling and evaluating sparse autoencoders").
    TopK(usize),
    /// Features with a `ReLU` pay so much for each unit of activation, beside the mean squared error; both in units in which
    /// the numbers of an output have variance 1 (Bricken et al. 2023, "Towards Monosemanticity").
    L1(f64),
    /// So many on average: features with a `JumpReLU`, whose thresholds learn by straight-through estimates of their gradient, pay
    /// the square of the relative distance to that number (Rajamanoharan et al. 2024, "Jumping Ahead: Improving Reconstruction
    /// Fidelity with `JumpReLU` Sparse Autoencoders").
    JumpRelu(f64),
}

/// How thresholds of a `JumpReLU` learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Jump {
    /// How many features are to be active on average.
    pub(super) asked: f32,
    /// Where thresholds begin.
    pub(super) start: f32,
    /// Width of the rectangle over which a jump is smoothed for its gradient.
    pub(super) kernel: f32,
}

/// Where thresholds begin and how wide the kernel is, as shares of the activation that each of as many features as are asked for
/// would have if all wrote alike much, each in a direction of its own.
const START: f64 = 0.1;
const KERNEL: f64 = 0.3;

impl Sparsity {
    /// What a unit of activation costs.
    pub(super) fn cost(self) -> f32 {
        match self {
            Self::TopK(_) | Self::JumpRelu(_) => 0.0,
            #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
            Self::L1(cost) => cost as f32,
        }
    }

    /// How thresholds learn, where there are such, for outputs so wide.
    #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
    pub(super) fn jump(self, width: usize) -> Option<Jump> {
        let Self::JumpRelu(asked) = self else { return None };
        let typical = (width as f64 / asked).sqrt();
        let [start, kernel] = [START, KERNEL].map(|share| (share * typical) as f32);
        Some(Jump { asked: asked as f32, start, kernel })
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
            Self::JumpRelu(asked) if !(asked > 0.0 && asked <= features as f64) => Some(format!(
                "{asked} of {features} features cannot be active on average: give a number above 0, {features} at most"
            )),
            _ => None,
        }
    }
}

impl Jump {
    /// What so many active features on average cost.
    pub(super) fn penalty(self, active: f64) -> f64 {
        (active / f64::from(self.asked) - 1.0).powi(2)
    }

    /// How that grows with their number.
    #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
    pub(super) fn slope(self, active: f64) -> f32 {
        2.0 * (active as f32 / self.asked - 1.0) / self.asked
    }

    /// The pseudo-derivative of a loss by a threshold, from one position whose pre-activation is within half a kernel of it: `slope`
    /// is how the loss grows with the activation, `more` how it grows with one active feature more there.
    pub(super) fn gradient(self, threshold: f32, slope: f32, more: f32) -> f32 {
        -(threshold * slope + more) / self.kernel
    }

    /// Whether a position tells of the threshold.
    pub(super) fn near(self, threshold: f32, pre: f32) -> bool {
        (pre - threshold).abs() < self.kernel / 2.0
    }
}
