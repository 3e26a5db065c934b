//! Traces in full, within bounds.

use std::time::Instant;

use llmtrace::{SpanRecord, TraceId};
use llmtrace_exporters::write_line;
use rusqlite::Connection;

use crate::store::error::StoreError;
use crate::store::trace;

/// The spans of one trace.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// In the order in which they started.
    pub(crate) spans: Vec<SpanRecord>,
    /// Whether there are more.
    pub(crate) is_cut: bool,
}

/// Spans of one trace, at most.
const MAX_SPANS: usize = 20_000;

/// Bytes of the lines of one trace, at most.
const MAX_BYTES: usize = 32 << 20;

/// Reads the spans of a trace, as many as may be in memory at once, and until `end`.
pub(crate) fn trace(connection: &Connection, id: TraceId, end: Instant) -> Result<Loaded, StoreError> {
    let (mut loaded, mut line, mut bytes) = (Loaded::default(), Vec::new(), 0);
    // One more, to know that there are more.
    let read = trace::records_in(connection, id, 0..MAX_SPANS + 1, &mut |span| {
        line.clear();
        write_line(&span, &mut line);
        bytes += line.len();
        let is_full = loaded.spans.len() >= MAX_SPANS || bytes > MAX_BYTES || Instant::now() >= end;
        // A trace that is there has a span.
        loaded.is_cut = is_full && !loaded.spans.is_empty();
        if loaded.is_cut {
            // The rest need not be read.
            return Err(StoreError::Closed);
        }
        loaded.spans.push(span);
        Ok(())
    });
    match read {
        Err(StoreError::Closed) if loaded.is_cut => Ok(loaded),
        read => read.map(|_| loaded),
    }
}
