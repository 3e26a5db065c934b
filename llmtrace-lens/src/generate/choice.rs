//! What is known of one choice.

use std::f64::consts::LN_2;

use serde::Serialize;

use super::sampling::SamplingFilter;

/// One chosen token, and what stood beside it.
///
/// Two distributions are told apart: that of the *model*, the softmax of its logits, and the *final* one, after all
/// filters, from which the token was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Choice {
    /// The id of the token.
    pub token: u32,
    /// Where it stands in the model's distribution.
    pub model: Standing,
    /// Where it stands in the final distribution.
    #[serde(rename = "final")]
    pub last: Standing,
    /// The entropy of the model's distribution.
    pub model_entropy: Entropy,
    /// The entropy of the final distribution.
    pub final_entropy: Entropy,
    /// The tokens that the model found most probable, the most probable first; as many as were asked for.
    pub alternatives: Vec<Alternative>,
    /// What each filter did, in the order in which they were applied.
    pub filters: Vec<FilterReport>,
}

/// Where a token stands in a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Standing {
    /// Its probability.
    pub probability: f64,
    /// The natural logarithm of its probability.
    pub log_probability: f64,
    /// 1 for the most probable; tokens of equal probability share their rank.
    pub rank: usize,
}

/// The Shannon entropy of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(into = "EntropyJson")]
pub struct Entropy {
    nats: f64,
}

#[derive(Serialize)]
struct EntropyJson {
    nats: f64,
    bits: f64,
}

/// A token that might have been chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Alternative {
    /// Its id.
    pub token: u32,
    /// The model's logit.
    pub logit: f32,
    /// Its probability in the model's distribution.
    pub model_probability: f64,
    /// Its probability in the final distribution: 0 where a filter removed it.
    pub final_probability: f64,
}

/// What one filter did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FilterReport {
    /// Which.
    pub filter: SamplingFilter,
    /// What it did.
    pub effect: FilterEffect,
    /// How many tokens were left.
    pub left: usize,
    /// The entropy of the distribution that it left.
    pub entropy: Entropy,
}

/// What a filter does to a distribution.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FilterEffect {
    /// It changed logits and removed nothing.
    Changed {
        /// How many logits.
        tokens: usize,
        /// The probability that moved from some tokens to others: half the sum of the differences.
        moved: f64,
    },
    /// It removed tokens.
    Removed {
        /// How many.
        tokens: usize,
        /// The probability that they had together when it was applied.
        mass: f64,
        /// Those among them that were the most probable, with their probabilities; as many as were asked for.
        most_probable: Vec<(u32, f64)>,
    },
}

/// How much of each choice is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChoiceLimits {
    /// How many alternatives.
    pub alternatives: usize,
    /// How many of the tokens that a filter removed.
    pub removed: usize,
}

impl Default for ChoiceLimits {
    /// Ten of each.
    fn default() -> Self {
        Self { alternatives: 10, removed: 10 }
    }
}

impl ChoiceLimits {
    /// Sets how many alternatives are written down.
    pub fn alternatives(mut self, n: usize) -> Self {
        self.alternatives = n;
        self
    }

    /// Sets how many of the tokens that a filter removed are written down, the most probable first.
    pub fn removed(mut self, n: usize) -> Self {
        self.removed = n;
        self
    }
}

impl Entropy {
    pub(crate) fn from_nats(nats: f64) -> Self {
        Self { nats }
    }

    /// In nats: natural logarithms.
    pub fn nats(self) -> f64 {
        self.nats
    }

    /// In bits: logarithms to base 2.
    pub fn bits(self) -> f64 {
        self.nats / LN_2
    }
}

impl From<Entropy> for EntropyJson {
    fn from(entropy: Entropy) -> Self {
        Self { nats: entropy.nats(), bits: entropy.bits() }
    }
}
