//! Langfuse: spans over OTLP, scores over its REST API.

mod exporter;
mod score;
#[cfg(test)]
mod tests;

pub use exporter::Langfuse;
