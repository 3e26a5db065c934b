//! Judgements of spans.

use llmtrace::{SpanId, Timestamp, TraceId};
use rusqlite::Connection;

use super::error::StoreError;

/// A judgement of a span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScoreRow {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) comment: Option<String>,
    pub(crate) source: ScoreSource,
    pub(crate) time: Timestamp,
}

/// Where a judgement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ScoreSource {
    /// It came with its span.
    Span,
    /// It was added here, in the page or through the API.
    Added,
}

/// A judgement to be added.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewScore {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) comment: Option<String>,
}

/// The judgements of a trace, in the order of time.
pub(crate) fn of_trace(_conn: &Connection, _trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
    Ok(Vec::new())
}
