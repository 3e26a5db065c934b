//! Circuits: which features of a model, wired how, gave one answer.
//!
//! An attribution graph (Ameisen et al. 2025, "Circuit Tracing: Revealing Computational Graphs in Language Models") stands in
//! for one prompt's run: attention patterns and the norms' divisors are held as they were, MLPs are replaced by sparse
//! features, and what is left is linear, so each feature's input is a sum over the features, errors and tokens before it.

mod error;
pub mod graph;
pub mod intervene;
mod paths;
pub mod prune;
mod supernode;
pub mod transcoder;
pub mod write;

pub use error::CircuitError;
pub use graph::{AttributionGraph, Node, Tracer};
pub use intervene::{Change, Experiment, Held};
pub use paths::{NamedPath, Path};
pub use prune::{Influence, Pruned, Scores, Thresholds};
pub use supernode::Supernode;
pub use transcoder::Transcoders;
