//! What is shown of a span: a small part of the record, made safe to print.

use llmtrace::{
    ObservationKind, SpanId, SpanRecord, Status, Timestamp, Usage, UsageSource, UsageStatus, Usd, Value,
    semconv,
};

use super::text;

/// A span as the tree shows it. It keeps no content, so that many can wait for their roots.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) is_local_root: bool,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) kind: ObservationKind,
    pub(super) name: String,
    /// The model, unless the name says it.
    pub(super) model: Option<String>,
    pub(super) usage: Usage,
    pub(super) cost: Option<Usd>,
    pub(super) cost_incomplete: bool,
    /// Nanoseconds to the first content of a stream.
    pub(super) first_chunk: Option<u64>,
    pub(super) outcome: Outcome,
}

/// How a span ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// Well, as far as anyone said.
    Fine,
    /// With this error.
    Failed(String),
    /// It was dropped before its end.
    Cancelled,
}

/// Chars of a name, a model or an error that are kept.
const MAX_CHARS: usize = 300;

impl Node {
    pub(super) fn new(span: &SpanRecord) -> Self {
        let name = safe(&span.name);
        let model = span.model().map(safe).filter(|model| !names_model(&name, model, span));
        Self {
            id: span.span_id,
            parent: span.parent_span_id,
            is_local_root: span.is_local_root(),
            start: span.start,
            end: span.end,
            kind: span.kind,
            name,
            model,
            usage: span.usage(),
            cost: span.cost(),
            cost_incomplete: span.attributes.get(semconv::COST_INCOMPLETE).and_then(Value::as_bool)
                == Some(true),
            first_chunk: span.time_to_first_chunk().and_then(nanos),
            outcome: match &span.status {
                Status::Error { message } => Outcome::Failed(safe(message)),
                Status::Cancelled => Outcome::Cancelled,
                _ => Outcome::Fine,
            },
        }
    }

    /// Memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let error = if let Outcome::Failed(message) = &self.outcome { message.capacity() } else { 0 };
        size_of::<Self>() + self.name.capacity() + self.model.as_ref().map_or(0, String::capacity) + error
    }

    /// Whether it states tokens of its own.
    pub(super) fn has_tokens(&self) -> bool {
        let Usage { input_tokens, output_tokens, total_tokens, .. } = self.usage;
        input_tokens.is_some() || output_tokens.is_some() || total_tokens.is_some()
    }

    /// Whether its tokens are a lower bound of what was used.
    pub(super) fn is_partly_counted(&self) -> bool {
        matches!(self.usage.status, UsageStatus::Partial | UsageStatus::Interrupted)
    }

    /// Whether its tokens were counted on this side.
    pub(super) fn is_estimated(&self) -> bool {
        self.has_tokens() && self.usage.source == UsageSource::Estimated
    }
}

fn safe(text: &str) -> String {
    let kept: String = text.chars().take(MAX_CHARS).collect();
    text::escaped(&kept)
}

/// Whether the name says which model it was: by the name that answered, or by the one asked for if the other
/// only adds a date to it.
fn names_model(name: &str, model: &str, span: &SpanRecord) -> bool {
    let requested = span.attributes.get_str(semconv::REQUEST_MODEL);
    name.contains(model)
        || requested
            .is_some_and(|asked| !asked.is_empty() && model.starts_with(asked) && name.contains(asked))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn nanos(seconds: f64) -> Option<u64> {
    (0.0..1e9).contains(&seconds).then_some((seconds * 1e9) as u64)
}
