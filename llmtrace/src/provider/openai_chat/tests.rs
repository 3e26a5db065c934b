use serde_json::json;

use super::super::{read_request, read_response};
use super::*;
use crate::Value as Attribute;

fn other(json: Value) -> Part {
    Part::Other(json)
}

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "gpt-4o", "temperature": 0, "top_p": 0.5, "max_tokens": 5, "max_completion_tokens": 7, "n": 2,
        "seed": 3, "stop": "END", "stream": true, "reasoning_effort": "low", "service_tier": "flex",
        "frequency_penalty": 0.1, "presence_penalty": 0.2, "response_format": {"type": "json_schema"},
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": "hi"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": true}},
            {"type": "web_search"},
        ],
    }))
    .unwrap();
    assert_eq!(request.api, Some(Api::OpenAiChat));
    assert_eq!((request.operation, request.provider.as_deref()), (Some("chat"), None));
    assert_eq!(request.request_model.as_deref(), Some("gpt-4o"));
    let mut user = Message::user("hi");
    user.name = Some("ann".into());
    assert_eq!(request.input, [Message::system("Be brief."), user]);
    let tools =
        json!([{"type": "function", "name": "f", "parameters": {"type": "object"}}, {"type": "web_search"}]);
    assert_eq!(request.tools, Some(tools));
    let expected: Attributes = [
        (semconv::REQUEST_TEMPERATURE, Attribute::Float(0.0)),
        (semconv::REQUEST_TOP_P, Attribute::Float(0.5)),
        (semconv::REQUEST_FREQUENCY_PENALTY, Attribute::Float(0.1)),
        (semconv::REQUEST_PRESENCE_PENALTY, Attribute::Float(0.2)),
        (semconv::REQUEST_MAX_TOKENS, Attribute::Int(7)),
        (semconv::REQUEST_SEED, Attribute::Int(3)),
        (semconv::REQUEST_CHOICE_COUNT, Attribute::Int(2)),
        (semconv::REQUEST_STOP_SEQUENCES, Attribute::from(["END"])),
        (semconv::REQUEST_REASONING_LEVEL, Attribute::from("low")),
        (semconv::OPENAI_REQUEST_SERVICE_TIER, Attribute::from("flex")),
        (semconv::OUTPUT_TYPE, Attribute::from("json")),
        (semconv::REQUEST_STREAM, Attribute::Bool(true)),
    ]
    .into_iter()
    .collect();
    assert_eq!(request.parameters, expected);
}

#[test]
fn defaults_are_not_recorded() {
    let request = read_request(&json!({
        "model": "m", "n": 1, "stream": false, "seed": null, "stop": [], "messages": [{"role": "user", "content": "hi"}],
    }));
    assert!(request.unwrap().parameters.is_empty());
}

#[test]
fn content_becomes_parts() {
    let check = |json: Value, expected: Vec<Part>| assert_eq!(message(&json).parts, expected, "{json}");
    check(json!({"role": "user", "content": [{"type": "text", "text": "a"}]}), vec![Part::text("a")]);
    check(
        json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}),
        vec![Part::Blob {
            mime_type: Some("image/png".into()),
            modality: "image".into(),
            content: "AA".into(),
        }],
    );
    check(
        json!({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]}),
        vec![Part::Blob {
            mime_type: Some("audio/wav".into()),
            modality: "audio".into(),
            content: "AA".into(),
        }],
    );
    check(
        json!({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}),
        vec![Part::File { mime_type: None, modality: "document".into(), file_id: "file-1".into() }],
    );
    check(json!({"role": "user", "content": [{"type": "new"}]}), vec![other(json!({"type": "new"}))]);
    check(
        json!({"role": "tool", "tool_call_id": "c", "content": "rain"}),
        vec![Part::ToolCallResponse { id: Some("c".into()), response: json!("rain") }],
    );
    check(
        json!({"role": "assistant", "content": null, "refusal": "no"}),
        vec![other(json!({"type": "refusal", "content": "no"}))],
    );
    check(
        json!({"role": "assistant", "reasoning_content": "hm", "content": "a", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
            {"id": "d", "type": "custom", "custom": {"name": "g", "input": "text"}},
        ]}),
        vec![
            Part::reasoning("hm"),
            Part::text("a"),
            Part::tool_call(Some("c".into()), "f", "{\"x\":1}"),
            Part::tool_call(Some("d".into()), "g", "text"),
        ],
    );
    check(
        json!({"role": "assistant", "function_call": {"name": "f", "arguments": ""}}),
        vec![Part::tool_call(None, "f", "")],
    );
    check(json!(3), vec![]);
}

#[test]
fn a_response_has_one_message_a_choice() {
    let response = read_response(&json!({
        "id": "c", "object": "chat.completion", "model": "m-1", "service_tier": "default", "system_fingerprint": "fp",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": "b"}, "finish_reason": "content_filter"},
            {"index": 2, "message": {"content": "c"}, "finish_reason": "tool_calls"},
        ],
    }))
    .unwrap();
    assert_eq!(response.finish_reasons, ["stop", "content_filter", "tool_calls"]);
    let words: Vec<_> =
        response.output.iter().map(|message| message.finish_reason.as_deref().unwrap()).collect();
    assert_eq!(words, ["stop", "content_filter", "tool_call"]);
    assert_eq!(response.service_tier.as_deref(), Some("default"));
    assert_eq!(response.attributes.get_str(semconv::OPENAI_RESPONSE_SYSTEM_FINGERPRINT), Some("fp"));
    assert!(response.usage.is_empty());
}
