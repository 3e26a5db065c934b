//! Spans for tests.

use llmtrace::{ObservationKind, SpanId, Timestamp};

use crate::store::row::{SpanRow, SpanStatus, Tokens};

/// A span named by its id; 0 is no parent.
pub(crate) fn span(id: u64, parent: u64) -> SpanRow {
    SpanRow {
        span_id: SpanId::from_bytes(id.to_be_bytes()).unwrap(),
        parent: SpanId::from_bytes(parent.to_be_bytes()),
        parent_is_remote: false,
        name: id.to_string(),
        kind: ObservationKind::Span,
        start: Timestamp::from_unix_nanos(id),
        end: Timestamp::from_unix_nanos(id + 1),
        status: SpanStatus::Ok,
        error: None,
        service: None,
        model: None,
        provider: None,
        session: None,
        user: None,
        tokens: Tokens::default(),
        cost: None,
        is_cost_incomplete: false,
        is_estimated: false,
        first_chunk: None,
        is_counted: false,
    }
}
