//! Circuits: which features of a model, wired how, gave one answer.
//!
//! An attribution graph (Ameisen et al. 2025, "Circuit Tracing: Revealing Computational Graphs in Language Models") stands in
//! for one prompt's run: attention patterns and the norms' divisors are held as they were, MLPs are replaced by sparse
//! features, and what is left is linear, so each feature's input is a sum over the features, errors and tokens before it.
//!
//! ```
//! use llmtrace_lens::circuit::{Thresholds, Tracer, Transcoders};
//! use llmtrace_lens::handmade::TwoStep;
//!
//! let model = TwoStep::model()?;
//! let neurons = Transcoders::neurons(&model)?;
//! let graph = Tracer::new(&model, &neurons).trace(&model.tokenize("Dallas capital")?)?;
//! let pruned = graph.prune(Thresholds::default());
//! let strongest = &graph.paths(&pruned, 1)[0];
//! let steps: Vec<String> = strongest.nodes.iter().map(|node| graph.node_label(*node)).collect();
//! assert_eq!(steps.last().map(String::as_str), Some("-> \"Austin\""));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "model")]
mod error;
#[cfg(feature = "model")]
pub mod feature;
#[cfg(feature = "model")]
pub mod graph;
#[cfg(feature = "model")]
pub mod intervene;
#[cfg(feature = "model")]
mod label;
pub mod page;
mod path;
#[cfg(feature = "model")]
mod paths;
#[cfg(feature = "model")]
pub mod prune;
#[cfg(feature = "model")]
mod summary;
#[cfg(feature = "model")]
mod supernode;
#[cfg(feature = "model")]
mod trace;
#[cfg(feature = "model")]
pub mod train;
#[cfg(feature = "model")]
pub mod transcoder;
#[cfg(feature = "model")]
mod window;
pub mod write;

#[cfg(feature = "model")]
pub use error::CircuitError;
#[cfg(feature = "model")]
pub use graph::{AttributionGraph, Node, Tracer};
#[cfg(feature = "model")]
pub use intervene::{Change, Experiment, Held};
#[cfg(feature = "model")]
pub use label::{LabelError, Labels};
pub use path::Path;
#[cfg(feature = "model")]
pub use paths::{NamedPath, Speaks};
#[cfg(feature = "model")]
pub use prune::{Influence, Pruned, Scores, Thresholds};
#[cfg(feature = "model")]
pub use summary::{GraphSummary, Kept, Kinds, NamedGroup, StrongFeature};
#[cfg(feature = "model")]
pub use supernode::Supernode;
#[cfg(feature = "model")]
pub use trace::GRAPH_BYTES;
#[cfg(feature = "model")]
pub use transcoder::Transcoders;
