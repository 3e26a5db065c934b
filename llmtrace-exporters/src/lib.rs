//! Where llmtrace sends traces.

mod jsonl;
#[cfg(test)]
mod testing;

pub use jsonl::line::{LineError, read_line, write_line};
pub use jsonl::open::OpenError;
pub use jsonl::read::JsonLinesReader;
pub use jsonl::sync::Sync;
pub use jsonl::write::JsonLines;
