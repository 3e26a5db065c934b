//! What a request holds beside the attributes of its spans.

use std::sync::Arc;

use llmtrace::{Event, Link, ObservationKind, Resource, Score, Status, Value};
use opentelemetry_proto::tonic::trace::v1::Status as WireStatus;
use serde_json::json;

use super::*;
use crate::testing::trace_id;

#[test]
fn ids_times_and_flags_are_those_of_the_record() {
    let mut record = record(ObservationKind::Span, json!({}));
    record.parent_is_remote = true;
    let span = decoded_span(&record, Profile::Standard);
    assert_eq!(span.trace_id, trace_id(1).to_bytes());
    assert_eq!(span.span_id, span_id(2).to_bytes());
    assert_eq!(span.parent_span_id, span_id(1).to_bytes());
    assert_eq!(span.start_time_unix_nano, 1_700_000_000_000_000_000);
    assert_eq!(span.end_time_unix_nano, 1_700_000_001_000_000_000);
    assert_eq!(span.flags, 0x301);
    record.parent_is_remote = false;
    record.parent_span_id = None;
    let root = decoded_span(&record, Profile::Standard);
    assert_eq!((root.flags, root.parent_span_id.len()), (0x101, 0));
}

#[test]
fn ids_are_hex_in_json_and_long_integers_are_strings() {
    let record = record(ObservationKind::Span, json!({"n": 7, "app.list": [1, "a", 1.5, true], "none": []}));
    let mut body = Vec::new();
    write_otlp(&[record], Protocol::Json, Profile::Standard, &mut body);
    let json: Json = serde_json::from_slice(&body).unwrap();
    let span = &json["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], "00000000000000000000000000000001");
    assert_eq!(span["parentSpanId"], "0000000000000001");
    assert_eq!(span["startTimeUnixNano"], "1700000000000000000");
    assert_eq!(span["kind"], 1);
    assert!(
        span["attributes"].as_array().unwrap().contains(&json!({"key": "n", "value": {"intValue": "7"}}))
    );
}

#[test]
fn names_are_completed_only_where_they_are_the_operations() {
    let check = |name: &str, kind, attributes, expected: &str| {
        let mut record = record(kind, attributes);
        record.name = name.to_owned().into();
        assert_eq!(decoded_span(&record, Profile::Standard).name, expected);
    };
    let model = json!({"gen_ai.request.model": "gpt-4o"});
    check("answer", ObservationKind::Generation, model.clone(), "answer");
    check("chat", ObservationKind::Generation, model.clone(), "chat gpt-4o");
    check("", ObservationKind::Generation, model, "chat gpt-4o");
    check("chat", ObservationKind::Generation, json!({}), "chat");
    check(
        "execute_tool",
        ObservationKind::Tool,
        json!({"gen_ai.tool.name": "search"}),
        "execute_tool search",
    );
    check("invoke_agent", ObservationKind::Agent, json!({"gen_ai.agent.name": "Ann"}), "invoke_agent Ann");
    check(
        "invoke_workflow",
        ObservationKind::Workflow,
        json!({"gen_ai.workflow.name": "mail"}),
        "invoke_workflow mail",
    );
    check("retrieval", ObservationKind::Retriever, json!({"gen_ai.data_source.id": "kb"}), "retrieval kb");
    check(
        "generate_content",
        ObservationKind::Generation,
        json!({"gen_ai.operation.name": "generate_content", "gen_ai.request.model": "gemini"}),
        "generate_content gemini",
    );
    check("", ObservationKind::Span, json!({}), "");
}

#[test]
fn kinds_are_client_for_services_and_internal_else() {
    let check = |kind, attributes, expected: i32| {
        assert_eq!(decoded_span(&record(kind, attributes), Profile::Standard).kind, expected, "{kind}");
    };
    check(ObservationKind::Generation, json!({}), 3);
    check(ObservationKind::Embedding, json!({}), 3);
    check(ObservationKind::Reranker, json!({}), 3);
    check(ObservationKind::Retriever, json!({}), 3);
    for kind in
        [ObservationKind::Tool, ObservationKind::Agent, ObservationKind::Workflow, ObservationKind::Span]
    {
        check(kind, json!({}), 1);
    }
    check(ObservationKind::Span, json!({"otel.kind": "SERVER"}), 2);
    check(ObservationKind::Generation, json!({"otel.kind": "internal"}), 1);
    check(ObservationKind::Span, json!({"otel.kind": "odd"}), 1);
}

#[test]
fn only_errors_have_a_message_and_a_cancelled_span_says_so() {
    let check = |status: Status, expected: Option<(i32, &str)>, attribute: Json| {
        let mut record = record(ObservationKind::Span, json!({}));
        record.status = status;
        let span = decoded_span(&record, Profile::Standard);
        let expected = expected.map(|(code, message)| WireStatus { code, message: message.to_owned() });
        assert_eq!(span.status, expected);
        let attributes = by_key(&span.attributes);
        assert_eq!(attributes.get("llmtrace.status").unwrap_or(&Json::Null), &attribute);
        let level = attributes.get("langfuse.observation.level");
        assert_eq!(level.is_some_and(|level| level == "WARNING"), attribute == "cancelled");
    };
    check(Status::Unset, None, Json::Null);
    check(Status::Ok, Some((1, "")), Json::Null);
    check(Status::error("429: slow\u{202e} down"), Some((2, "429: slow\u{202e} down")), Json::Null);
    check(Status::error(""), Some((2, "")), Json::Null);
    check(Status::Cancelled, None, json!("cancelled"));
}

#[test]
fn events_links_and_scores_are_kept() {
    let mut record = record(ObservationKind::Generation, json!({"gen_ai.response.id": "r1"}));
    let failed =
        attributes(json!({"exception.type": "Timeout", "exception.message": "after 3 s", "bad key": 1}));
    record.events = vec![Event::new("exception", at(5), failed)];
    let mut link = Link::new(trace_id(8), span_id(9));
    link.attributes = attributes(json!({"why": "retry", "__proto__": 1}));
    record.links = vec![link];
    let mut score = Score::new("helpful", 0.5);
    score.comment = Some("short".to_owned());
    record.scores = vec![score, Score::new("odd", f64::NAN)];

    let span = decoded_span(&record, Profile::Standard);
    let events: Vec<_> = span.events.iter().map(|event| (&*event.name, event.time_unix_nano)).collect();
    let end = record.end.unix_nanos();
    assert_eq!(
        events,
        [("exception", 5), ("gen_ai.evaluation.result", end), ("gen_ai.evaluation.result", end)]
    );
    let attributes: Vec<_> = span.events.iter().map(|event| json!(by_key(&event.attributes))).collect();
    assert_eq!(attributes[0], json!({"exception.type": "Timeout", "exception.message": "after 3 s"}));
    assert_eq!(span.events[0].dropped_attributes_count, 1);
    assert_eq!(
        attributes[1],
        json!({
            "gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 0.5,
            "gen_ai.evaluation.explanation": "short", "gen_ai.response.id": "r1",
        })
    );
    assert_eq!(attributes[2]["gen_ai.evaluation.score.value"], "NaN");
    let [link] = span.links.as_slice() else { panic!("{:?}", span.links) };
    assert_eq!((&*link.trace_id, &*link.span_id), (&trace_id(8).to_bytes()[..], &span_id(9).to_bytes()[..]));
    assert_eq!(
        (json!(by_key(&link.attributes)), link.dropped_attributes_count),
        (json!({"why": "retry"}), 1)
    );
}

#[test]
fn spans_are_grouped_by_resource_and_scope_in_order() {
    let resource = |name: &str| {
        let mut resource = Resource::default();
        resource.attributes.set("service.name", name);
        Arc::new(resource)
    };
    let (one, same, other) = (resource("one"), resource("one"), resource("other"));
    let spans: Vec<_> = [(&one, "a"), (&other, "a"), (&same, "b"), (&one, "a"), (&other, "a"), (&same, "b")]
        .into_iter()
        .enumerate()
        .map(|(index, (resource, scope))| {
            let mut span = span(1, index as u64 + 1, scope);
            span.resource = Arc::clone(resource);
            span.scope = scope.into();
            span
        })
        .collect();
    let request = decoded(&spans, Profile::Standard);
    let mut found = Vec::new();
    for of_resource in &request.resource_spans {
        let resource = by_key(&of_resource.resource.as_ref().unwrap().attributes);
        for of_scope in &of_resource.scope_spans {
            let ids: Vec<u8> = of_scope.spans.iter().map(|span| span.span_id[7]).collect();
            found.push((
                resource["service.name"].as_str().unwrap().to_owned(),
                of_scope.scope.as_ref().unwrap().name.clone(),
                ids,
            ));
        }
    }
    let group =
        |resource: &str, scope: &str, ids: &[u8]| (resource.to_owned(), scope.to_owned(), ids.to_vec());
    assert_eq!(found, [group("one", "a", &[1, 4]), group("one", "b", &[3, 6]), group("other", "a", &[2, 5])]);
    assert_eq!(decoded(&[], Profile::All).resource_spans.len(), 0);
}

#[test]
fn the_resource_names_the_service_the_sdk_and_a_fitting_environment() {
    let check = |attributes: Json, profile, expected: Json| {
        let mut record = record(ObservationKind::Span, json!({}));
        let mut resource = Resource::default();
        resource.attributes = super::attributes(attributes);
        record.resource = Arc::new(resource);
        let request = decoded(&[record], profile);
        let found = by_key(&request.resource_spans[0].resource.as_ref().unwrap().attributes);
        assert_eq!(found["telemetry.sdk.name"], "llmtrace");
        assert_eq!(found["telemetry.sdk.language"], "rust");
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(found.get(key).unwrap_or(&Json::Null), value, "{key}");
        }
    };
    check(
        json!({}),
        Profile::Standard,
        json!({"service.name": "unknown_service", "langfuse.environment": null}),
    );
    check(
        json!({"service.name": "bot", "deployment.environment.name": "production"}),
        Profile::Standard,
        json!({"service.name": "bot", "deployment.environment.name": "production", "langfuse.environment": null}),
    );
    let odd = json!({"deployment.environment.name": "Production EU/1"});
    check(odd.clone(), Profile::Standard, json!({"langfuse.environment": "production-eu-1"}));
    check(odd, Profile::Phoenix, json!({"langfuse.environment": null}));
}

#[test]
fn values_keep_their_kind_and_structure_becomes_text() {
    let mut record =
        record(ObservationKind::Span, json!({"app.json": {"a": [1, null]}, "app.mixed": [1, [2]]}));
    record.attributes.set("app.big", i128::MAX);
    record.attributes.set("app.least", i64::MIN);
    record.attributes.set("app.nan", f64::NAN);
    record.attributes.set("app.inf", f64::NEG_INFINITY);
    record.attributes.set("app.float", 3.0);
    record.attributes.set("app.list", Value::Array(vec!["a".into(), i128::MAX.into(), f64::INFINITY.into()]));
    check(
        Profile::Standard,
        &record,
        json!({
            "app.json": r#"{"a":[1,null]}"#,
            "app.mixed": "[1,[2]]",
            "app.big": i128::MAX.to_string(),
            "app.least": i64::MIN,
            "app.nan": "NaN",
            "app.inf": "-inf",
            "app.float": 3.0,
            "app.list": ["a", i128::MAX.to_string(), "inf"],
        }),
    );
}

#[test]
fn hostile_keys_are_refused_and_counted() {
    let hostile = json!({
        "app.kept": 1, "__proto__": 1, "a.constructor.b": 1, "spaced key": 1, "": 1, "quote\"": 1, "line\nbreak": 1,
    });
    for profile in Profile::EVERY {
        let span = decoded_span(&record(ObservationKind::Span, hostile.clone()), profile);
        assert_eq!(span.dropped_attributes_count, 6, "{profile}");
        assert!(by_key(&span.attributes).contains_key("app.kept"));
    }
}

#[test]
fn a_key_of_a_dialect_that_the_program_set_itself_stands() {
    let stated = json!({
        "langfuse.observation.type": "event", "input.value": "mine", "session.id": "s", "llm.system": "own",
        "gen_ai.conversation.id": "c", "mlflow.llm.cost": "{}", "langsmith.span.kind": "parser",
        "gen_ai.usage.details.reasoning_tokens": 1, "gen_ai.usage.reasoning.output_tokens": 5, "metadata": "m", "a": 1,
        "gen_ai.provider.name": "openai",
    });
    let mut record = record(ObservationKind::Generation, stated.clone());
    record.input = vec![llmtrace::Message::user("hi")];
    for profile in Profile::EVERY {
        check(profile, &record, stated.clone());
    }
}

#[test]
fn nothing_is_allocated_for_each_span() {
    let mut call = record(
        ObservationKind::Generation,
        json!({
            "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.cost": 0.5, "app.key": "value", "llmtrace.tags": ["a"],
            "gen_ai.response.finish_reasons": ["stop"], "gen_ai.response.time_to_first_chunk": 0.25,
        }),
    );
    call.name = "chat".into();
    call.input = vec![llmtrace::Message::user("x".repeat(2_000))];
    call.output = vec![llmtrace::Message::assistant("x".repeat(1_000))];
    let (few, many) = (vec![call.clone(); 2], vec![call; 200]);
    let mut out = Vec::with_capacity(8 << 20);
    for profile in Profile::EVERY {
        for protocol in [Protocol::Protobuf, Protocol::Json] {
            let mut allocations = |spans: &[SpanRecord]| {
                out.clear();
                allocation_counter::measure(|| write_otlp(spans, protocol, profile, &mut out)).count_total
            };
            assert_eq!(allocations(&many), allocations(&few), "{profile} as {protocol}");
        }
    }
}
