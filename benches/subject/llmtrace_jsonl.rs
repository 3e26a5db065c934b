//! llmtrace writing JSON Lines files.

use std::path::PathBuf;

use llmtrace_exporters::JsonLines;

use super::{Delivery, Sink, Subject, plain};
use crate::Result;

/// Plain fields, `Builder::install`, `JsonLines`.
pub(super) const JSON_LINES: Subject =
    Subject { name: "llmtrace-jsonl", start, call: plain::call, hold: plain::hold };

/// A flood writes gigabytes; this much of it is kept.
const ROTATE_BYTES: u64 = 64 * 1024 * 1024;

/// Where the files are written.
pub fn directory() -> PathBuf {
    std::env::temp_dir().join("llmtrace-benches-jsonl")
}

fn start(_: Sink) -> Result<Box<dyn Delivery>> {
    let directory = directory();
    std::fs::create_dir_all(&directory)?;
    let exporter = JsonLines::create(directory.join("flood.jsonl"))?.rotate_bytes(ROTATE_BYTES).keep_files(1);
    Ok(Box::new(llmtrace::builder().exporter(exporter).install()?))
}
