//! Spans as instrumentations emit them, in `tests/conventions`: attributes and events beside the JSON line that they are.

use serde_json::{Map, Value as Json, json};

use crate::{Protocol, read_otlp, write_line};

/// When every span begins, and its events are.
const START: &str = "1700000000000000000";

/// The request of one case.
pub(super) fn request(case: &Json) -> Json {
    let of_span = |attributes: &Json| pairs(attributes.as_object().unwrap());
    let events = case["events"].as_array().into_iter().flatten().map(|event| {
        json!({"name": event["name"], "timeUnixNano": START, "attributes": of_span(&event["attributes"])})
    });
    let span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": case["name"], "kind": 1,
        "startTimeUnixNano": START, "attributes": of_span(&case["attributes"]), "events": events.collect::<Vec<_>>(),
    });
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

/// All cases, with the names of their files.
pub(super) fn cases() -> Vec<(String, Json)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conventions");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: Vec<Json> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().display().to_string();
        cases.extend(file.into_iter().map(|case| (name.clone(), case)));
    }
    cases
}

/// What a line says of a span, without ids, times, names and where it comes from.
fn read(case: &Json) -> Json {
    let read = read_otlp(request(case).to_string().as_bytes(), Protocol::Json).unwrap();
    let [record] = read.spans.as_slice() else { panic!("{read:?}") };
    let mut line = Vec::new();
    write_line(record, &mut line);
    let mut line: Json = serde_json::from_slice(&line).unwrap();
    let members = line.as_object_mut().unwrap();
    for key in ["v", "trace_id", "span_id", "name", "start", "end"] {
        members.remove(key);
    }
    for event in members.get_mut("events").and_then(Json::as_array_mut).into_iter().flatten() {
        event.as_object_mut().unwrap().remove("time");
    }
    if members["status"] == "unset" {
        members.remove("status");
    }
    line
}

fn pairs(attributes: &Map<String, Json>) -> Json {
    attributes.iter().map(|(key, value)| json!({"key": key, "value": any(value)})).collect()
}

fn any(value: &Json) -> Json {
    match value {
        Json::String(text) => json!({"stringValue": text}),
        Json::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Json::Number(number) => json!({"intValue": number.to_string()}),
        Json::Bool(bool) => json!({"boolValue": bool}),
        Json::Array(items) => json!({"arrayValue": {"values": items.iter().map(any).collect::<Vec<_>>()}}),
        Json::Object(members) => json!({"kvlistValue": {"values": pairs(members)}}),
        Json::Null => json!({}),
    }
}

#[test]
fn spans_of_every_convention_become_the_one_record() {
    let cases = cases();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    for (file, case) in cases {
        let found = read(&case);
        let differ = found != case["expected"];
        assert!(!differ, "{file}: {}\nfound {found:#}\nexpected {:#}", case["what"], case["expected"]);
    }
}
