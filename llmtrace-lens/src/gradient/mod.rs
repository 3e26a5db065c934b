//! Gradients of what a model says, by a backward pass written by hand: weights are constant, and only what the pass
//! needs is kept of the run.

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
pub use integrated::{Baseline, Integrated, IntegratedGradients};
pub use patching::AttributionPatching;
pub use target::Target;
