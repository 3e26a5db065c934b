//! What can go wrong while an answer is written.

use super::sampling::SamplingError;

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
    /// The tokenizer could not turn tokens into text.
    #[error("the tokenizer cannot decode: {source}")]
    Decode {
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
