//! Hook points: their names, choosing them, functions called there and the values kept.

mod aligned;
mod cache;
mod edges;
mod filter;
#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod hooks;
mod interventions;
mod mean;
mod moment;
mod point;
mod slice;

pub use cache::ActivationCache;
pub use edges::Edges;
pub use filter::Filter;
pub(crate) use filter::{PointSet, points};
pub use hooks::Hooks;
pub(crate) use hooks::{HookTap, NoTap, Tap};
pub use mean::Mean;
pub use moment::Moment;
pub use point::{HookPoint, Site};
pub use slice::Slice;
pub(crate) use slice::{Axis, axes};
