//! What each backend reads of each kind of span, in its profile.

use llmtrace::{Message, ObservationKind, Part, Role, Score};
use serde_json::json;

use super::*;

/// A call of a model with about everything that can be known of it.
pub(in crate::otlp) fn call() -> SpanRecord {
    let mut record = record(
        ObservationKind::Generation,
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.request.model": "claude",
            "gen_ai.response.model": "claude-4",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.stream": true,
            "gen_ai.request.choice.count": 1,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 60,
            "gen_ai.usage.cache_write.input_tokens": 30,
            "gen_ai.usage.reasoning.output_tokens": 5,
            "gen_ai.usage.cost": 0.25,
            "llmtrace.cost.pico_usd": 250_000_000_000_i64,
            "llmtrace.cost.input": 0.125,
            "llmtrace.cost.output": 0.125,
            "gen_ai.conversation.id": "s1",
            "user.id": "u1",
            "llmtrace.tags": ["a", "b,c"],
            "llmtrace.service_tier": "priority",
            "gen_ai.prompt.name": "greet",
            "gen_ai.prompt.version": "3",
            "gen_ai.system_instructions": [{"type": "text", "content": "be brief"}],
            "gen_ai.tool.definitions": [{"name": "f", "type": "function"}],
            "app.tier": "gold",
        }),
    );
    record.input = vec![
        Message::user("hi"),
        Message::new(Role::Assistant, vec![Part::tool_call(Some("c1".into()), "f", r#"{"a":1}"#)]),
        Message::tool("c1", "sunny"),
    ];
    record.output = vec![Message::assistant("hello").with_finish_reason("stop")];
    record.scores = vec![Score::new("helpful", 1.0)];
    record
}

#[test]
fn the_conventions_names_stand_in_every_profile() {
    for profile in Profile::EVERY {
        check(
            profile,
            &call(),
            json!({
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.request.model": "claude",
                "gen_ai.response.model": "claude-4",
                "gen_ai.request.stream": true,
                "gen_ai.request.choice.count": null,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.time_to_first_chunk": 0.25,
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 20,
                "gen_ai.usage.cache_read.input_tokens": 60,
                "gen_ai.usage.cache_write.input_tokens": 30,
                "gen_ai.usage.reasoning.output_tokens": 5,
                "gen_ai.usage.cost": 0.25,
                "gen_ai.conversation.id": "s1",
                "user.id": "u1",
                "llmtrace.kind": null,
                "llmtrace.status": null,
                "gen_ai.tool.definitions": r#"[{"name":"f","type":"function"}]"#,
                "app.tier": "gold",
            }),
        );
    }
}

#[test]
fn older_and_neighbouring_names_stand_wherever_a_backend_is_named() {
    let names = json!({
        "gen_ai.system": "aws.bedrock",
        "gen_ai.usage.cache_creation.input_tokens": 30,
        "gen_ai.usage.total_tokens": 120,
        "gen_ai.usage.details.reasoning_tokens": 5,
        "gen_ai.usage.input_cost": 0.125,
        "gen_ai.usage.output_cost": 0.125,
        "session.id": "s1",
        "lmnr.association.properties.session_id": "s1",
        "lmnr.association.properties.user_id": "u1",
        "lmnr.association.properties.tags": ["a", "b,c"],
        "opik.tags": ["a", "b,c"],
    });
    for profile in Profile::EVERY.into_iter().filter(|profile| *profile != Profile::OpenTelemetry) {
        check(profile, &call(), names.clone());
    }
    let found = attributes_of(&call(), Profile::OpenTelemetry);
    let names = names.as_object().unwrap();
    assert_eq!(found.keys().find(|key| names.contains_key(*key)), None);
}

#[test]
fn profiles_are_told_apart() {
    let speaks = |prefix: &str| {
        let speaks =
            |profile: &&Profile| attributes_of(&call(), **profile).keys().any(|key| key.starts_with(prefix));
        Profile::EVERY.iter().filter(speaks).map(|profile| profile.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(speaks("langfuse."), ["standard", "all"]);
    assert_eq!(speaks("llm."), ["phoenix", "all"]);
    assert_eq!(speaks("input.value"), ["phoenix", "mlflow", "all"]);
    assert_eq!(speaks("openinference.span.kind"), ["phoenix", "mlflow", "all"]);
    assert_eq!(speaks("mlflow."), ["mlflow", "all"]);
    assert_eq!(speaks("langsmith."), ["langsmith", "all"]);
}

#[test]
fn langfuse_reads_a_call() {
    let langfuse = json!({
        "langfuse.observation.type": "generation",
        "langfuse.observation.usage_details": concat!(
            r#"{"input":10,"input_cached_tokens":60,"input_cache_creation":30,"#,
            r#""output":15,"output_reasoning_tokens":5,"total":120}"#
        ),
        "langfuse.observation.cost_details": r#"{"input":0.125,"output":0.125,"total":0.25}"#,
        "langfuse.observation.completion_start_time": "2023-11-14T22:13:20.250000Z",
        "langfuse.observation.model.parameters":
            r#"{"max_tokens":100,"temperature":0.5,"n":1,"stream":true,"service_tier":"priority"}"#,
        "langfuse.observation.prompt.name": "greet",
        "langfuse.observation.prompt.version": 3,
        "langfuse.trace.tags": ["a", "b,c"],
        "langfuse.observation.metadata.app.tier": "gold",
        "langfuse.observation.level": null,
        // It reads the messages from the conventions, and so shows all of them.
        "langfuse.observation.input": null,
        "langfuse.observation.output": null,
    });
    check(Profile::Standard, &call(), langfuse.clone());
    check(Profile::All, &call(), langfuse);
    check(Profile::Standard, &call(), json!({"input.value": null, "openinference.span.kind": null}));
}

#[test]
fn langfuse_gets_nothing_that_is_not_known() {
    let bare = record(
        ObservationKind::Generation,
        json!({"gen_ai.prompt.name": "p", "gen_ai.prompt.version": "v2"}),
    );
    let keys = attributes_of(&bare, Profile::Standard).into_keys();
    let langfuse: Vec<_> = keys.filter(|key| key.starts_with("langfuse.")).collect();
    // A version that is no number links to no prompt.
    assert_eq!(langfuse, ["langfuse.observation.type"]);
    let cost = |cost: Json| record(ObservationKind::Generation, json!({"gen_ai.usage.cost": cost}));
    check(
        Profile::Standard,
        &cost(json!(0.0)),
        json!({"langfuse.observation.cost_details": r#"{"total":0.0}"#}),
    );
    check(Profile::Standard, &cost(json!("?")), json!({"langfuse.observation.cost_details": null}));
}

#[test]
fn langfuse_shows_what_functions_took_and_gave_bare() {
    let mut record = record(ObservationKind::Workflow, json!({}));
    record.input = vec![Message::new(
        Role::User,
        vec![Part::Other(json!({"type": "json", "content": {"question": "why"}}))],
    )];
    record.output = vec![Message::assistant("because")];
    check(
        Profile::Standard,
        &record,
        json!({
            "langfuse.observation.type": "chain",
            "langfuse.observation.input": r#"{"question":"why"}"#,
            "langfuse.observation.output": "because",
        }),
    );
    let found = json!({"gen_ai.retrieval.query.text": "q", "gen_ai.retrieval.documents": [{"id": "d", "score": 0.5}]});
    check(
        Profile::Standard,
        &super::record(ObservationKind::Retriever, found),
        json!({
            "langfuse.observation.type": "retriever",
            "langfuse.observation.input": "q",
            "langfuse.observation.output": r#"[{"id":"d","score":0.5}]"#,
        }),
    );
}

#[test]
fn mlflow_reads_a_call_and_the_roots_tags() {
    check(
        Profile::MlFlow,
        &call(),
        json!({
            "mlflow.llm.cost": r#"{"input_cost":0.125,"output_cost":0.125,"total_cost":0.25}"#,
            "mlflow.traceTag.a": null,
            "output.value": "hello",
            "openinference.span.kind": "LLM",
        }),
    );
    let mut root = call();
    root.parent_span_id = None;
    root.attributes.set("llmtrace.tags", ["a", "b,c", "a"]);
    check(Profile::MlFlow, &root, json!({"mlflow.traceTag.a": "true"}));
    assert_eq!(decoded_span(&root, Profile::MlFlow).dropped_attributes_count, 1, "`b,c` is no key");
}

#[test]
fn langsmith_reads_a_call() {
    check(
        Profile::LangSmith,
        &call(),
        json!({
            "langsmith.span.kind": "llm",
            "langsmith.span.tags": "a,b c",
            "langsmith.metadata.thread_id": "s1",
            "langsmith.metadata.user_id": "u1",
            "langsmith.metadata.app.tier": "gold",
            "gen_ai.usage.input_token_details": r#"{"cache_read":60,"cache_creation":30}"#,
            "gen_ai.usage.output_token_details": r#"{"reasoning":5}"#,
        }),
    );
    let check = |kind, expected| {
        super::check(Profile::LangSmith, &record(kind, json!({})), json!({"langsmith.span.kind": expected}));
    };
    check(ObservationKind::Tool, "tool");
    check(ObservationKind::Embedding, "embedding");
    check(ObservationKind::Retriever, "retriever");
    check(ObservationKind::Agent, "chain");
    check(ObservationKind::Workflow, "chain");
}

#[test]
fn spans_that_sum_up_carry_no_tokens_and_no_cost() {
    for kind in [ObservationKind::Agent, ObservationKind::Workflow] {
        let mut sum = call();
        sum.kind = kind;
        sum.attributes.remove("gen_ai.operation.name");
        for profile in Profile::EVERY {
            let found = attributes_of(&sum, profile);
            let counted = |key: &&String| {
                ["usage", "cost", "token"].iter().any(|word| key.contains(word))
                    && !key.contains("max_tokens")
            };
            assert_eq!(found.keys().find(counted), None, "{kind} in {profile}");
            assert_eq!(found["gen_ai.operation.name"], kind.operation_name().unwrap());
        }
    }
}

#[test]
fn cache_writes_are_sent_under_both_names_whichever_was_recorded() {
    for key in ["gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"] {
        check(
            Profile::Standard,
            &record(ObservationKind::Generation, json!({key: 7})),
            json!({"gen_ai.usage.cache_write.input_tokens": 7, "gen_ai.usage.cache_creation.input_tokens": 7}),
        );
    }
}
