//! Requests are decoded by `opentelemetry-proto` and compared with the records.

pub(super) mod golden;
mod messages;
mod phoenix;
pub(super) mod random;
mod request;

use std::collections::BTreeMap;

use llmtrace::{Attributes, ObservationKind, SpanRecord};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value as Json, json};

use super::encode::write_otlp;
use super::profile::Profile;
use super::protocol::Protocol;
use crate::testing::{at, span, span_id};

/// The request in both encodings, which must mean the same.
fn decoded(spans: &[SpanRecord], profile: Profile) -> ExportTraceServiceRequest {
    let (mut protobuf, mut json) = (Vec::new(), Vec::new());
    write_otlp(spans, Protocol::Protobuf, profile, &mut protobuf);
    write_otlp(spans, Protocol::Json, profile, &mut json);
    let protobuf = ExportTraceServiceRequest::decode(protobuf.as_slice()).unwrap();
    let text = String::from_utf8(json).unwrap();
    let json: ExportTraceServiceRequest =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(json, protobuf, "{profile}");
    protobuf
}

/// The only span of a request.
fn decoded_span(record: &SpanRecord, profile: Profile) -> Span {
    let mut request = decoded(std::slice::from_ref(record), profile);
    request.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

/// Attributes by key; none may stand twice.
fn by_key(attributes: &[KeyValue]) -> BTreeMap<String, Json> {
    let mut found = BTreeMap::new();
    for KeyValue { key, value, .. } in attributes {
        let before = found.insert(key.clone(), plain(value.as_ref()));
        assert_eq!(before, None, "{key} stands twice");
    }
    found
}

fn plain(value: Option<&AnyValue>) -> Json {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::IntValue(int)) => json!(int),
        Some(Any::DoubleValue(float)) => json!(float),
        Some(Any::BoolValue(bool)) => json!(bool),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|value| plain(Some(value))).collect(),
        other => panic!("no value is {other:?}"),
    }
}

fn attributes_of(record: &SpanRecord, profile: Profile) -> BTreeMap<String, Json> {
    by_key(&decoded_span(record, profile).attributes)
}

/// What a span of `kind` with these attributes has under `keys` must be what `expected` says; a `null` there means that
/// the key must not stand.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "the cases read better with their JSON in place")]
fn check(profile: Profile, record: &SpanRecord, expected: Json) {
    let found = attributes_of(record, profile);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(found.get(key).unwrap_or(&Json::Null), value, "{key} in {profile}: {found:#?}");
    }
}

fn record(kind: ObservationKind, attributes: Json) -> SpanRecord {
    let mut record = span(1, 2, "work");
    record.kind = kind;
    record.parent_span_id = Some(span_id(1));
    (record.start, record.end) = (at(1_700_000_000_000_000_000), at(1_700_000_001_000_000_000));
    let Json::Object(members) = attributes else { panic!("no object") };
    record.attributes = members.into_iter().map(|(key, value)| (key, llmtrace::Value::from(value))).collect();
    record
}

fn attributes(members: Json) -> Attributes {
    record(ObservationKind::Span, members).attributes
}
