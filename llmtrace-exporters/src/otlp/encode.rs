//! A batch of spans as one request.

use std::sync::Arc;

use llmtrace::{Resource, SpanRecord, semconv};

use super::profile::{self, Profile};
use super::protocol::Protocol;
use super::span;
use super::wire::json::Json;
use super::wire::protobuf::Protobuf;
use super::wire::{Wire, fields};

fields! {
    RESOURCE_SPANS = 1 "resourceSpans";
    RESOURCE = 1 "resource";
    RESOURCE_ATTRIBUTES = 1 "attributes";
    RESOURCE_REFUSED = 2 "droppedAttributesCount";
    SCOPE_SPANS = 2 "scopeSpans";
    SCOPE = 1 "scope";
    SCOPE_NAME = 1 "name";
    SPANS = 2 "spans";
}

/// Lengths of the outermost messages get four bytes, so that a batch is not moved when they are known.
const OUTERMOST: usize = 1 << 27;

/// Service names are required; this is the specification's for programs that state none.
pub(super) const UNKNOWN_SERVICE: &str = "unknown_service";

/// The SDK that says so of itself in the resource.
pub(super) const SDK_NAME: &str = "llmtrace";

/// Writes spans as one OTLP `ExportTraceServiceRequest` to the end of `out`, without compression.
///
/// Spans are grouped by resource and scope and otherwise stay in order. Names and values follow the `OpenTelemetry` GenAI
/// conventions; `profile` says which other names are added. To be known:
///
/// - Messages, tools and whatever else has structure are JSON in a string, which is what backends read.
/// - A span's name is the record's; one that is only the operation's name is completed, as in `chat gpt-4o-mini`.
/// - Token counts and costs of agents and workflows are left out, because they repeat those of the calls inside.
/// - A cancelled span has no status, and `llmtrace.status` says `cancelled`.
/// - Scores are events `gen_ai.evaluation.result`.
/// - Integers beyond 64 bits and floats that are not finite are strings.
/// - Attributes whose key is not 1 to 128 of `A-Z a-z 0-9 _ . -`, or has the part `__proto__`, `constructor` or
///   `prototype`, are left out and counted in `dropped_attributes_count`.
///
/// Formats: `opentelemetry-proto` v1 and the OTLP specification (<https://opentelemetry.io/docs/specs/otlp/>), section "JSON
/// Protobuf Encoding".
///
/// ```
/// use llmtrace::{ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};
/// use llmtrace_exporters::{Profile, Protocol, write_otlp};
///
/// let (Some(trace), Some(span)) = (TraceId::from_bytes([1; 16]), SpanId::from_bytes([2; 8])) else { return };
/// let at = Timestamp::from_unix_nanos(7);
/// let record = SpanRecord::new(trace, span, "chat", ObservationKind::Generation, at, at);
/// let mut body = Vec::new();
/// write_otlp(&[record], Protocol::Json, Profile::Standard, &mut body);
/// assert!(String::from_utf8_lossy(&body).contains(r#""startTimeUnixNano":"7""#));
/// ```
pub fn write_otlp(spans: &[SpanRecord], protocol: Protocol, profile: Profile, out: &mut Vec<u8>) {
    match protocol {
        Protocol::Protobuf => request(spans, profile, &mut Protobuf(out)),
        Protocol::Json => {
            let mut wire = Json::begin(out);
            request(spans, profile, &mut wire);
            wire.end();
        }
    }
}

fn request<W: Wire>(spans: &[SpanRecord], profile: Profile, wire: &mut W) {
    let mut key = String::new();
    wire.open_list(RESOURCE_SPANS);
    let by_resource =
        Groups::of(spans, |a, b| Arc::ptr_eq(&a.resource, &b.resource) || a.resource == b.resource);
    for (first, of_resource) in by_resource.iter(spans) {
        let message = wire.open_item(RESOURCE_SPANS, OUTERMOST);
        resource(&first.resource, profile, &mut key, wire);
        wire.open_list(SCOPE_SPANS);
        let mut members = Vec::with_capacity(spans.len());
        members.extend(of_resource);
        let by_scope = Groups::of(&members, |a: &&SpanRecord, b| a.scope == b.scope);
        for (first, of_scope) in by_scope.iter(&members) {
            let message = wire.open_item(SCOPE_SPANS, OUTERMOST);
            let scope = wire.open(SCOPE, first.scope.len() + 2);
            wire.text(SCOPE_NAME, &first.scope);
            wire.close(scope);
            wire.open_list(SPANS);
            for span in of_scope {
                span::write(span, profile, &mut key, wire);
            }
            wire.close_list();
            wire.close(message);
        }
        wire.close_list();
        wire.close(message);
    }
    wire.close_list();
}

/// Which group each of some items is in.
struct Groups {
    /// The group of each item; empty where there is but one.
    of_item: Vec<u32>,
    /// The first item of each group.
    firsts: Vec<usize>,
}

impl Groups {
    fn of<T>(items: &[T], is_same: impl Fn(&T, &T) -> bool) -> Self {
        let mut groups = Self { of_item: Vec::new(), firsts: Vec::new() };
        if let [first, rest @ ..] = items
            && rest.iter().all(|item| is_same(first, item))
        {
            groups.firsts.push(0);
            return groups;
        }
        groups.of_item.reserve(items.len());
        for (index, item) in items.iter().enumerate() {
            let is_group = |first: &usize| items.get(*first).is_some_and(|first| is_same(first, item));
            let found = groups.firsts.iter().position(is_group);
            let group = found.unwrap_or(groups.firsts.len());
            if found.is_none() {
                groups.firsts.push(index);
            }
            groups.of_item.push(u32::try_from(group).unwrap_or(u32::MAX));
        }
        groups
    }

    /// The groups in the order of their first items, each with that item and all its items in order.
    fn iter<'a, T>(&'a self, items: &'a [T]) -> impl Iterator<Item = (&'a T, impl Iterator<Item = &'a T>)> {
        self.firsts.iter().enumerate().filter_map(move |(group, first)| {
            let group = u32::try_from(group).unwrap_or(u32::MAX);
            let members = items
                .iter()
                .enumerate()
                .filter(move |(index, _)| self.of_item.get(*index).is_none_or(|of_item| *of_item == group));
            let members = members.map(|(_, item)| item);
            Some((items.get(*first)?, members))
        })
    }
}

fn resource<W: Wire>(resource: &Resource, profile: Profile, key: &mut String, wire: &mut W) {
    let message = wire.open(RESOURCE, 256);
    span::attributes(wire, RESOURCE_ATTRIBUTES, RESOURCE_REFUSED, key, |pairs| {
        let states = |key| resource.attributes.get(key).is_some();
        if !states(semconv::SERVICE_NAME) {
            pairs.text(semconv::SERVICE_NAME, UNKNOWN_SERVICE);
        }
        pairs.all(&resource.attributes);
        for (key, value) in [
            (semconv::TELEMETRY_SDK_NAME, SDK_NAME),
            (semconv::TELEMETRY_SDK_LANGUAGE, "rust"),
            (semconv::TELEMETRY_SDK_VERSION, env!("CARGO_PKG_VERSION")),
        ] {
            if !states(key) {
                pairs.text(key, value);
            }
        }
        profile::write_resource(profile, resource, pairs);
    });
    wire.close(message);
}
