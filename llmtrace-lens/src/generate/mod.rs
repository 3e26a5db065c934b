//! Generation, step by step: what was chosen, of what, and at what cost.

mod choice;
mod distribution;
mod error;
mod random;
mod sampler;
mod sampling;
mod stop;
mod text;
mod warp;

pub use choice::{Alternative, Choice, ChoiceLimits, Entropy, FilterEffect, FilterReport, Standing};
pub use error::GenerateError;
pub use sampler::Sampler;
pub use sampling::{Draw, Sampling, SamplingError, SamplingFilter};
pub use stop::{FinishReason, Stop};
