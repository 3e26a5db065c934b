//! One span of a request as a record.

use std::borrow::Cow;
use std::sync::Arc;

use llmtrace::{
    Attributes, Event, Link, ObservationKind, Resource, SpanId, SpanRecord, Status, Timestamp, TraceId,
    Value, semconv,
};

use super::MAX_KEPT_ATTRIBUTES;
use super::conventions::{self, Draft};
use super::raw::{Pair, RawEvent, RawLink, RawSpan, SpanKind, StatusCode, attributes};
use super::received::Received;
use super::room::Room;
use crate::otlp::encode::{SDK_NAME, UNKNOWN_SERVICE};
use crate::otlp::span::{HAS_IS_REMOTE, IS_REMOTE};

/// Names under which the specification keeps what has no other place
/// (<https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/>), and the trace state as Jaeger has it.
const SCOPE_VERSION: &str = "otel.scope.version";
const DROPPED_ATTRIBUTES: &str = "otel.dropped_attributes_count";
const DROPPED_EVENTS: &str = "otel.dropped_events_count";
const DROPPED_LINKS: &str = "otel.dropped_links_count";
const TRACE_STATE: &str = "w3c.tracestate";

/// Where spans come from.
pub(super) struct Origin {
    resource: Arc<Resource>,
    /// `llmtrace` sent them.
    is_ours: bool,
    /// The same resource with the environment that the last span of several said.
    of_span: Option<(String, Arc<Resource>)>,
}

/// Where Langfuse's SDKs say the environment.
const SPAN_ENVIRONMENT: &str = "langfuse.environment";

impl Origin {
    /// The resource in the environment that a span says; where the resource says another, the span keeps its word.
    fn within(&mut self, environment: &str, pairs: &mut Vec<(Cow<'static, str>, Value)>) -> Arc<Resource> {
        match self.resource.attributes.get_str(semconv::DEPLOYMENT_ENVIRONMENT_NAME) {
            Some(stated) if stated != environment => return Arc::clone(&self.resource),
            _ => pairs.retain(|(key, _)| key != SPAN_ENVIRONMENT),
        }
        if self.of_span.as_ref().is_none_or(|(known, _)| known != environment) {
            let mut resource = Resource::clone(&self.resource);
            resource.attributes.set(semconv::DEPLOYMENT_ENVIRONMENT_NAME, environment);
            self.of_span = Some((environment.to_owned(), Arc::new(resource)));
        }
        self.of_span.as_ref().map_or_else(|| Arc::clone(&self.resource), |(_, known)| Arc::clone(known))
    }
}

/// Reads a resource. A service that the sender does not know has no name.
pub(super) fn resource(mut pairs: Vec<Pair>) -> Origin {
    pairs.retain(|(key, value)| key != semconv::SERVICE_NAME || value.as_str() != Some(UNKNOWN_SERVICE));
    let (mut attributes, cut) = attributes(pairs);
    conventions::read_resource(&mut attributes);
    count(&mut attributes, DROPPED_ATTRIBUTES, cut);
    let is_ours = attributes.get_str(semconv::TELEMETRY_SDK_NAME) == Some(SDK_NAME);
    let mut resource = Resource::default();
    resource.attributes = attributes;
    Origin { resource: Arc::new(resource), is_ours, of_span: None }
}

/// Reads a span, or says why it cannot be kept.
pub(super) fn record(
    raw: RawSpan,
    scope: &str,
    version: &str,
    origin: &mut Origin,
    room: &mut Room,
) -> Result<SpanRecord, String> {
    if let Some(reason) = raw.refused {
        return Err(reason.to_owned());
    }
    let mut record = bare(&raw)?;
    record.resource = Arc::clone(&origin.resource);
    record.scope = Cow::Owned(scope.to_owned());
    let mut dropped = raw.dropped_attributes;
    record.events = raw.events.into_iter().map(|raw| event(raw, &mut dropped)).collect();
    record.links = raw.links.into_iter().filter_map(|raw| link(raw, &mut dropped)).collect();
    let mut draft = Draft::new(record, Received::new(raw.attributes), room);
    conventions::read(&mut draft, origin.is_ours);
    let environment = draft.environment.take();
    let (mut record, mut pairs) = draft.finish();
    if let Some(environment) = environment {
        record.resource = origin.within(&environment, &mut pairs);
    }
    let usual = usual_kind(record.kind);
    // Others say it of every span of which they say nothing.
    let is_said = origin.is_ours || raw.kind != SpanKind::Internal;
    if is_said && raw.kind != SpanKind::Unspecified && raw.kind != usual {
        pairs.push((Cow::Borrowed(semconv::OTEL_KIND), Value::fixed(raw.kind.as_str())));
    }
    if raw.code != StatusCode::Error && !raw.message.is_empty() {
        pairs.push((Cow::Borrowed(semconv::OTEL_STATUS_DESCRIPTION), raw.message.into()));
    }
    for (key, text) in [(TRACE_STATE, raw.trace_state), (SCOPE_VERSION, version.to_owned())] {
        if !text.is_empty() {
            pairs.push((Cow::Borrowed(key), text.into()));
        }
    }
    dropped = dropped.saturating_add(pairs.len().saturating_sub(MAX_KEPT_ATTRIBUTES) as u64);
    record.attributes = pairs.into_iter().take(MAX_KEPT_ATTRIBUTES).collect();
    count(&mut record.attributes, DROPPED_ATTRIBUTES, dropped);
    count(&mut record.attributes, DROPPED_EVENTS, raw.dropped_events);
    count(&mut record.attributes, DROPPED_LINKS, raw.dropped_links);
    Ok(record)
}

/// The span without its attributes.
fn bare(raw: &RawSpan) -> Result<SpanRecord, String> {
    let zero = |what: &str| format!("its {what} is all zeros");
    let trace_id = TraceId::from_bytes(raw.trace_id.demand("trace id")?).ok_or_else(|| zero("trace id"))?;
    let span_id = SpanId::from_bytes(raw.span_id.demand("span id")?).ok_or_else(|| zero("span id"))?;
    // Some senders write a root's parent as zeros.
    let parent = raw.parent.read::<8>("parent span id")?.and_then(SpanId::from_bytes);
    let end = if raw.end == 0 { raw.start } else { raw.end };
    let [start, end] = [raw.start, end].map(Timestamp::from_unix_nanos);
    let mut record = SpanRecord::new(trace_id, span_id, raw.name.clone(), ObservationKind::Span, start, end);
    record.parent_span_id = parent;
    record.parent_is_remote =
        parent.is_some() && raw.flags & (HAS_IS_REMOTE | IS_REMOTE) == HAS_IS_REMOTE | IS_REMOTE;
    record.status = match raw.code {
        StatusCode::Unset => Status::Unset,
        StatusCode::Ok => Status::Ok,
        StatusCode::Error => Status::error(raw.message.clone()),
    };
    Ok(record)
}

fn event(raw: RawEvent, dropped: &mut u64) -> Event {
    let (attributes, cut) = attributes(raw.attributes);
    *dropped = dropped.saturating_add(cut);
    Event::new(raw.name, Timestamp::from_unix_nanos(raw.time), attributes)
}

/// A link to a span that has no valid id leads nowhere.
fn link(raw: RawLink, dropped: &mut u64) -> Option<Link> {
    let trace_id = TraceId::from_bytes(raw.trace_id.read("").ok()??)?;
    let span_id = SpanId::from_bytes(raw.span_id.read("").ok()??)?;
    let (attributes, cut) = attributes(raw.attributes);
    *dropped = dropped.saturating_add(cut);
    let mut link = Link::new(trace_id, span_id);
    link.attributes = attributes;
    Some(link)
}

/// The kind that OTLP has for a span where the program says none.
fn usual_kind(kind: ObservationKind) -> SpanKind {
    if crate::otlp::span::calls_a_service(kind) { SpanKind::Client } else { SpanKind::Internal }
}

fn count(attributes: &mut Attributes, key: &'static str, count: u64) {
    if count > 0 {
        attributes.set(key, count);
    }
}
