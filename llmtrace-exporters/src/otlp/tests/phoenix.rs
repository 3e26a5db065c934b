//! What Phoenix reads.

use llmtrace::{Message, ObservationKind, Part, Role};
use serde_json::json;

use super::golden::call;
use super::*;

#[test]
fn phoenix_reads_a_call() {
    let messages = json!([
        {"role": "system", "parts": [{"content": "be brief", "type": "text"}]},
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}]},
    ]);
    let input = attributes_of(&call(), Profile::Phoenix).remove("input.value").unwrap();
    assert_eq!(serde_json::from_str::<Json>(input.as_str().unwrap()).unwrap(), messages);
    check(
        Profile::Phoenix,
        &call(),
        json!({
            "openinference.span.kind": "LLM",
            "llm.system": "amazon",
            "llm.provider": "aws",
            "llm.model_name": "claude-4",
            "llm.invocation_parameters":
                r#"{"max_tokens":100,"temperature":0.5,"n":1,"stream":true,"service_tier":"priority"}"#,
            "llm.finish_reason": "stop",
            "input.mime_type": "application/json",
            "output.value": "hello",
            "output.mime_type": "text/plain",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "be brief",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.content": "hi",
            "llm.input_messages.2.message.role": "assistant",
            "llm.input_messages.2.message.content": null,
            "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c1",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "f",
            "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": r#"{"a":1}"#,
            "llm.input_messages.3.message.role": "tool",
            "llm.input_messages.3.message.tool_call_id": "c1",
            "llm.input_messages.3.message.content": "sunny",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "hello",
            "llm.tools.0.tool.json_schema": r#"{"name":"f","type":"function"}"#,
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 20,
            "llm.token_count.total": 120,
            "llm.token_count.prompt_details.cache_read": 60,
            "llm.token_count.prompt_details.cache_write": 30,
            "llm.token_count.completion_details.reasoning": 5,
            "llm.cost.prompt": 0.125,
            "llm.cost.completion": 0.125,
            "llm.cost.total": 0.25,
            "tag.tags": ["a", "b,c"],
            "metadata": r#"{"app.tier":"gold"}"#,
            "annotations.0.annotation.name": "helpful",
            "annotations.0.annotation.score": 1.0,
        }),
    );
}

#[test]
fn phoenix_reads_other_spans() {
    let check = |kind, attributes, expected| check(Profile::Phoenix, &record(kind, attributes), expected);
    check(
        ObservationKind::Tool,
        json!({"gen_ai.tool.name": "f", "gen_ai.tool.call.id": "c1", "gen_ai.tool.call.arguments": {"a": 1},
               "gen_ai.tool.call.result": "sunny", "gen_ai.tool.description": "tells"}),
        json!({"openinference.span.kind": "TOOL", "tool.name": "f", "tool.id": "c1", "tool.description": "tells",
               "gen_ai.tool.description": "tells", "metadata": null, "tool.parameters": r#"{"a":1}"#,
               "input.value": r#"{"a":1}"#, "input.mime_type": "application/json", "output.value": "sunny",
               "output.mime_type": "text/plain"}),
    );
    check(
        ObservationKind::Retriever,
        json!({"gen_ai.retrieval.query.text": "q",
               "gen_ai.retrieval.documents": [{"id": "d", "score": 0.5, "text": "t", "metadata": {"a": 1}}]}),
        json!({"openinference.span.kind": "RETRIEVER", "input.value": "q", "input.mime_type": "text/plain",
               "retrieval.documents.0.document.id": "d", "retrieval.documents.0.document.score": 0.5,
               "retrieval.documents.0.document.content": "t", "retrieval.documents.0.document.metadata": r#"{"a":1}"#}),
    );
    check(
        ObservationKind::Agent,
        json!({"gen_ai.agent.name": "Ann"}),
        json!({"openinference.span.kind": "AGENT", "agent.name": "Ann"}),
    );
    check(
        ObservationKind::Span,
        json!({}),
        json!({"openinference.span.kind": "CHAIN", "gen_ai.operation.name": null}),
    );
    check(
        ObservationKind::Reranker,
        json!({"gen_ai.request.model": "rerank-3", "gen_ai.retrieval.documents": [{"id": "7", "score": 0.5}]}),
        json!({"openinference.span.kind": "RERANKER", "reranker.model_name": "rerank-3", "llmtrace.kind": "reranker",
               "reranker.output_documents.0.document.id": "7", "reranker.output_documents.0.document.score": 0.5,
               "retrieval.documents.0.document.id": null}),
    );
    let mut embedding = record(ObservationKind::Embedding, json!({"gen_ai.request.model": "e"}));
    embedding.input = vec![Message::new(Role::User, vec![Part::text("one"), Part::text("two")])];
    super::check(
        Profile::Phoenix,
        &embedding,
        json!({"openinference.span.kind": "EMBEDDING", "embedding.model_name": "e", "llm.system": null,
               "embedding.embeddings.0.embedding.text": "one", "embedding.embeddings.1.embedding.text": "two"}),
    );
}

#[test]
fn long_conversations_are_not_flattened_but_kept_and_counted() {
    let mut record = record(ObservationKind::Generation, json!({}));
    record.input = vec![Message::user("hi"); 65];
    let span = decoded_span(&record, Profile::Phoenix);
    let found = by_key(&span.attributes);
    assert_eq!(span.dropped_attributes_count, 65);
    assert!(!found.keys().any(|key| key.starts_with("llm.input_messages")));
    assert!(found["gen_ai.input.messages"].as_str().unwrap().matches("hi").count() == 65);
}

#[test]
fn of_several_answers_in_one_message_the_first_names_its_call() {
    let mut record = record(ObservationKind::Generation, json!({}));
    let answers = ["c1", "c2"]
        .map(|id| Part::ToolCallResponse { id: Some(id.to_owned()), response: json!({"of": id}) });
    record.input = vec![Message::new(Role::User, answers.to_vec())];
    let message = "llm.input_messages.0.message";
    check(
        Profile::Phoenix,
        &record,
        json!({
            format!("{message}.tool_call_id"): "c1",
            format!("{message}.content"): r#"{"of":"c1"}"#,
            format!("{message}.contents.1.message_content.type"): "text",
            format!("{message}.contents.1.message_content.text"): r#"{"of":"c2"}"#,
        }),
    );
}

#[test]
fn parts_of_many_kinds_are_flattened_in_their_order() {
    let mut record = record(ObservationKind::Generation, json!({}));
    record.output = vec![Message::new(
        Role::Assistant,
        vec![
            Part::reasoning("hm"),
            Part::text("hi"),
            Part::Uri { mime_type: None, modality: "image".into(), uri: "https://a.b/c.png".into() },
            Part::tool_call(None, "f", "{\"torn"),
            Part::Blob {
                mime_type: Some("image/png".into()),
                modality: "image".into(),
                content: "aGk=".into(),
            },
            Part::Blob {
                mime_type: Some("audio/wav".into()),
                modality: "audio".into(),
                content: "aGk=".into(),
            },
            Part::Blob { mime_type: None, modality: "image".into(), content: "aGk=".into() },
        ],
    )];
    let contents = "llm.output_messages.0.message.contents";
    check(
        Profile::Phoenix,
        &record,
        json!({
            format!("{contents}.0.message_content.type"): "reasoning",
            format!("{contents}.0.message_content.text"): "hm",
            format!("{contents}.1.message_content.type"): "text",
            format!("{contents}.1.message_content.text"): "hi",
            format!("{contents}.2.message_content.type"): "image",
            format!("{contents}.2.message_content.image.image.url"): "https://a.b/c.png",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{\"torn",
            format!("{contents}.3.message_content.type"): "image",
            format!("{contents}.3.message_content.image.image.url"): "data:image/png;base64,aGk=",
            format!("{contents}.4.message_content.type"): "audio",
            format!("{contents}.4.message_content.audio.audio.url"): "data:audio/wav;base64,aGk=",
            format!("{contents}.4.message_content.audio.audio.mime_type"): "audio/wav",
            format!("{contents}.5.message_content.type"): "text",
        }),
    );
}
