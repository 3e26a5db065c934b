//! What is stored, as JSON.

use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use llmtrace::Usd;
use serde_json::{Value, json};

use crate::store::histogram::Histogram;
use crate::store::row::{Tokens, TraceRow};
use crate::store::sessions::SessionRow;
use crate::store::sums::Sums;

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Json(pub(crate) Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0.to_string()).into_response()
    }
}

/// A trace of a list.
pub(crate) fn trace(row: &TraceRow) -> Value {
    let mut json = json!({
        "trace_id": row.trace_id,
        "name": row.name,
        "service": row.service,
        "environment": row.environment,
        "start": row.start,
        "duration_ms": millis(row.duration()),
        "first_chunk_ms": row.first_chunk.map(millis),
        "spans": row.spans,
        "errors": row.errors,
        "status": row.status.as_str(),
        "error": row.error,
        "calls": row.calls,
        "models": row.models,
        "providers": row.providers,
        "tags": row.tags,
        "session": row.session,
        "user": row.user,
        "input": row.input,
        "output": row.output,
    });
    add_tokens(&mut json, &row.tokens);
    json["uncounted_calls"] = row.uncounted.into();
    json["estimated_calls"] = row.estimated.into();
    add_cost(&mut json, row.cost, row.is_cost_lower_bound, row.unpriced);
    json
}

/// A session of a list.
pub(crate) fn session(row: &SessionRow) -> Value {
    let mut json = json!({
        "session": row.session,
        "traces": row.traces,
        "first": row.first,
        "last": row.last,
        "errors": row.errors,
        "calls": row.calls,
        "user": row.user,
        "input": row.input,
        "output": row.output,
    });
    add_tokens(&mut json, &row.tokens);
    add_cost(&mut json, row.cost, row.is_cost_lower_bound, row.unpriced);
    json
}

/// What calls add up to.
pub(crate) fn sums(sums: &Sums) -> Value {
    let mut json = json!({
        "calls": sums.calls,
        "errors": sums.errors,
        "uncounted_calls": sums.uncounted,
        "estimated_calls": sums.estimated,
        "cache_hit_share": sums.cache_hit_share(),
        "latency_ms": percentiles(&sums.latency),
        "first_chunk_ms": percentiles(&sums.first_chunk),
    });
    add_tokens(&mut json, &sums.tokens());
    add_cost(&mut json, sums.cost(), sums.is_cost_lower_bound(), sums.unpriced());
    json
}

/// Milliseconds, to the nanosecond.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// `null` where nothing was measured.
fn percentiles(histogram: &Histogram) -> Value {
    match histogram.percentiles() {
        None => Value::Null,
        Some(at) => json!({
            "count": at.count,
            "p50": millis(at.p50),
            "p95": millis(at.p95),
            "p99": millis(at.p99),
        }),
    }
}

fn add_tokens(json: &mut Value, tokens: &Tokens) {
    json["input_tokens"] = tokens.input.into();
    json["output_tokens"] = tokens.output.into();
    json["cache_read_tokens"] = tokens.cache_read.into();
    json["cache_write_tokens"] = tokens.cache_write.into();
    json["reasoning_tokens"] = tokens.reasoning.into();
}

fn add_cost(json: &mut Value, cost: Option<Usd>, is_lower_bound: bool, unpriced: u64) {
    json["cost_usd"] = cost.map(Usd::to_f64).into();
    json["cost_is_lower_bound"] = is_lower_bound.into();
    json["unpriced_calls"] = unpriced.into();
}
