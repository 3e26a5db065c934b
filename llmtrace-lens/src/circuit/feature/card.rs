//! What is known of a feature.

use serde::Serialize;

use super::histogram::Histogram;
use crate::model::TokenLabel;

/// What is known of a feature: where a text makes it active, and what it makes likelier.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FeatureCard {
    /// Its layer.
    pub layer: usize,
    /// Which of the layer's.
    pub feature: usize,
    /// What it means, where somebody said so.
    pub label: Option<String>,
    /// At how many tokens of the text it is active.
    pub active: u64,
    /// At how many it was looked for.
    pub tokens: u64,
    /// The one as a share of the other.
    pub density: f64,
    /// Its mean activation where it is active; none where it never is.
    pub mean: Option<f64>,
    /// Its largest activation.
    pub largest: Option<f32>,
    /// How strongly it is active, when it is.
    pub histogram: Option<Histogram>,
    /// The tokens that it makes likelier by itself, the most first.
    pub promoted: Vec<TokenEffect>,
    /// The tokens that it makes less likely by itself, the most first.
    pub suppressed: Vec<TokenEffect>,
    /// Where it is most active, the most first; one place a passage.
    pub contexts: Vec<Context>,
}

/// What a feature does to a token.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TokenEffect {
    /// The token.
    #[serde(flatten)]
    pub token: TokenLabel,
    /// What the feature adds to its logit when it is 1, directly and before the final norm divides, less the mean over all tokens.
    pub effect: f32,
}

/// A piece of the text in which a feature is active.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Context {
    /// The line of the file, from 1.
    pub line: u64,
    /// The piece's tokens, with the spaces between them.
    pub tokens: Vec<String>,
    /// The feature's activation at each of them.
    pub activations: Vec<f32>,
    /// Which of them it is most active at.
    pub at: usize,
}
