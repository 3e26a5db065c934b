//! What is compared: one side's figures.

use llmtrace::{
    ObservationKind, SpanId, SpanRecord, Status, Timestamp, TraceId, Usage, UsageStatus, Usd, Value, semconv,
};
use serde::Serialize;

use crate::findings::counted_calls;

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
    /// To the first content of a stream; of a trace, from its start to the earliest of any of its calls.
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

impl TraceSide {
    /// One side; `None` if it has no spans.
    pub(super) fn of(spans: &[SpanRecord]) -> Option<Self> {
        let start = spans.iter().map(|span| span.start).min()?;
        let end = spans.iter().map(|span| span.end).max()?;
        let order = |span: &&SpanRecord| (!span.is_local_root(), span.start, span.span_id);
        let root = spans.iter().min_by_key(order)?;
        let (calls, mut figures, mut models) = (counted_calls(spans), Figures::default(), Vec::new());
        for call in &calls {
            figures.add(&Figures::of(call));
            if let Some(model) = call.model()
                && !models.iter().any(|known| known == model)
            {
                models.push(model.to_owned());
            }
        }
        figures.duration_ms = millis(end.since(start));
        let first_chunk = |call: &&SpanRecord| {
            call.time_to_first_chunk().map(|seconds| millis(call.start.since(start)) + seconds * 1e3)
        };
        figures.first_chunk_ms = calls.iter().filter_map(first_chunk).min_by(f64::total_cmp);
        Some(Self {
            trace_id: root.trace_id,
            name: root.name.to_string(),
            service: root.resource.service_name().map(str::to_owned),
            start,
            spans: spans.len() as u64,
            errors: spans.iter().filter(|span| span.status.is_error()).count() as u64,
            calls: calls.len() as u64,
            models,
            figures,
        })
    }
}

impl SpanSide {
    pub(super) fn of(span: &SpanRecord) -> Self {
        Self {
            span_id: span.span_id,
            name: span.name.to_string(),
            kind: span.kind,
            model: span.model().map(str::to_owned),
            status: span.status.as_str(),
            status_message: match &span.status {
                Status::Error { message } => Some(message.clone()),
                _ => None,
            },
            figures: Figures::of(span),
        }
    }
}

impl Figures {
    pub(super) fn of(span: &SpanRecord) -> Self {
        let usage = span.usage();
        let (cost, is_call) = (span.cost(), span.kind.is_model_call());
        let incomplete = span.attributes.get(semconv::COST_INCOMPLETE).and_then(Value::as_bool);
        // A call that failed and states no tokens is taken to be free.
        let is_free = span.status.is_error() && usage.is_empty();
        let is_counted = usage.status == UsageStatus::Complete || is_free || !is_call;
        let Usage {
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            ..
        } = usage;
        Self {
            duration_ms: millis(span.duration()),
            first_chunk_ms: span.time_to_first_chunk().map(|seconds| seconds * 1e3),
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            reasoning_tokens,
            cost,
            cost_is_lower_bound: incomplete == Some(true) || (is_call && cost.is_none() && !is_free),
            tokens_are_lower_bound: !is_counted,
        }
    }

    /// Adds the tokens and the cost of a call.
    fn add(&mut self, call: &Self) {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        self.input_tokens = sum(self.input_tokens, call.input_tokens);
        self.output_tokens = sum(self.output_tokens, call.output_tokens);
        self.cache_read_tokens = sum(self.cache_read_tokens, call.cache_read_tokens);
        self.cache_write_tokens = sum(self.cache_write_tokens, call.cache_write_tokens);
        self.reasoning_tokens = sum(self.reasoning_tokens, call.reasoning_tokens);
        self.cost = match (self.cost, call.cost) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        self.cost_is_lower_bound |= call.cost_is_lower_bound;
        self.tokens_are_lower_bound |= call.tokens_are_lower_bound;
    }
}

fn millis(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn kind<S: serde::Serializer>(kind: &ObservationKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

#[expect(clippy::ref_option, reason = "as serde asks for it")]
fn dollars<S: serde::Serializer>(cost: &Option<Usd>, serializer: S) -> Result<S::Ok, S::Error> {
    // All its digits, and no exponent.
    let digits = cost.and_then(|cost| serde_json::value::RawValue::from_string(cost.to_string()).ok());
    digits.serialize(serializer)
}
