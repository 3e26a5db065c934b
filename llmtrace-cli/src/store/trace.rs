//! One trace, and its spans in full.

use llmtrace::{SpanId, SpanRecord, TraceId};
use rusqlite::Connection;

use super::error::StoreError;
use super::row::{SpanRow, TraceRow};

/// A trace and what is known of its spans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredTrace {
    pub(crate) row: TraceRow,
    /// In the order in which they started.
    pub(crate) spans: Vec<SpanRow>,
}

/// A trace; `None` if there is none of this id.
pub(crate) fn load(_conn: &Connection, _trace: TraceId) -> Result<Option<StoredTrace>, StoreError> {
    Ok(None)
}

/// A span in full, with the scores that were added to it; `None` if there is none of this id.
pub(crate) fn record(
    _conn: &Connection,
    _trace: TraceId,
    _span: SpanId,
) -> Result<Option<SpanRecord>, StoreError> {
    Ok(None)
}

/// Hands over each span of a trace in full, in the order in which they started; one piece of the trace is in memory at a time.
pub(crate) fn records(
    _conn: &Connection,
    _trace: TraceId,
    _each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    Ok(())
}

/// Hands over each span of the store in full, trace by trace in the order of arrival.
pub(crate) fn all_records(
    _conn: &Connection,
    _each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    Ok(())
}
