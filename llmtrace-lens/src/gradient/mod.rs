//! Gradients of what a model says: by its embeddings, and by the value at any hook point.
//!
//! | to | use |
//! |---|---|
//! | say what the gradient is of | [`Target`] |
//! | have the gradient by the embeddings | [`Model::gradient`](crate::Model::gradient) |
//! | have it at hook points too | [`Model::gradient_at`](crate::Model::gradient_at) |
//! | share the target's value out among embeddings | [`IntegratedGradients`], [`Model::integrated_gradients`](crate::Model::integrated_gradients) |
//! | estimate all patches at once | [`Model::attribution_patching`](crate::Model::attribution_patching) |
//! | follow attention through the blocks | [`Model::attention_rollout`](crate::Model::attention_rollout) |
//! | have the target's value alone | [`Model::score`](crate::Model::score), [`Model::log_probability`](crate::Model::log_probability) |
//! | have it all by part of a prompt | [`TokenGame`](crate::explain::TokenGame) |
//!
//! The backward pass is written by hand: softmax and norms in full, weights constant, one product a weight. It keeps only
//! what it needs of the run, and is held to torch's and to candle's own gradients in tests.

mod attention;
mod backward;
#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod gradient;
mod input;
mod integrated;
mod kernels;
mod ops;
mod patching;
mod quadrature;
mod readout;
mod rollout;
mod tape;
mod target;

pub use gradient::Gradient;
pub use input::Input;
pub(crate) use integrated::keeping;
pub use integrated::{Baseline, Integrated, IntegratedGradients};
pub use patching::AttributionPatching;
pub use target::Target;
