//! Attribution graphs of one prompt.

mod active;
mod backward;
mod found;
#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod graph;
mod layer;
mod local;
mod target;
mod tracer;

pub(crate) use crate::ops::floats;
pub use active::ActiveFeature;
pub(crate) use active::pre_activations;
pub use graph::{AttributionGraph, Node, TargetNode};
pub(crate) use layer::{centred, input, input_site, post_norm};
pub(crate) use local::Local;
pub use target::Targets;
pub use tracer::Tracer;
