//! Requests are read as Langfuse's server reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use llmtrace::{Attributes, Message, ObservationKind, Resource, Score, SpanRecord, Value, semconv};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use serde_json::{Value as Json, json};

use super::{Langfuse, score};
use crate::http::endpoint::Endpoint;
use crate::testing::{at, span, trace_id};
use crate::{Profile, Protocol, write_otlp};

const HOST: &str = "https://cloud.langfuse.com";

fn in_environment(mut span: SpanRecord, key: &str, environment: &str) -> SpanRecord {
    let mut attributes = Attributes::default();
    attributes.set(key.to_owned(), environment.to_owned());
    let mut resource = Resource::default();
    resource.attributes = attributes;
    span.resource = Arc::new(resource);
    span
}

/// The scores' requests; one that cannot be sent is why.
fn scores(spans: &[SpanRecord]) -> Vec<Json> {
    let endpoint = Arc::new(Endpoint::parse(HOST).unwrap());
    let requests = score::requests(spans, &endpoint);
    let read = |body: Result<Vec<u8>, String>| match body {
        Ok(body) => serde_json::from_slice(&body).unwrap(),
        Err(why) => Json::from(why),
    };
    requests.into_iter().map(|request| read(request.body)).collect()
}

#[test]
fn a_score_names_its_span_and_has_the_same_id_each_time() {
    let mut judged =
        in_environment(span(1, 2, "chat"), semconv::DEPLOYMENT_ENVIRONMENT_NAME, "Production EU");
    let mut score = Score::new("helpful", 0.5);
    score.comment = Some("fine".to_owned());
    judged.scores = vec![Score::new("helpful", 0.25), Score::new("rude", 0.0), score];
    let (trace, observation) = (format!("{:032x}", 1), format!("{:016x}", 2));
    let expected = [
        json!({"traceId": trace, "observationId": observation, "name": "rude", "value": 0.0, "dataType": "NUMERIC",
            "environment": "production-eu"}),
        // The id is the start of Python's sha256(trace + span + b"helpful").
        json!({"id": "5dc29121f828b5cbf9789169cba88545", "traceId": trace, "observationId": observation,
            "name": "helpful", "value": 0.5, "dataType": "NUMERIC", "comment": "fine", "environment": "production-eu"}),
    ];
    let mut found = scores(&[span(1, 1, "root"), judged]);
    let id = found[0].as_object_mut().unwrap().remove("id").unwrap();
    assert_eq!(found, expected);
    assert_eq!(id.as_str().map(str::len), Some(32));
}

#[test]
fn scores_of_other_spans_have_other_ids() {
    let judged = |trace, id, name: &str| {
        let mut span = span(trace, id, "chat");
        span.scores.push(Score::new(name, 1.0));
        span
    };
    let all = scores(&[judged(1, 1, "a"), judged(1, 2, "a"), judged(2, 1, "a"), judged(1, 1, "b")]);
    let ids: std::collections::BTreeSet<_> = all.iter().map(|score| score["id"].to_string()).collect();
    assert_eq!(ids.len(), 4, "{all:?}");
    assert_eq!(all[0].get("environment"), None);
}

#[test]
fn what_json_cannot_say_is_told_instead_of_sent() {
    let mut judged = span(1, 2, "chat");
    judged.scores = vec![Score::new("odd", f64::NAN), Score::new("far", f64::INFINITY)];
    let found = scores(&[judged]);
    assert!(found[0].as_str().is_some_and(|why| why.contains("\"odd\" is NaN")), "{found:?}");
    assert!(found[1].as_str().is_some_and(|why| why.contains("\"far\" is inf")), "{found:?}");
}

#[test]
fn environments_are_brought_into_the_form_that_langfuse_takes() {
    let check = |stated: &str, expected: Option<&str>| {
        let record = in_environment(span(1, 2, "chat"), semconv::DEPLOYMENT_ENVIRONMENT_NAME, stated);
        let request = encoded(&record);
        let found = attributes(&request.resource_spans[0].resource.as_ref().unwrap().attributes);
        assert_eq!(found[semconv::DEPLOYMENT_ENVIRONMENT_NAME], json!({"stringValue": stated}), "it is kept");
        let sent = found.get("langfuse.environment").map(|value| value["stringValue"].clone());
        assert_eq!(sent, expected.map(Json::from), "{stated}");
    };
    check("production", None);
    check("eu-west_1", None);
    check("Production EU", Some("production-eu"));
    check("langfuse", Some("env-langfuse"));
    check("Langfuse-test", Some("env-langfuse-test"));
    check("", None);
    check("münchen", Some("m-nchen"));
    check(&"x".repeat(40), None);
    check(&"x".repeat(41), Some(&"x".repeat(40)));
    let older = in_environment(span(1, 2, "chat"), "deployment.environment", "QA 2");
    let request = encoded(&older);
    let found = attributes(&request.resource_spans[0].resource.as_ref().unwrap().attributes);
    assert_eq!(found["langfuse.environment"], json!({"stringValue": "qa-2"}));
}

#[test]
fn long_sessions_and_users_are_cut_and_stay_apart() {
    let sent = |key: &str, id: &str| {
        let mut record = span(1, 2, "chat");
        record.attributes.set(key.to_owned(), id.to_owned());
        let found = attributes(&encoded(&record).resource_spans[0].scope_spans[0].spans[0].attributes);
        assert_eq!(found[key]["stringValue"], id, "it is kept whole");
        let name = if key == semconv::USER_ID { "langfuse.user.id" } else { "langfuse.session.id" };
        found.get(name).map(|value| value["stringValue"].as_str().unwrap().to_owned())
    };
    for key in [semconv::CONVERSATION_ID, semconv::USER_ID] {
        assert_eq!(sent(key, "s-1"), None);
        assert_eq!(sent(key, &"é".repeat(199)), None);
        let (one, other) = (sent(key, &"é".repeat(200)).unwrap(), sent(key, &"é".repeat(201)).unwrap());
        assert_eq!((one.chars().count(), one == other), (199, false), "{one}");
        assert!(one.starts_with(&"é".repeat(190)));
    }
}

#[test]
fn keys_are_never_shown_and_the_host_may_be_what_people_copy() {
    for host in [
        HOST,
        "https://cloud.langfuse.com/",
        "https://cloud.langfuse.com/api/public/otel",
        "https://cloud.langfuse.com/api/public/otel/v1/traces",
        "https://cloud.langfuse.com/api/public",
    ] {
        let langfuse = Langfuse::new(host, " pk-lf-12345678 ", "sk-lf-12345678\n").unwrap();
        let settings = langfuse.settings();
        assert_eq!(settings.endpoint.to_string(), format!("{HOST}/api/public/otel/v1/traces"), "{host}");
        assert_eq!(settings.headers["authorization"], "Basic cGstbGYtMTIzNDU2Nzg6c2stbGYtMTIzNDU2Nzg=");
        let said = settings.without_secrets("llmtrace: no project for pk-lf-12345678 and sk-lf-12345678");
        assert_eq!(said, "llmtrace: no project for *** and ***");
        let debug = format!("{langfuse:?}");
        assert!(!debug.contains("12345678") && !debug.contains("cGstbGY"), "{debug}");
    }
    let below = Langfuse::new("https://example.com/tools/langfuse", "pk", "sk").unwrap();
    let expected = "https://example.com/tools/langfuse/api/public/otel/v1/traces";
    assert_eq!(below.settings().endpoint.to_string(), expected);
}

fn encoded(record: &SpanRecord) -> ExportTraceServiceRequest {
    let mut body = Vec::new();
    write_otlp(std::slice::from_ref(record), Protocol::Json, Profile::Standard, &mut body);
    serde_json::from_slice(&body).unwrap()
}

/// Attributes by key, each as the JSON encoding of OTLP has it.
fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, Json> {
    let value = |pair: &KeyValue| serde_json::to_value(pair.value.as_ref().unwrap()).unwrap();
    attributes.iter().map(|pair| (pair.key.clone(), value(pair))).collect()
}

/// Rows of `otelMapping.servertest.ts` of Langfuse: an attribute, and the field that the server makes of it.
fn mapping() -> Option<Vec<Json>> {
    let named = std::env::var_os("LLMTRACE_FIXTURES").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    let file = named.unwrap_or_else(beside).join("langfuse/otel-property-mapping.json");
    let file: Json = serde_json::from_slice(&std::fs::read(file).ok()?).unwrap();
    Some(file["rows"].as_array().unwrap().clone())
}

/// Each fact of a span reaches Langfuse under a key, and with a kind of value, that its own tests read.
#[test]
fn langfuses_own_tests_read_what_is_sent() {
    let Some(rows) = mapping() else {
        println!("skipped: there is no fixture langfuse/otel-property-mapping.json");
        return;
    };
    let request = encoded(&call());
    let of_resource = attributes(&request.resource_spans[0].resource.as_ref().unwrap().attributes);
    let of_span = attributes(&request.resource_spans[0].scope_spans[0].spans[0].attributes);
    let kind = |value: &Json| value.as_object().and_then(|value| value.keys().next().cloned());
    let check = |field: &str, expected: Json| {
        let read = rows.iter().filter(|row| row["entityAttributeKey"] == field).find_map(|row| {
            let sources = [
                ("otelAttributeKey", "otelAttributeValue", &of_span),
                ("otelResourceAttributeKey", "otelResourceAttributeValue", &of_resource),
            ];
            sources.into_iter().find_map(|(key, value, sent)| {
                let sent = sent.get(row.get(key)?.as_str()?)?;
                (kind(sent) == kind(&row[value]) && *sent == expected).then_some(())
            })
        });
        assert_eq!(read, Some(()), "{field}: {expected} of {of_span:#?}");
    };
    check("environment", json!({"stringValue": "test"}));
    check("sessionId", json!({"stringValue": "s-1"}));
    check("userId", json!({"stringValue": "u-1"}));
    check("completionStartTime", json!({"stringValue": "2023-11-14T22:13:20.250000Z"}));
    check("modelParameters.temperature", json!({"doubleValue": 0.5}));
    check("modelParameters.max_tokens", json!({"intValue": "100"}));
    check("usageDetails.input", json!({"intValue": "12"}));
    check("costDetails.total", json!({"doubleValue": 0.25}));
    check("model", json!({"stringValue": "gpt-4"}));
    let said = |role: &str, text: &str, more: &str| {
        let text = format!(r#"[{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]{more}}}]"#);
        json!({"stringValue": text})
    };
    check("input", said("user", "hi", ""));
    check("output", said("assistant", "hello", r#","finish_reason":"stop""#));
    check("version", json!({"stringValue": "1.0.5"}));
}

fn call() -> SpanRecord {
    let (start, end) = (at(1_700_000_000_000_000_000), at(1_700_000_001_000_000_000));
    let id = crate::testing::span_id(2);
    let mut call = SpanRecord::new(trace_id(1), id, "chat", ObservationKind::Generation, start, end);
    for (key, value) in [
        (semconv::CONVERSATION_ID, Value::from("s-1")),
        (semconv::USER_ID, Value::from("u-1")),
        (semconv::REQUEST_MODEL, Value::from("gpt-4")),
        (semconv::REQUEST_TEMPERATURE, Value::from(0.5)),
        (semconv::REQUEST_MAX_TOKENS, Value::from(100)),
        (semconv::RESPONSE_TIME_TO_FIRST_CHUNK, Value::from(0.25)),
        (semconv::USAGE_INPUT_TOKENS, Value::from(12)),
        (semconv::USAGE_OUTPUT_TOKENS, Value::from(7)),
        (semconv::USAGE_COST, Value::from(0.25)),
    ] {
        call.attributes.set(key, value);
    }
    call.input = vec![Message::user("hi")];
    call.output = vec![Message::assistant("hello").with_finish_reason("stop")];
    let mut call = in_environment(call, semconv::DEPLOYMENT_ENVIRONMENT_NAME, "test");
    let mut resource = Resource::clone(&call.resource);
    resource.attributes.set("service.version", "1.0.5");
    call.resource = Arc::new(resource);
    call
}
