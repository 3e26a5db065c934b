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

mod error;
pub mod graph;
pub mod intervene;
mod paths;
pub mod prune;
mod summary;
mod supernode;
pub mod transcoder;
pub mod write;

pub use error::CircuitError;
pub use graph::{AttributionGraph, Node, Tracer};
pub use intervene::{Change, Experiment, Held};
pub use paths::{NamedPath, Path};
pub use prune::{Influence, Pruned, Scores, Thresholds};
pub use summary::{GraphSummary, Kept, Kinds, NamedGroup, StrongFeature};
pub use supernode::Supernode;
pub use transcoder::Transcoders;
