//! Generation, step by step: what was chosen, of what, and at what cost.
//!
//! A [`Generator`] writes a [`Generation`] with a [`Model`](crate::Model): [`Sampling`] says how tokens are chosen, [`Stop`]
//! when it ends, and each token comes with its [`Choice`]. A [`Sampler`] chooses without a model, of any logits.

mod choice;
mod cost;
mod error;
mod generation;
mod generator;
mod prompt;
mod random;
mod sampler;
mod sampling;
mod stop;
mod text;
mod warp;

pub use choice::{Alternative, Choice, ChoiceLimits, Entropy, FilterEffect, FilterReport, Standing};
pub use cost::{Memory, flops};
pub use error::GenerateError;
pub use generation::{GeneratedToken, Generation, Step};
pub use generator::Generator;
pub use prompt::{Prompt, Token};
pub use sampler::Sampler;
pub use sampling::{Draw, Sampling, SamplingError, SamplingFilter};
pub use stop::{EndTokens, FinishReason, Stop};
