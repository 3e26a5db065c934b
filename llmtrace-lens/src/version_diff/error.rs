//! Why two models are not compared.

use crate::analysis::ReadError;
use crate::circuit::CircuitError;
use crate::error::RunError;
use crate::generate::GenerateError;

/// Why two models are not compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The models are of different shapes, so that layers, heads and weights have no counterpart.
    #[error(
        "{before} and {after} have different shapes ({differences}): two versions of one model can be compared"
    )]
    Shape {
        /// The older model.
        before: String,
        /// The newer one.
        after: String,
        /// Every size that differs, with both values.
        differences: String,
    },
    /// The models read texts into different tokens.
    #[error("{before} and {after} read texts differently ({problem}): two versions need the same tokenizer")]
    Tokenizer {
        /// The older model.
        before: String,
        /// The newer one.
        after: String,
        /// What differs.
        problem: String,
    },
    /// No prompt, or one that cannot be read.
    #[error("{0}")]
    Input(String),
    /// A model could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A run could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The transcoders are not those of the older model, or cannot be read.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// A model could not answer.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl From<candle_core::Error> for DiffError {
    fn from(error: candle_core::Error) -> Self {
        Self::Run(error.into())
    }
}
