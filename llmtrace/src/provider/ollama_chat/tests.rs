use serde_json::json;

use super::super::{StreamAssembler, read_request, read_response};
use super::*;
use crate::{UsageStatus, Value as Attribute};

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "llama3.2", "stream": false, "format": {"type": "object"}, "keep_alive": "5m", "think": "high",
        "options": {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "num_predict": 7, "seed": 42, "stop": ["x"], "num_ctx": 4096},
        "messages": [
            {"role": "user", "content": "What is this?", "images": ["AAAA"]},
            {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                {"function": {"name": "f", "arguments": {"x": 1}}},
            ]},
            {"role": "tool", "content": "rain", "tool_name": "f"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    }))
    .unwrap();
    assert_eq!((request.api, request.operation), (Some(Api::OllamaChat), Some("chat")));
    let image = Part::Blob { mime_type: None, modality: "image".into(), content: "AAAA".into() };
    let call = Part::ToolCall { id: None, name: "f".into(), arguments: json!({"x": 1}) };
    let expected = [
        Message::new(Role::User, vec![Part::text("What is this?"), image]),
        Message::new(Role::Assistant, vec![Part::reasoning("hm"), call]),
        Message::tool("f", "rain"),
    ];
    assert_eq!(request.input, expected);
    let expected: Attributes = [
        (semconv::REQUEST_TEMPERATURE, Attribute::Float(0.5)),
        (semconv::REQUEST_TOP_P, Attribute::Float(0.9)),
        (semconv::REQUEST_TOP_K, Attribute::Int(40)),
        (semconv::REQUEST_MAX_TOKENS, Attribute::Int(7)),
        (semconv::REQUEST_SEED, Attribute::Int(42)),
        (semconv::REQUEST_STOP_SEQUENCES, Attribute::from(["x"])),
        (semconv::REQUEST_REASONING_LEVEL, Attribute::from("high")),
        (semconv::OUTPUT_TYPE, Attribute::from("json")),
        (semconv::REQUEST_KEEP_ALIVE, Attribute::from("5m")),
    ]
    .into_iter()
    .collect();
    assert_eq!(request.parameters, expected);
}

#[test]
fn a_request_to_generate_is_read() {
    let request = read_request(&json!({
        "model": "llava", "prompt": "What is this?", "system": "Be brief.", "images": ["AAAA"], "raw": false,
        "keep_alive": 30, "options": {"num_predict": -1}, "stream": true,
    }))
    .unwrap();
    assert_eq!(request.operation, Some("text_completion"));
    assert_eq!(request.system, [Part::text("Be brief.")]);
    let image = Part::Blob { mime_type: None, modality: "image".into(), content: "AAAA".into() };
    assert_eq!(request.input, [Message::new(Role::User, vec![Part::text("What is this?"), image])]);
    let expected: Attributes =
        [(semconv::REQUEST_KEEP_ALIVE, Attribute::Int(30)), (semconv::REQUEST_STREAM, Attribute::Bool(true))]
            .into_iter()
            .collect();
    assert_eq!(request.parameters, expected);
}

#[test]
fn requests_are_told_by_what_only_ollama_takes() {
    let check = |body: Value, api: Option<Api>| {
        assert_eq!(read_request(&body).and_then(|exchange| exchange.api), api, "{body}");
    };
    let messages = json!([{"role": "user", "content": "hi"}]);
    check(json!({"model": "llama3:8b", "messages": messages}), Some(Api::OpenAiChat));
    check(json!({"model": "llama3:8b", "messages": messages, "options": {}}), Some(Api::OllamaChat));
    check(json!({"model": "m", "messages": messages, "keep_alive": 0}), Some(Api::OllamaChat));
    check(
        json!({"model": "m", "messages": [{"role": "assistant", "content": "", "tool_calls": [
            {"function": {"name": "f", "arguments": {}}}]}]}),
        Some(Api::OllamaChat),
    );
    check(json!({"model": "m", "messages": ["hi"], "options": {}}), None);
    check(json!({"model": "m", "prompt": "hi"}), None);
    check(json!({"model": "m", "prompt": "hi", "think": false}), Some(Api::OllamaChat));
    check(json!({"prompt": "hi", "options": {}}), None);
}

#[test]
fn a_response_is_read() {
    let response = read_response(&json!({
        "model": "llama3.2", "created_at": "2026-01-01T00:00:00Z", "done": true, "done_reason": "stop",
        "message": {"role": "assistant", "content": "It rains.", "thinking": "hm", "tool_calls": [
            {"id": "call_1", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}},
        ]},
        "total_duration": 3_500_000_000_u64, "load_duration": 250_000_000, "prompt_eval_duration": 1_000_000_000,
        "eval_duration": 2_000_000_000, "prompt_eval_count": 26, "prompt_eval_cached_count": 20, "eval_count": 298,
    }))
    .unwrap();
    assert_eq!((response.api, response.operation), (Some(Api::OllamaChat), Some("chat")));
    assert_eq!(response.provider.as_deref(), Some("ollama"));
    assert_eq!(response.response_model.as_deref(), Some("llama3.2"));
    let call = Part::ToolCall { id: Some("call_1".into()), name: "f".into(), arguments: json!({"x": 1}) };
    let expected = Message::new(Role::Assistant, vec![Part::reasoning("hm"), Part::text("It rains."), call]);
    assert_eq!(response.output, [expected.with_finish_reason("stop")]);
    assert_eq!(response.usage, Usage::new(26, 298).with_cache_read(20));
    let expected: Attributes = [
        (semconv::SERVER_LOAD_SECONDS, Attribute::Float(0.25)),
        (semconv::SERVER_INPUT_SECONDS, Attribute::Float(1.0)),
        (semconv::SERVER_OUTPUT_SECONDS, Attribute::Float(2.0)),
        (semconv::SERVER_TOTAL_SECONDS, Attribute::Float(3.5)),
    ]
    .into_iter()
    .collect();
    assert_eq!(response.attributes, expected);
}

#[test]
fn a_count_that_is_missing_is_not_zero() {
    let check = |counts: Value, expected: Usage| {
        let mut body = json!({"model": "m", "created_at": "t", "done": true, "response": "a"});
        body.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
        assert_eq!(read_response(&body).unwrap().usage, expected, "{body}");
    };
    check(json!({"prompt_eval_count": 3, "eval_count": 2}), Usage::new(3, 2));
    check(
        json!({"eval_count": 2}),
        Usage { status: UsageStatus::Partial, output_tokens: Some(2), ..Usage::default() },
    );
    check(
        json!({"prompt_eval_count": 3, "eval_count": 2, "prompt_eval_cached_count": 0}),
        Usage::new(3, 2).with_cache_read(0),
    );
    check(
        json!({"prompt_eval_count": 3, "eval_count": 2, "prompt_eval_cached_count": 4}),
        Usage { status: UsageStatus::Invalid, ..Usage::new(3, 2).with_cache_read(4) },
    );
    check(json!({"done_reason": "load"}), Usage::default());
}

#[test]
fn bodies_that_only_look_alike_are_not_taken() {
    let check = |body: Value| assert_eq!(read_response(&body), None, "{body}");
    check(json!({"model": "m", "created_at": "t", "done": false, "response": "a"}));
    check(json!({"model": "m", "created_at": "t", "done": true}));
    check(json!({"model": "m", "done": true, "response": "a"}));
    check(json!({"created_at": "t", "done": true, "response": "a"}));
}

#[test]
fn streams_are_put_together() {
    let item = |more: Value| {
        let mut item = json!({"model": "m", "created_at": "t", "done": false});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{item}\n")
    };
    let end = json!({"done": true, "done_reason": "length", "prompt_eval_count": 3, "eval_count": 2});
    let check = |items: &[Value], operation: &str, parts: Vec<Part>| {
        let mut stream = StreamAssembler::detect();
        for piece in items {
            stream.push(item(piece.clone()));
        }
        assert!(stream.has_content());
        assert_eq!(stream.clone().finish().usage.status, UsageStatus::Interrupted);
        let mut last = items.last().unwrap().clone();
        for key in ["message", "response"] {
            if let Some(text) = last.get_mut(key) {
                *text =
                    if key == "message" { json!({"role": "assistant", "content": ""}) } else { json!("") };
            }
        }
        last.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
        let exchange = stream.push(item(last)).finish();
        assert_eq!((exchange.api, exchange.operation), (Some(Api::OllamaChat), Some(operation)));
        assert_eq!(exchange.output, [Message::new(Role::Assistant, parts).with_finish_reason("length")]);
        assert_eq!((exchange.usage, exchange.provider.as_deref()), (Usage::new(3, 2), Some("ollama")));
    };
    check(
        &[json!({"response": "Hel"}), json!({"response": "lo"})],
        "text_completion",
        vec![Part::text("Hello")],
    );
    check(
        &[json!({"response": "", "thinking": "hm"}), json!({"response": "a"})],
        "text_completion",
        vec![Part::reasoning("hm"), Part::text("a")],
    );
    let message = |more: Value| json!({"message": more});
    check(
        &[
            message(json!({"role": "assistant", "content": "", "thinking": "h"})),
            message(json!({"role": "assistant", "content": "", "thinking": "m"})),
            message(
                json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}),
            ),
            message(
                json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "g", "arguments": {}}}]}),
            ),
        ],
        "chat",
        vec![
            Part::reasoning("hm"),
            Part::ToolCall { id: None, name: "f".into(), arguments: json!({"x": 1}) },
            Part::ToolCall { id: None, name: "g".into(), arguments: json!({}) },
        ],
    );
}

#[test]
fn an_error_within_a_stream_is_read() {
    let mut stream = StreamAssembler::new(Api::OllamaChat);
    stream.push("{\"model\":\"m\",\"created_at\":\"t\",\"response\":\"a\",\"done\":false}\n");
    stream.push("{\"error\":\"an error was encountered while running the model\"}\n");
    let exchange = stream.finish();
    assert_eq!(exchange.error.unwrap().message, "an error was encountered while running the model");
    assert_eq!(exchange.usage.status, UsageStatus::Interrupted);
}
