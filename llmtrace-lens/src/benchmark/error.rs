//! Why a method could not be measured.

use crate::circuit::CircuitError;
use crate::error::{LoadError, RunError};
use crate::explain::ExplainError;

/// Why a method could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchmarkError {
    /// A model of the tasks cannot be made.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A model could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A method that scores tokens failed.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A graph could not be traced.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Scores do not fit the tasks.
    #[error("{0}")]
    Submission(String),
}

impl From<candle_core::Error> for BenchmarkError {
    fn from(error: candle_core::Error) -> Self {
        Self::Run(error.into())
    }
}
