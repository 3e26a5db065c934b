//! What a traced LLM call costs its caller, and what survives a flood: llmtrace and its peers side by side.
//!
//! Each subject runs in a process of its own, under the process-wide subscriber that a program would have. The
//! benches drive these processes in turns, so that noise of the machine hits all alike, and read CPU time
//! rather than wall time.

pub mod archive;
pub mod bodies;
pub mod child;
pub mod client;
pub mod cpu;
pub mod encoding;
pub mod fill;
pub mod instructions;
mod jobs;
pub mod report;
pub mod sink;
pub mod subject;
pub mod table;
pub mod workload;

pub use jobs::{WARM_UP, flood, pace, poll, rounds, serve};

/// The result of everything that may fail here.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
