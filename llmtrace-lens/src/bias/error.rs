//! Why a probe failed.

#[cfg(feature = "model")]
use crate::circuit::CircuitError;
#[cfg(feature = "model")]
use crate::error::RunError;
use crate::explain::ExplainError;

/// Why a bias probe failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BiasError {
    /// Templates, groups or settings that cannot be probed with.
    #[error("{0}")]
    Input(String),
    /// The score function failed.
    #[error("the score function failed on {prompt:?}: {message}")]
    Score {
        /// The prompt.
        prompt: String,
        /// What the function said.
        message: String,
    },
    /// The score function gave a number that is not finite.
    #[error("the score of {prompt:?} is {value}; scores must be finite")]
    NotFinite {
        /// The prompt.
        prompt: String,
        /// The score.
        value: f64,
    },
    /// The words of a template could not be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// The local model cannot be run.
    #[cfg(feature = "model")]
    #[error(transparent)]
    Run(#[from] RunError),
    /// The transcoders are not those of the model, or cannot be read.
    #[cfg(feature = "model")]
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

#[cfg(feature = "model")]
impl From<candle_core::Error> for BiasError {
    fn from(error: candle_core::Error) -> Self {
        Self::Run(error.into())
    }
}
