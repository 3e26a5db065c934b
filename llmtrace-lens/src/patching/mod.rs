//! Putting activations of one run into another, to see which of them carry the answer.

mod along;
mod causal_trace;
mod metric;
mod noise;
#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod patching;
mod paths;
mod sweep;

pub use along::Along;
pub use causal_trace::CausalTrace;
pub use metric::Metric;
pub use patching::Patching;
pub(crate) use patching::{blend, rows};
pub use paths::Receiver;
pub use sweep::{Sweep, SweepAxis};
