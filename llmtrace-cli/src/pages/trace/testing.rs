//! Spans for tests.

use llmtrace::{ObservationKind, SpanId, Timestamp, TraceId};

use crate::store::row::{SpanRow, SpanStatus, Tokens, TraceRow, TraceStatus};

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

/// A trace of these spans.
pub(crate) fn trace(spans: &[SpanRow]) -> TraceRow {
    TraceRow {
        id: 1,
        trace_id: TraceId::from_bytes([1; 16]).unwrap(),
        name: "answer".to_owned(),
        service: None,
        environment: None,
        start: Timestamp::from_unix_nanos(1),
        end: Timestamp::from_unix_nanos(2),
        spans: spans.len() as u64,
        errors: 0,
        status: TraceStatus::Ok,
        error: None,
        has_root: true,
        calls: 0,
        tokens: Tokens::default(),
        cost: None,
        unpriced: 0,
        is_cost_lower_bound: false,
        uncounted: 0,
        estimated: 0,
        first_chunk: None,
        session: None,
        user: None,
        input: None,
        output: None,
        models: Vec::new(),
        providers: Vec::new(),
        tags: Vec::new(),
        change: 1,
    }
}

/// Text that would do harm where it is not text.
pub(crate) const HOSTILE: &str =
    "</script></table>\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\0&amp;";
