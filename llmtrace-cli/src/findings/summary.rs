//! What is learned of one span.

use llmtrace::{SpanId, SpanRecord, Timestamp, TraceId, Usage, UsageStatus, semconv};

use super::counted::Link;
use crate::unit::Unit;

/// What is learned of one span: its figures, and no text but names.
#[derive(Clone, Debug)]
pub(crate) struct SpanSummary {
    pub(super) trace_id: TraceId,
    pub(super) link: Link,
    pub(super) start: Timestamp,
    pub(super) key: Key,
    pub(super) service: Option<Box<str>>,
    pub(super) session: Option<Box<str>>,
    pub(super) failed: bool,
    pub(super) figures: Figures,
    /// The part of its input that was read from a cache, where that is stated.
    pub(super) cached: Option<f64>,
    /// Why it has no cost, if it should have one.
    pub(super) gap: Option<Gap>,
}

/// Spans that are alike: those of one name that called one model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) provider: Option<Box<str>>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) name: Box<str>,
}

/// Figures of a span that did not fail, in the order of [`Metric`].
pub(crate) type Figures = [Option<u64>; Metric::ALL.len()];

/// A figure that is compared with that of spans that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    /// In pico-dollars.
    Cost,
    /// From start to end, in nanoseconds.
    Latency,
    /// To the first content of a stream, in nanoseconds.
    FirstChunk,
    InputTokens,
    OutputTokens,
}

/// Why nobody knows what a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Its model has no known price.
    UnknownModel,
    /// Its tokens are not stated in full.
    Uncounted,
}

/// Bytes of a name that are kept: longer ones are told apart by their starts.
const MAX_NAME_BYTES: usize = 128;

impl Metric {
    pub(crate) const ALL: [Self; 5] =
        [Self::Cost, Self::Latency, Self::FirstChunk, Self::InputTokens, Self::OutputTokens];

    /// Its unit, and what a value is multiplied with to be in it.
    pub(crate) fn unit(self) -> (Unit, f64) {
        match self {
            Self::Cost => (Unit::Usd, 1e-12),
            Self::Latency | Self::FirstChunk => (Unit::Ms, 1e-6),
            Self::InputTokens | Self::OutputTokens => (Unit::Tokens, 1.0),
        }
    }

    /// The figure among those of a span.
    pub(crate) fn of(self, figures: &Figures) -> Option<u64> {
        figures.get(self as usize).copied().flatten()
    }
}

impl SpanSummary {
    /// What is learned of a span.
    pub(crate) fn of(span: &SpanRecord) -> Self {
        let usage = span.usage();
        let failed = span.status.is_error();
        let link = link(span, &usage);
        let share = |read: u64, input: u64| (input > 0).then(|| (read as f64 / input as f64).min(1.0));
        let cached = usage.cache_read_tokens.zip(usage.input_tokens);
        Self {
            trace_id: span.trace_id,
            link,
            start: span.start,
            key: Key::of(span),
            service: span.resource.service_name().map(kept),
            session: span.session().map(kept),
            failed,
            figures: figures(span, &usage),
            cached: cached.and_then(|(read, input)| share(read, input)).filter(|_| !failed),
            gap: gap(span, &usage),
        }
    }

    /// Whether it failed.
    pub(crate) fn is_failed(&self) -> bool {
        self.failed
    }

    /// The part of its input that was read from a cache, where that is stated.
    pub(crate) fn cached(&self) -> Option<f64> {
        self.cached
    }

    /// A figure, unless it failed.
    pub(crate) fn figure(&self, metric: Metric) -> Option<u64> {
        metric.of(&self.figures)
    }

    /// The model that it called.
    pub(crate) fn model(&self) -> Option<&str> {
        self.key.model.as_deref()
    }

    pub(super) fn span_id(&self) -> SpanId {
        self.link.id
    }
}

impl Key {
    pub(crate) fn of(span: &SpanRecord) -> Self {
        Self { provider: span.provider().map(kept), model: span.model().map(kept), name: kept(&span.name) }
    }
}

/// Where a span hangs, and whether it is a call with figures.
pub(super) fn link(span: &SpanRecord, usage: &Usage) -> Link {
    let has_figures = usage.input_tokens.is_some() || usage.output_tokens.is_some() || span.cost().is_some();
    let is_call = span.kind.is_model_call();
    Link { id: span.span_id, parent: span.parent_span_id, is_call, has_figures: is_call && has_figures }
}

/// The figures of a span; none of one that failed or was given up, as they say nothing of those that did not.
pub(super) fn figures(span: &SpanRecord, usage: &Usage) -> Figures {
    let is_whole = !span.status.is_error() && span.status.as_str() != "cancelled";
    if !is_whole {
        return Figures::default();
    }
    let of_call = |count: Option<u64>| count.filter(|_| span.kind.is_model_call());
    let cost = span.cost().and_then(|cost| u64::try_from(cost.pico()).ok());
    [
        of_call(cost),
        u64::try_from(span.duration().as_nanos()).ok(),
        span.time_to_first_chunk().and_then(nanos),
        of_call(usage.input_tokens),
        of_call(usage.output_tokens),
    ]
}

fn gap(span: &SpanRecord, usage: &Usage) -> Option<Gap> {
    let is_whole = !span.status.is_error() && span.status.as_str() != "cancelled";
    if !span.kind.is_model_call() || span.cost().is_some() || !is_whole {
        return None;
    }
    match span.attributes.get_str(semconv::COST_STATUS) {
        Some("unknown_model") => Some(Gap::UnknownModel),
        _ => (usage.status != UsageStatus::Complete).then_some(Gap::Uncounted),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn nanos(seconds: f64) -> Option<u64> {
    (0.0..1e9).contains(&seconds).then_some((seconds * 1e9).round() as u64)
}

/// The start of a name.
fn kept(name: &str) -> Box<str> {
    let end = (0..=MAX_NAME_BYTES.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name.get(..end.unwrap_or_default()).unwrap_or_default().into()
}
