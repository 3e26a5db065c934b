//! What an exporter sees: one finished span.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::semconv;
use crate::{
    Attributes, Cost, CostSource, Message, ObservationKind, SpanId, Timestamp, TraceId, Usage, UsageSource,
    UsageStatus, Usd, Value,
};

/// One finished span: all that an exporter ever sees.
///
/// Token counts, cost, model and the like are attributes under the names of the `OpenTelemetry` GenAI
/// conventions; [`usage`](SpanRecord::usage), [`cost`](SpanRecord::cost) and
/// [`model`](SpanRecord::model) read them back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpanRecord {
    /// The trace.
    pub trace_id: TraceId,
    /// This span.
    pub span_id: SpanId,
    /// The span it is part of; `None` for the root of a trace.
    pub parent_span_id: Option<SpanId>,
    /// Whether the parent is in another process (it came with a `traceparent` header).
    pub parent_is_remote: bool,
    /// A short name, such as `chat gpt-4o-mini`.
    pub name: Cow<'static, str>,
    /// What the span stands for.
    pub kind: ObservationKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// How it ended.
    pub status: Status,
    /// The process that the span comes from.
    pub resource: Arc<Resource>,
    /// The module or the library that made the span (`tracing`'s target).
    pub scope: Cow<'static, str>,
    /// What is known of it.
    pub attributes: Attributes,
    /// Messages that went in.
    pub input: Vec<Message>,
    /// Messages that came out.
    pub output: Vec<Message>,
    /// What happened during the span.
    pub events: Vec<Event>,
    /// Spans of this or other traces that this one is related to.
    pub links: Vec<Link>,
    /// Judgements.
    pub scores: Vec<Score>,
}

/// How a span ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Nobody said.
    #[default]
    Unset,
    /// Well.
    Ok,
    /// With an error.
    Error {
        /// What went wrong.
        message: String,
    },
    /// Its future or its stream was dropped before the end.
    Cancelled,
}

/// Something that happened at one moment of a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// A short name; of a `tracing` event, its message.
    pub name: Cow<'static, str>,
    /// When.
    pub time: Timestamp,
    /// What is known of it.
    pub attributes: Attributes,
}

/// A span that is related without being the parent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// The trace of the other span.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// What is known of the relation.
    pub attributes: Attributes,
}

/// A judgement on a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// What was judged, such as `helpfulness`.
    pub name: String,
    /// The judgement; its scale is the user's.
    pub value: f64,
    /// A remark.
    pub comment: Option<String>,
}

/// The process that spans come from.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Resource {
    /// `service.name` and whatever else the builder was given.
    pub attributes: Attributes,
}

impl Status {
    /// An error with its message.
    pub fn error(message: impl Into<String>) -> Self {
        Self::Error { message: message.into() }
    }

    /// `ok`, `error`, `cancelled` or `unset`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error { .. } => "error",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the span ended with an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error { .. })
    }
}

impl Resource {
    /// The name of the service, where one is set.
    pub fn service_name(&self) -> Option<&str> {
        self.attributes.get_str(semconv::SERVICE_NAME)
    }
}

impl Event {
    /// An event.
    pub fn new(name: impl Into<Cow<'static, str>>, time: Timestamp, attributes: Attributes) -> Self {
        Self { name: name.into(), time, attributes }
    }
}

impl Link {
    /// A relation to a span.
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self { trace_id, span_id, attributes: Attributes::default() }
    }
}

impl Score {
    /// A judgement without a remark.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value, comment: None }
    }
}

impl SpanRecord {
    /// A span with no attributes that began at `start` and ended at `end`.
    pub fn new(
        trace_id: TraceId,
        span_id: SpanId,
        name: impl Into<Cow<'static, str>>,
        kind: ObservationKind,
        start: Timestamp,
        end: Timestamp,
    ) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            parent_is_remote: false,
            name: name.into(),
            kind,
            start,
            end,
            status: Status::Unset,
            resource: Arc::default(),
            scope: Cow::Borrowed(""),
            attributes: Attributes::default(),
            input: Vec::new(),
            output: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            scores: Vec::new(),
        }
    }

    /// How long the span took.
    pub fn duration(&self) -> Duration {
        self.end.since(self.start)
    }

    /// Roughly how much memory the span takes, in bytes: its texts and a constant for each part.
    pub(crate) fn estimated_bytes(&self) -> usize {
        let attributes = |attributes: &Attributes| {
            attributes.iter().map(|(key, value)| key.len() + value.estimated_bytes()).sum::<usize>()
        };
        let events: usize =
            self.events.iter().map(|event| 96 + event.name.len() + attributes(&event.attributes)).sum();
        let messages: usize = self.input.iter().chain(&self.output).map(Message::estimated_bytes).sum();
        size_of::<Self>()
            + attributes(&self.attributes)
            + events
            + messages
            + 128 * (self.links.len() + self.scores.len())
    }

    /// Whether the span is the first of its trace in this process.
    pub fn is_local_root(&self) -> bool {
        self.parent_span_id.is_none() || self.parent_is_remote
    }

    /// The provider, under its `OpenTelemetry` name.
    pub fn provider(&self) -> Option<&str> {
        self.attributes.get_str(semconv::PROVIDER_NAME)
    }

    /// The model that answered, else the one that was asked for.
    pub fn model(&self) -> Option<&str> {
        let text = |key| self.attributes.get_str(key);
        text(semconv::RESPONSE_MODEL).or_else(|| text(semconv::REQUEST_MODEL))
    }

    /// Seconds to the first content of a stream.
    pub fn time_to_first_chunk(&self) -> Option<f64> {
        self.attributes.get(semconv::RESPONSE_TIME_TO_FIRST_CHUNK).and_then(Value::as_f64)
    }

    /// The conversation.
    pub fn session(&self) -> Option<&str> {
        self.attributes.get_str(semconv::CONVERSATION_ID)
    }

    /// The end user.
    pub fn user(&self) -> Option<&str> {
        self.attributes.get_str(semconv::USER_ID)
    }

    /// The token counts, read from the attributes.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        let (mut status, mut cache_creation) = (None, None);
        for (key, value) in self.attributes.iter().filter(|(key, _)| Usage::is_key(key)) {
            match key {
                semconv::USAGE_CACHE_CREATION_TOKENS => cache_creation = value.as_count(),
                semconv::USAGE_STATUS => status = value.as_str().and_then(UsageStatus::from_name),
                semconv::USAGE_SOURCE if value.as_str() == Some(UsageSource::Estimated.as_str()) => {
                    usage.source = UsageSource::Estimated;
                }
                key => usage.set(key, value.as_count()),
            }
        }
        usage.cache_write_tokens = usage.cache_write_tokens.or(cache_creation);
        usage.status = match status {
            Some(status) => status,
            None if usage.input_tokens.is_some() && usage.output_tokens.is_some() => UsageStatus::Complete,
            None if usage.is_empty() => UsageStatus::Missing,
            None => UsageStatus::Partial,
        };
        usage
    }

    /// Writes the token counts to the attributes; counts that are not known are left as they are.
    pub fn set_usage(&mut self, usage: &Usage) {
        usage.for_each_count(|key, count| self.attributes.set(key, count));
        self.attributes.set(semconv::USAGE_STATUS, Value::fixed(usage.status.as_str()));
        if !usage.is_empty() {
            self.attributes.set(semconv::USAGE_SOURCE, Value::fixed(usage.source.as_str()));
        }
    }

    /// The cost in US dollars, exact, where there is one.
    pub fn cost(&self) -> Option<Usd> {
        let pico = match self.attributes.get(semconv::COST_PICO_USD) {
            Some(Value::Int(pico)) => Some(Usd::from_pico(*pico)),
            _ => None,
        };
        pico.or_else(|| {
            self.attributes.get(semconv::USAGE_COST).and_then(Value::as_f64).and_then(Usd::from_f64)
        })
    }

    /// Writes a cost, and how it is known, to the attributes, in place of the one that stood there.
    pub fn set_cost(&mut self, cost: &Cost) {
        self.clear_cost();
        self.attributes.set(semconv::USAGE_COST, cost.total.to_f64());
        self.attributes.set(semconv::COST_PICO_USD, cost.total.pico());
        self.attributes.set(semconv::COST_SOURCE, Value::fixed(cost.source.as_str()));
        let status = if cost.source == CostSource::Provider { "provider_cost" } else { "priced" };
        self.attributes.set(semconv::COST_STATUS, Value::fixed(status));
        for (key, share) in [(semconv::COST_INPUT, cost.input), (semconv::COST_OUTPUT, cost.output)] {
            if let Some(share) = share {
                self.attributes.set(key, share.to_f64());
            }
        }
        if let Some(model) = &cost.matched_model {
            self.attributes.set(semconv::COST_MATCHED_MODEL, model);
        }
        if let Some(matched) = cost.matched {
            self.attributes.set(semconv::COST_MATCH, Value::fixed(matched.as_str()));
        }
        if let Some(as_of) = &cost.as_of {
            self.attributes.set(semconv::COST_AS_OF, as_of);
        }
        if cost.incomplete {
            self.attributes.set(semconv::COST_INCOMPLETE, true);
        }
    }

    /// Removes a cost that was worked out before, and all that was said of it.
    pub(crate) fn clear_cost(&mut self) {
        let is_known = |key| self.attributes.get(key).is_some();
        if !is_known(semconv::COST_SOURCE) && !is_known(semconv::COST_STATUS) {
            return;
        }
        for key in [
            semconv::USAGE_COST,
            semconv::COST_PICO_USD,
            semconv::COST_SOURCE,
            semconv::COST_STATUS,
            semconv::COST_INPUT,
            semconv::COST_OUTPUT,
            semconv::COST_MATCHED_MODEL,
            semconv::COST_MATCH,
            semconv::COST_AS_OF,
            semconv::COST_INCOMPLETE,
        ] {
            self.attributes.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> SpanRecord {
        let at = Timestamp::from_unix_nanos(1);
        SpanRecord::new(
            TraceId::sequential(1),
            SpanId::sequential(1),
            "chat",
            ObservationKind::Generation,
            at,
            at,
        )
    }

    #[test]
    fn usage_and_cost_read_back_what_was_written() {
        let mut record = record();
        let usage = Usage::new(100, 20).with_cache_read(60).with_reasoning(5);
        record.set_usage(&usage);
        assert_eq!(record.usage(), usage);
        let cost = Cost::new("0.0000123".parse().unwrap(), CostSource::Bundled);
        record.set_cost(&cost);
        assert_eq!(record.cost(), Some(cost.total));
    }

    #[test]
    fn cache_writes_are_read_under_their_older_name_too() {
        let mut record = record();
        record.attributes.set(semconv::USAGE_CACHE_CREATION_TOKENS, 7_u64);
        assert_eq!(record.usage().cache_write_tokens, Some(7));
        record.attributes.set(semconv::USAGE_CACHE_WRITE_TOKENS, 8_u64);
        assert_eq!(record.usage().cache_write_tokens, Some(8));
    }

    #[test]
    fn counts_that_nobody_stated_are_absent() {
        let mut record = record();
        record.set_usage(&Usage::default());
        assert!(record.attributes.get(semconv::USAGE_INPUT_TOKENS).is_none());
        assert_eq!(record.usage().status, UsageStatus::Missing);
        assert_eq!(record.cost(), None);
    }
}
