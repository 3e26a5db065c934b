//! What a method of attribution is.

use serde::{Deserialize, Serialize};

use super::{Coalition, ExplainError, Game, Parts};

/// A way to share a score out among the parts of a prompt.
pub trait Method {
    /// Its name, in `snake_case`.
    fn name(&self) -> &'static str;

    /// The masks it will ask for, for these parts and this seed; where it decides as it goes, as many as it may
    /// ask for at most.
    ///
    /// # Errors
    ///
    /// [`ExplainError::TooManyParts`] and [`ExplainError::TooManySamples`] where it does not take so many.
    fn masks(&self, parts: &Parts, seed: u64) -> Result<Vec<Coalition>, ExplainError>;

    /// Shares the score out.
    ///
    /// # Errors
    ///
    /// Those of [`Game::values`], and the method's own.
    fn solve(&self, game: &Game<'_>) -> Result<Solution, ExplainError>;
}

/// What a method found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Solution {
    /// A value for each part, in the units of the score.
    pub values: Vec<f64>,
    /// The standard error of each value, where the method samples and can tell.
    pub standard_errors: Option<Vec<f64>>,
    /// How well a local model fits, where the method fits one.
    pub fit: Option<Fit>,
    /// How much of what the method is defined over was asked.
    pub coverage: Coverage,
}

/// How much of what a method is defined over was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coverage {
    /// Every mask: the values are exact.
    #[default]
    Whole,
    /// Random masks: the values are estimates.
    Sampled,
    /// The method's limit of calls came first: groups of parts that were not opened share evenly.
    CutShort,
}

impl Solution {
    /// Exact values.
    pub fn new(values: Vec<f64>) -> Self {
        Self { values, ..Self::default() }
    }
}

/// A linear model that was fitted to the scores of masked prompts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fit {
    /// What it says of a prompt that has none of the parts it speaks of.
    pub intercept: f64,
    /// Its weighted R²: the share of the scores' variance that it explains.
    pub r2: f64,
    /// What it says of the whole prompt.
    pub local_prediction: f64,
}
