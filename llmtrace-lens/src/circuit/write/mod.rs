//! Graphs in files: for viewers, for other programs, for people.

mod dot;
mod graph_json;
mod graphml;
mod names;
mod tensors;

pub use graph_json::{GraphFile, GraphLink, GraphMetadata, GraphNode, GraphQuery};
