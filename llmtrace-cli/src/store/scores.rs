//! Judgements of spans.

use llmtrace::{SpanId, Timestamp, TraceId};
use rusqlite::Connection;

use super::error::StoreError;
use super::fact::timestamp;
use super::trace::number;
use super::write::scores::ADDED;

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
pub(crate) fn of_trace(conn: &Connection, trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
    let find = "SELECT s.span_id, n.text, s.value, s.comment, s.source, s.time FROM scores AS s
        JOIN names AS n ON n.id = s.name WHERE s.trace = ?1 ORDER BY s.time, s.id";
    let mut find = conn.prepare_cached(find)?;
    let Some(id) = number(conn, trace)? else { return Ok(Vec::new()) };
    let rows = find.query_map([id], |row| {
        Ok(ScoreRow {
            trace_id: trace,
            span_id: SpanId::from_bytes(row.get(0)?).ok_or(rusqlite::Error::InvalidQuery)?,
            name: row.get(1)?,
            value: row.get(2)?,
            comment: row.get(3)?,
            source: if row.get::<_, i64>(4)? == ADDED { ScoreSource::Added } else { ScoreSource::Span },
            time: timestamp(row.get(5)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
