//! Records that were written are read back, as far as OTLP and the profile carry them.

use std::sync::Arc;

use llmtrace::{
    Attributes, Event, Link, ObservationKind, Resource, Score, SpanRecord, Status, Value, semconv,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::sent;
use crate::otlp::profile::Profile;
use crate::otlp::tests::{golden, random};
use crate::testing::{at, span, span_id, trace_id};
use crate::{read_line, write_line};

/// What OTLP in `profile` carries of a record, and all that it does not:
///
/// - the resource says which SDK sent it;
/// - a name that is only the operation's gets the model, the tool or the agent added;
/// - the operation of the kind is stated;
/// - tokens and costs of agents and workflows are left out;
/// - a total of tokens is only sent where it is not the sum, and not at all by `opentelemetry`;
/// - a choice count of 1 and a `stream` of `false` are left out where the parameters are not sent as a whole;
/// - every message of the output has a reason to stop;
/// - attributes that a dialect has no name for are counted in `otel.dropped_attributes_count`;
/// - structured values under names that are not the conventions' are JSON as text, save where `metadata` is sent.
fn carried(record: &SpanRecord, profile: Profile) -> SpanRecord {
    let mut carried = record.clone();
    let mut resource = Resource::clone(&record.resource);
    for (key, value) in [
        (semconv::TELEMETRY_SDK_NAME, "llmtrace"),
        (semconv::TELEMETRY_SDK_LANGUAGE, "rust"),
        (semconv::TELEMETRY_SDK_VERSION, env!("CARGO_PKG_VERSION")),
    ] {
        resource.attributes.set_default(key, value);
    }
    carried.resource = Arc::new(resource);
    let text = |key| record.attributes.get_str(key).map(str::to_owned);
    let operation = text(semconv::OPERATION_NAME).or_else(|| record.kind.operation_name().map(str::to_owned));
    if let Some(operation) = operation {
        if record.name.is_empty() || record.name == operation {
            let target = text(match record.kind {
                ObservationKind::Tool => semconv::TOOL_NAME,
                ObservationKind::Agent => semconv::AGENT_NAME,
                ObservationKind::Workflow => semconv::WORKFLOW_NAME,
                ObservationKind::Retriever => semconv::DATA_SOURCE_ID,
                _ => semconv::REQUEST_MODEL,
            });
            carried.name = target.map_or(operation.clone(), |target| format!("{operation} {target}")).into();
        }
        carried.attributes.set(semconv::OPERATION_NAME, operation);
    }
    leave_out(record, &mut carried.attributes, profile);
    let reasons = match record.attributes.get(semconv::RESPONSE_FINISH_REASONS) {
        Some(Value::Array(reasons)) => reasons.clone(),
        _ => Vec::new(),
    };
    let failed = matches!(record.status, Status::Error { .. } | Status::Cancelled);
    for (choice, message) in carried.output.iter_mut().enumerate() {
        let stated = reasons.get(choice).or(reasons.last()).and_then(Value::as_str);
        let reason = stated.unwrap_or(if failed { "error" } else { "stop" });
        message.finish_reason.get_or_insert_with(|| reason.to_owned());
    }
    carried
}

/// Takes out what is not sent, and writes as text what is sent so.
fn leave_out(record: &SpanRecord, attributes: &mut Attributes, profile: Profile) {
    let usage = record.usage();
    let is_sum = usage.input_tokens.is_some() && usage.output_tokens.is_some();
    if is_sum || profile == Profile::OpenTelemetry {
        attributes.remove(semconv::USAGE_TOTAL_TOKENS);
    }
    if matches!(record.kind, ObservationKind::Agent | ObservationKind::Workflow) {
        let is_told = |key: &str| {
            key.contains(".usage.") || key.contains(".cost.") || key == semconv::USAGE_TOTAL_TOKENS
        };
        let gone: Vec<_> =
            attributes.iter().map(|(key, _)| key.to_owned()).filter(|key| is_told(key)).collect();
        for key in gone {
            attributes.remove(&key);
        }
    }
    let is_priced_by_tier = attributes.get("llmtrace.service_tier").is_some();
    let has_parameters = match profile {
        Profile::Standard => is_priced_by_tier,
        Profile::Phoenix => record.kind == ObservationKind::Generation,
        Profile::All => is_priced_by_tier || record.kind == ObservationKind::Generation,
        _ => false,
    };
    for (key, unsaid) in
        [(semconv::REQUEST_CHOICE_COUNT, Value::Int(1)), (semconv::REQUEST_STREAM, false.into())]
    {
        if !has_parameters && attributes.get(key) == Some(&unsaid) {
            attributes.remove(key);
        }
    }
    let has_metadata = matches!(profile, Profile::Phoenix | Profile::All);
    if let Some(own) = attributes.get("app.own").cloned().filter(|_| !has_metadata) {
        let mut text = Vec::new();
        crate::jsonl::encode::value(&own, 0, &mut text);
        attributes.set("app.own", String::from_utf8(text).unwrap());
    }
}

#[track_caller]
fn check(record: &SpanRecord, profile: Profile) {
    let read = sent(std::slice::from_ref(record), profile);
    let [read] = read.as_slice() else { panic!("{read:#?}") };
    assert_same(read, &carried(record, profile), profile);
}

/// The same record; attributes may stand in another order.
#[track_caller]
fn assert_same(read: &SpanRecord, expected: &SpanRecord, profile: Profile) {
    let [mut read, mut expected] = [read.clone(), expected.clone()];
    let resource = |record: &SpanRecord| sorted(&record.resource.attributes);
    for [read, expected] in
        [[sorted(&read.attributes), sorted(&expected.attributes)], [resource(&read), resource(&expected)]]
    {
        let lost: Vec<_> = expected.iter().filter(|pair| !read.contains(pair)).collect();
        let more: Vec<_> = read.iter().filter(|pair| !expected.contains(pair)).collect();
        assert!(lost.is_empty() && more.is_empty(), "{profile}: lost {lost:#?}, more {more:#?}");
    }
    for record in [&mut read, &mut expected] {
        record.attributes = Attributes::default();
        record.resource = Arc::default();
    }
    assert_eq!(read, expected, "{profile}");
}

fn sorted(attributes: &Attributes) -> Vec<(String, Value)> {
    // How many attributes a dialect had no name for depends on the profile.
    let is_said = |key: &str| key != "otel.dropped_attributes_count";
    let pairs = attributes.iter().filter(|(key, _)| is_said(key));
    let mut pairs: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.clone())).collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs
}

#[test]
fn a_call_with_about_everything_is_read_back_in_every_profile() {
    let mut record = golden::call();
    let mut resource = Resource::default();
    resource.attributes.set("service.name", "bot");
    resource.attributes.set("deployment.environment.name", "Production EU");
    record.resource = Arc::new(resource);
    record.parent_is_remote = true;
    record.status = Status::error("429: slow down");
    record.events =
        vec![Event::new("exception", at(5), [("exception.type", "Timeout")].into_iter().collect())];
    let mut link = Link::new(trace_id(8), span_id(9));
    link.attributes.set("why", "retry");
    record.links = vec![link];
    let mut score = Score::new("helpful", 0.5);
    score.comment = Some("short".to_owned());
    record.scores.push(score);
    for profile in Profile::EVERY {
        check(&record, profile);
    }
}

#[test]
fn spans_of_every_kind_are_read_back_in_every_profile() {
    use ObservationKind::*;
    for kind in
        [Generation, Embedding, Agent, Tool, Workflow, Retriever, Reranker, Evaluator, Guardrail, Span]
    {
        for profile in Profile::EVERY {
            let mut record = span(1, 2, "work");
            record.kind = kind;
            check(&record, profile);
            record.status = Status::Cancelled;
            record.attributes.set(semconv::OPERATION_NAME, "chat");
            record.attributes.set(semconv::OTEL_KIND, "server");
            check(&record, profile);
        }
    }
}

#[test]
fn what_cannot_be_carried_is_counted_or_written_as_text() {
    let mut record = span(1, 2, "work");
    record.attributes.set("bad key", 1);
    record.attributes.set("app.big", i128::MAX);
    record.attributes.set("app.float", f64::INFINITY);
    record.attributes.set("app.json", json!({"a": [1]}));
    for profile in Profile::EVERY {
        let [read] = sent(&[record.clone()], profile).try_into().unwrap();
        let get = |key| read.attributes.get(key).cloned();
        assert_eq!(get("app.big"), Some(i128::MAX.to_string().into()));
        assert_eq!(get("app.float"), Some("inf".into()));
        assert_eq!(get("app.json").map(|json| json.to_string()), Some(r#"{"a":[1]}"#.into()));
        assert_eq!(get("otel.dropped_attributes_count"), Some(1.into()));
        let others: Vec<_> = read.attributes.iter().filter(|(key, _)| !key.starts_with("app.")).collect();
        assert_eq!(others.len(), 1, "{profile}: {others:?}");
    }
}

/// Values of the kind that the SDK records under each name.
fn clean() -> impl Strategy<Value = Attributes> {
    let text = || ".{1,12}".prop_map(Value::from);
    let count = || (0..1_000_000_u64).prop_map(Value::from);
    let texts = || vec("[a-z ,]{1,6}", 1..3).prop_map(Value::from);
    let list = || vec(random::json(), 0..3).prop_map(|items| Value::Json(Json::Array(items)));
    let pair = |key: &'static str, value: BoxedStrategy<Value>| (Just(key), value).boxed();
    let entry = prop_oneof![
        pair(
            semconv::PROVIDER_NAME,
            prop::sample::select(&["openai", "aws.bedrock", "mine"][..]).prop_map(Value::from).boxed()
        ),
        pair(
            semconv::OPERATION_NAME,
            prop::sample::select(&["chat", "plan", "embeddings"][..]).prop_map(Value::from).boxed()
        ),
        pair(semconv::REQUEST_MODEL, text().boxed()),
        pair(semconv::RESPONSE_MODEL, text().boxed()),
        pair(semconv::RESPONSE_ID, text().boxed()),
        pair(semconv::USAGE_INPUT_TOKENS, count().boxed()),
        pair(semconv::USAGE_OUTPUT_TOKENS, count().boxed()),
        pair(semconv::USAGE_TOTAL_TOKENS, count().boxed()),
        pair(semconv::USAGE_CACHE_READ_TOKENS, count().boxed()),
        pair(semconv::USAGE_CACHE_WRITE_TOKENS, count().boxed()),
        pair(semconv::USAGE_REASONING_TOKENS, count().boxed()),
        pair(semconv::USAGE_STATUS, Just(Value::from("complete")).boxed()),
        pair(semconv::USAGE_COST, (0..1_000_u32).prop_map(|n| Value::from(f64::from(n) / 128.0)).boxed()),
        pair(semconv::COST_SOURCE, Just(Value::from("bundled")).boxed()),
        pair(semconv::RESPONSE_FINISH_REASONS, texts().boxed()),
        pair(
            semconv::RESPONSE_TIME_TO_FIRST_CHUNK,
            (0..9_000_u32).prop_map(|n| Value::from(f64::from(n) / 1024.0)).boxed()
        ),
        pair(semconv::CONVERSATION_ID, text().boxed()),
        pair(semconv::USER_ID, text().boxed()),
        pair(semconv::TAGS, texts().boxed()),
        pair(semconv::REQUEST_STREAM, any::<bool>().prop_map(Value::from).boxed()),
        pair(semconv::REQUEST_CHOICE_COUNT, (1..3_u64).prop_map(Value::from).boxed()),
        pair(semconv::REQUEST_TEMPERATURE, (0..9_u32).prop_map(|n| Value::from(f64::from(n) / 4.0)).boxed()),
        pair(semconv::TOOL_NAME, text().boxed()),
        pair(
            semconv::TOOL_CALL_ARGUMENTS,
            random::json().prop_map(|json| Value::Json(json!({"a": json}))).boxed()
        ),
        pair(semconv::TOOL_CALL_RESULT, text().boxed()),
        pair(
            semconv::SYSTEM_INSTRUCTIONS,
            Just(Value::Json(json!([{"type": "text", "content": "be brief"}]))).boxed()
        ),
        pair(semconv::TOOL_DEFINITIONS, list().prop_map(|list| list).boxed()),
        pair(semconv::RETRIEVAL_DOCUMENTS, list().boxed()),
        pair("app.own", random::json().prop_map(|json| Value::Json(json!([json, [1]]))).boxed()),
        pair("app.n", count().boxed()),
    ];
    vec(entry, 0..16).prop_map(|entries| entries.into_iter().collect())
}

/// The record as its JSON line has it: floats that are not finite and odd words are settled there.
fn settled(record: &SpanRecord) -> Option<SpanRecord> {
    let mut line = Vec::new();
    write_line(record, &mut line);
    read_line(&line).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_record_of_the_sdk_is_read_back(
        (any, attributes) in (random::record(), clean())
    ) {
        let mut record = any;
        record.attributes = attributes;
        record.events.clear();
        for link in &mut record.links {
            link.attributes = Attributes::default();
        }
        record.scores.retain(|score| score.value.is_finite());
        record.end = record.end.max(at(1));
        prop_assume!(settled(&record).is_some());
        let record = settled(&record).unwrap();
        for profile in Profile::EVERY {
            check(&record, profile);
        }
    }

    #[test]
    fn what_was_read_is_read_back_the_same(records in vec(random::record(), 1..4)) {
        for profile in Profile::EVERY {
            // The first time structured values under any name become text.
            let once = sent(&sent(&records, profile), profile);
            let twice = sent(&once, profile);
            prop_assert_eq!(once.len(), records.len());
            for ((once, twice), record) in once.iter().zip(&twice).zip(&records) {
                assert_same(twice, once, profile);
                prop_assert_eq!((once.trace_id, once.span_id), (record.trace_id, record.span_id));
                prop_assert_eq!((once.start, once.parent_span_id), (record.start, record.parent_span_id));
                prop_assert_eq!((&once.status, once.events.len()), (&record.status, record.events.len()));
            }
        }
    }
}
