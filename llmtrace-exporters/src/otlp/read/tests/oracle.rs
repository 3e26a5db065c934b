//! Random requests, encoded by `opentelemetry-proto`, are read as that crate would read them.

use llmtrace::{Status, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status as WireStatus, span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value as Json, json};

use crate::{Protocol, read_otlp};

fn any_value() -> impl Strategy<Value = AnyValue> {
    let some = |value| AnyValue { value: Some(value) };
    let leaf = prop_oneof![
        ".{0,9}".prop_map(Any::StringValue),
        any::<bool>().prop_map(Any::BoolValue),
        any::<i64>().prop_map(Any::IntValue),
        any::<f64>()
            .prop_filter("JSON of the crate has no word for others", |float| float.is_finite())
            .prop_map(Any::DoubleValue),
    ];
    leaf.prop_map(some).prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(move |values| some(Any::ArrayValue(ArrayValue { values }))),
            vec(("[a-z]{1,3}", inner), 0..3).prop_map(move |pairs| {
                let values = pairs.into_iter().map(|(key, value)| pair(key, value)).collect();
                some(Any::KvlistValue(KeyValueList { values }))
            }),
        ]
    })
}

fn pair(key: String, value: AnyValue) -> KeyValue {
    KeyValue { key, value: Some(value), ..KeyValue::default() }
}

fn pairs() -> impl Strategy<Value = Vec<KeyValue>> {
    // Names that no convention has.
    vec(("app\\.[a-z]{1,4}", any_value()), 0..5)
        .prop_map(|pairs| pairs.into_iter().map(|(key, value)| pair(key, value)).collect())
}

fn span() -> impl Strategy<Value = Span> {
    let id = |length| vec(1..=u8::MAX, length);
    let head = (id(16_usize), id(8_usize), prop_oneof![Just(Vec::new()), id(8_usize)], ".{0,9}", 0..6_i32);
    let body = (
        any::<u64>(),
        1..u64::MAX,
        pairs(),
        vec((any::<u64>(), ".{0,5}", pairs()), 0..3),
        0..3_i32,
        ".{0,9}",
    );
    (head, body).prop_map(|((trace_id, span_id, parent_span_id, name, kind), body)| {
        let (start_time_unix_nano, end_time_unix_nano, attributes, events, code, message) = body;
        let events = events.into_iter().map(|(time_unix_nano, name, attributes)| span::Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count: 0,
        });
        Span {
            trace_id,
            span_id,
            parent_span_id,
            name,
            kind,
            start_time_unix_nano,
            end_time_unix_nano,
            attributes,
            events: events.collect(),
            status: Some(WireStatus { message, code }),
            ..Span::default()
        }
    })
}

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = ("[a-z]{1,4}", vec(span(), 0..4)).prop_map(|(name, spans)| ScopeSpans {
        scope: Some(InstrumentationScope { name, ..InstrumentationScope::default() }),
        spans,
        ..ScopeSpans::default()
    });
    let resource = (pairs(), vec(scope, 0..3)).prop_map(|(attributes, scope_spans)| ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans,
        ..ResourceSpans::default()
    });
    vec(resource, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// A value as JSON, with integers exact.
fn plain(value: Option<&AnyValue>) -> Json {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::IntValue(int)) => json!(int),
        Some(Any::DoubleValue(float)) => json!(float),
        Some(Any::BoolValue(bool)) => json!(bool),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|value| plain(Some(value))).collect(),
        Some(Any::KvlistValue(map)) => members(&map.values),
        _ => Json::Null,
    }
}

fn members(pairs: &[KeyValue]) -> Json {
    Json::Object(pairs.iter().map(|pair| (pair.key.clone(), plain(pair.value.as_ref()))).collect())
}

fn read_members(attributes: &llmtrace::Attributes) -> Json {
    let ours = |key: &str| key.starts_with("app.");
    let pairs = attributes.iter().filter(|(key, _)| ours(key));
    Json::Object(pairs.map(|(key, value): (&str, &Value)| (key.to_owned(), json!(value))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_of_another_encoder_are_read(request in request()) {
        let protobuf = read_otlp(&request.encode_to_vec(), Protocol::Protobuf).unwrap();
        let text = serde_json::to_string(&request).unwrap();
        prop_assert_eq!(&read_otlp(text.as_bytes(), Protocol::Json).unwrap(), &protobuf);
        let mut read = protobuf.spans.iter();
        for of_resource in &request.resource_spans {
            let resource = members(&of_resource.resource.as_ref().unwrap().attributes);
            for of_scope in &of_resource.scope_spans {
                for span in &of_scope.spans {
                    let record = read.next().unwrap();
                    prop_assert_eq!(&record.trace_id.to_bytes()[..], &span.trace_id[..]);
                    prop_assert_eq!(&record.span_id.to_bytes()[..], &span.span_id[..]);
                    let parent = record.parent_span_id.map_or(Vec::new(), |id| id.to_bytes().to_vec());
                    prop_assert_eq!(&parent, &span.parent_span_id);
                    prop_assert_eq!(&*record.name, &span.name);
                    prop_assert_eq!(&*record.scope, &of_scope.scope.as_ref().unwrap().name);
                    prop_assert_eq!(record.start.unix_nanos(), span.start_time_unix_nano);
                    prop_assert_eq!(record.end.unix_nanos(), span.end_time_unix_nano);
                    prop_assert_eq!(read_members(&record.resource.attributes), resource.clone());
                    prop_assert_eq!(read_members(&record.attributes), members(&span.attributes));
                    prop_assert_eq!(record.events.len(), span.events.len());
                    for (event, wire) in record.events.iter().zip(&span.events) {
                        prop_assert_eq!((&*event.name, event.time.unix_nanos()), (&*wire.name, wire.time_unix_nano));
                        prop_assert_eq!(read_members(&event.attributes), members(&wire.attributes));
                    }
                    let status = span.status.as_ref().unwrap();
                    let expected = match status.code {
                        1 => Status::Ok,
                        2 => Status::error(status.message.clone()),
                        _ => Status::Unset,
                    };
                    prop_assert_eq!(&record.status, &expected);
                }
            }
        }
        prop_assert!(read.next().is_none() && protobuf.rejected.is_empty());
    }
}
