//! Records for tests.

use llmtrace::{ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};

pub(crate) fn trace_id(n: u64) -> TraceId {
    TraceId::from_bytes(u128::from(n).to_be_bytes()).unwrap()
}

pub(crate) fn span_id(n: u64) -> SpanId {
    SpanId::from_bytes(n.to_be_bytes()).unwrap()
}

pub(crate) fn at(nanos: u64) -> Timestamp {
    Timestamp::from_unix_nanos(nanos)
}

/// A span of trace `trace` with the id `id` that took no time.
pub(crate) fn span(trace: u64, id: u64, name: &str) -> SpanRecord {
    SpanRecord::new(trace_id(trace), span_id(id), name.to_owned(), ObservationKind::Span, at(0), at(0))
}
