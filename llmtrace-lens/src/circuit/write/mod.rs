//! Graphs in files: for viewers, for other programs, for people.

#[cfg(feature = "model")]
mod details;
#[cfg(feature = "model")]
mod dot;
mod graph_file;
#[cfg(feature = "model")]
mod graph_json;
#[cfg(feature = "model")]
mod graphml;
#[cfg(feature = "model")]
mod names;
#[cfg(feature = "model")]
mod tensors;

pub use graph_file::{
    FeatureContext, FeatureDetails, GraphFile, GraphFileError, GraphLink, GraphMetadata, GraphNode,
    GraphQuery,
};
