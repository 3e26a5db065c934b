//! A span as one row of plain columns.

use llmtrace::{SpanRecord, Status, semconv};
use serde::Serialize;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(Option<String>),
    Int(Option<i64>),
    Float(Option<f64>),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Json,
    Count,
    /// Nanoseconds since 1970, UTC.
    Time,
    Float,
}

/// The columns in their order.
pub(super) const COLUMNS: [(&str, Holds); 26] = [
    ("trace_id", Holds::Text),
    ("span_id", Holds::Text),
    ("parent_span_id", Holds::Text),
    ("name", Holds::Text),
    ("kind", Holds::Text),
    ("start", Holds::Time),
    ("end", Holds::Time),
    ("duration_ms", Holds::Float),
    ("status", Holds::Text),
    ("error", Holds::Text),
    ("service", Holds::Text),
    ("environment", Holds::Text),
    ("provider", Holds::Text),
    ("model", Holds::Text),
    ("session", Holds::Text),
    ("user", Holds::Text),
    ("input_tokens", Holds::Count),
    ("output_tokens", Holds::Count),
    ("cache_read_tokens", Holds::Count),
    ("cache_write_tokens", Holds::Count),
    ("reasoning_tokens", Holds::Count),
    ("cost_usd", Holds::Float),
    ("first_chunk_ms", Holds::Float),
    ("input", Holds::Json),
    ("output", Holds::Json),
    ("scores", Holds::Json),
];

/// The cells of a span, in the order of [`COLUMNS`].
pub(super) fn cells(span: &SpanRecord) -> [Cell; COLUMNS.len()] {
    let text = |text: Option<&str>| Cell::Text(text.map(str::to_owned));
    let count = |count: Option<u64>| Cell::Int(count.and_then(|count| i64::try_from(count).ok()));
    let time = |time: llmtrace::Timestamp| i64::try_from(time.unix_nanos()).ok();
    let usage = span.usage();
    let ended = (span.end.unix_nanos() > 0).then_some(span.end);
    let environment = span.resource.attributes.get_str(semconv::DEPLOYMENT_ENVIRONMENT_NAME);
    let error = match &span.status {
        Status::Error { message } => Some(message.as_str()),
        _ => None,
    };
    let scores: Vec<_> = span
        .scores
        .iter()
        .map(|score| serde_json::json!({"name": score.name, "value": score.value, "comment": score.comment}))
        .collect();
    [
        Cell::Text(Some(span.trace_id.to_string())),
        Cell::Text(Some(span.span_id.to_string())),
        Cell::Text(span.parent_span_id.map(|id| id.to_string())),
        text(Some(&span.name)),
        text(Some(span.kind.as_str())),
        Cell::Int(time(span.start)),
        Cell::Int(ended.and_then(time)),
        Cell::Float(ended.map(|_| span.duration().as_secs_f64() * 1e3)),
        text(Some(span.status.as_str())),
        text(error),
        text(span.resource.service_name()),
        text(environment),
        text(span.provider()),
        text(span.model()),
        text(span.session()),
        text(span.user()),
        count(usage.input_tokens),
        count(usage.output_tokens),
        count(usage.cache_read_tokens),
        count(usage.cache_write_tokens),
        count(usage.reasoning_tokens),
        Cell::Float(span.cost().map(llmtrace::Usd::to_f64)),
        Cell::Float(span.time_to_first_chunk().map(|seconds| seconds * 1e3)),
        json(&span.input),
        json(&span.output),
        json(&scores),
    ]
}

/// A list as JSON; nothing where it is empty.
fn json<T: Serialize>(list: &[T]) -> Cell {
    Cell::Text(if list.is_empty() { None } else { serde_json::to_string(list).ok() })
}
