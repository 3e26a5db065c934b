//! What can go wrong while an answer is written.

use super::sampling::SamplingError;
use crate::error::RunError;

/// Why an answer could not be written, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// No token could be chosen.
    #[error("step {step}: {source}")]
    Sampling {
        /// The step, counted from 0.
        step: usize,
        /// Why.
        source: SamplingError,
    },
    /// A setting of the sampling is wrong.
    #[error(transparent)]
    Setting(#[from] SamplingError),
    /// The prompt could not be read, or the model failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The tokenizer could not turn tokens into text.
    #[error("the tokenizer cannot decode: {source}")]
    Decode {
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<candle_core::Error> for GenerateError {
    fn from(error: candle_core::Error) -> Self {
        Self::Run(error.into())
    }
}
