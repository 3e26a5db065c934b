//! Attribution graphs of one prompt.

mod active;
mod backward;
#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod graph;
mod layer;
mod local;
mod order;
mod target;
mod tracer;

pub use active::ActiveFeature;
pub use graph::{AttributionGraph, Node, TargetNode};
pub use target::Targets;
pub use tracer::Tracer;
