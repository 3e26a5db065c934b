//! Hook points: their names, choosing them, functions called there and the values kept.

mod cache;
mod filter;
#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod hooks;
mod point;

pub use cache::ActivationCache;
pub use filter::Filter;
pub(crate) use filter::{PointSet, points};
pub use hooks::Hooks;
pub(crate) use hooks::{HookTap, NoTap, Tap};
pub use point::{HookPoint, Site};
