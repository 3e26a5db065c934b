//! What is compared: one side's figures.

use llmtrace::{ObservationKind, SpanId, Timestamp, TraceId, Usd};
use serde::Serialize;

/// One of two traces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TraceSide {
    pub(crate) trace_id: TraceId,
    /// The name of the root, else of the earliest span.
    pub(crate) name: String,
    pub(crate) service: Option<String>,
    pub(crate) start: Timestamp,
    pub(crate) spans: u64,
    pub(crate) errors: u64,
    /// Calls of models; a call inside a call counts once.
    pub(crate) calls: u64,
    /// The models that answered, each once, in order of their first call.
    pub(crate) models: Vec<String>,
    /// The trace's sums, and its time from the first start to the last end.
    pub(crate) figures: Figures,
}

/// One of two spans.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SpanSide {
    pub(crate) span_id: SpanId,
    pub(crate) name: String,
    #[serde(serialize_with = "kind")]
    pub(crate) kind: ObservationKind,
    pub(crate) model: Option<String>,
    /// `ok`, `error`, `cancelled` or `unset`.
    pub(crate) status: &'static str,
    /// What went wrong, where it failed.
    pub(crate) status_message: Option<String>,
    pub(crate) figures: Figures,
}

/// Figures of a span or of a trace; `None` is what nobody stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) duration_ms: f64,
    /// To the first content of a stream; of a trace, of its first call that states one.
    pub(crate) first_chunk_ms: Option<f64>,
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) cache_read_tokens: Option<u64>,
    pub(crate) cache_write_tokens: Option<u64>,
    pub(crate) reasoning_tokens: Option<u64>,
    #[serde(rename = "cost_usd", serialize_with = "dollars")]
    pub(crate) cost: Option<Usd>,
    /// Whether a call below has no cost, so that the sum is a lower bound.
    pub(crate) cost_is_lower_bound: bool,
    /// Whether a call below states its tokens in part only, so that the sums are lower bounds.
    pub(crate) tokens_are_lower_bound: bool,
}

fn kind<S: serde::Serializer>(kind: &ObservationKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

fn dollars<S: serde::Serializer>(cost: &Option<Usd>, serializer: S) -> Result<S::Ok, S::Error> {
    // All its digits, and no exponent.
    let digits = cost.and_then(|cost| serde_json::value::RawValue::from_string(cost.to_string()).ok());
    digits.serialize(serializer)
}
