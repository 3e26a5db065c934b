use super::super::{StreamAssembler, read_request, read_response, read_response_as};
use super::*;
use crate::{Attributes, UsageStatus, Value as Attribute};

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "command-a-reasoning-08-2025", "temperature": 0.3, "p": 0.75, "k": 5, "max_tokens": 9, "seed": 4,
        "stop_sequences": ["x"], "frequency_penalty": 0.1, "presence_penalty": 0.2, "stream": true,
        "response_format": {"type": "json_object"}, "thinking": {"type": "enabled", "token_budget": 10},
        "citation_options": {"mode": "FAST"}, "documents": ["d", {"id": "1", "data": {"text": "e"}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://a.b/c.png"}},
            ]},
            {"role": "assistant", "tool_plan": "Look.", "tool_calls": [
                {"id": "f1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "f1", "content": [{"type": "document", "document": {"data": "r"}}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    }))
    .unwrap();
    assert_eq!((request.api, request.operation), (Some(Api::CohereChat), Some("chat")));
    assert_eq!(request.provider, None);
    let document = |document: Value| Part::Other(json!({"type": "document", "document": document}));
    let image = Part::Uri { mime_type: None, modality: "image".into(), uri: "https://a.b/c.png".into() };
    let expected = [
        Message::new(
            Role::Other("documents".into()),
            vec![document(json!("d")), document(json!({"id": "1", "data": {"text": "e"}}))],
        ),
        Message::system("Be brief."),
        Message::new(Role::User, vec![Part::text("a"), image]),
        Message::new(
            Role::Assistant,
            vec![Part::reasoning("Look."), Part::tool_call(Some("f1".into()), "f", "{}")],
        ),
        Message::tool("f1", json!([{"type": "document", "document": {"data": "r"}}])),
    ];
    assert_eq!(request.input, expected);
    assert_eq!(
        request.tools,
        Some(json!([{"type": "function", "name": "f", "parameters": {"type": "object"}}]))
    );
    let expected: Attributes = [
        (semconv::REQUEST_TEMPERATURE, Attribute::Float(0.3)),
        (semconv::REQUEST_TOP_P, Attribute::Float(0.75)),
        (semconv::REQUEST_TOP_K, Attribute::Int(5)),
        (semconv::REQUEST_MAX_TOKENS, Attribute::Int(9)),
        (semconv::REQUEST_SEED, Attribute::Int(4)),
        (semconv::REQUEST_FREQUENCY_PENALTY, Attribute::Float(0.1)),
        (semconv::REQUEST_PRESENCE_PENALTY, Attribute::Float(0.2)),
        (semconv::REQUEST_STOP_SEQUENCES, Attribute::from(["x"])),
        (semconv::REQUEST_REASONING_LEVEL, Attribute::from("enabled")),
        (semconv::REQUEST_CITATION_MODE, Attribute::from("FAST")),
        (semconv::OUTPUT_TYPE, Attribute::from("json")),
        (semconv::REQUEST_STREAM, Attribute::Bool(true)),
    ]
    .into_iter()
    .collect();
    assert_eq!(request.parameters, expected);
}

#[test]
fn a_request_of_version_1_is_read() {
    let request = read_request(&json!({
        "model": "command-r", "message": "hi", "preamble": "Be brief.",
        "chat_history": [
            {"role": "USER", "message": "a"},
            {"role": "CHATBOT", "message": "b", "tool_calls": [{"name": "f", "parameters": {"x": 1}}]},
            {"role": "TOOL", "tool_results": [{"call": {"name": "f", "parameters": {"x": 1}}, "outputs": [{"y": 2}]}]},
        ],
        "tools": [{"name": "f", "description": "F.", "parameter_definitions": {"x": {"type": "int"}}}],
    }))
    .unwrap();
    assert_eq!(request.system, [Part::text("Be brief.")]);
    let call = Part::ToolCall { id: None, name: "f".into(), arguments: json!({"x": 1}) };
    let expected = [
        Message::user("a"),
        Message::new(Role::Assistant, vec![Part::text("b"), call]),
        Message::tool("f", json!([{"y": 2}])),
        Message::user("hi"),
    ];
    assert_eq!(request.input, expected);
    assert_eq!(
        request.tools,
        Some(
            json!([{"type": "function", "name": "f", "description": "F.", "parameters": {"x": {"type": "int"}}}])
        )
    );
}

#[test]
fn requests_of_others_are_left_to_them() {
    let check = |body: Value, api: Option<Api>| {
        assert_eq!(read_request(&body).and_then(|exchange| exchange.api), api, "{body}");
    };
    let messages = json!([{"role": "user", "content": "hi"}]);
    check(json!({"model": "gpt-4o", "messages": messages}), Some(Api::OpenAiChat));
    check(json!({"model": "cohere/command-r", "messages": messages}), Some(Api::OpenAiChat));
    check(json!({"model": "command-r", "messages": messages}), Some(Api::CohereChat));
    check(json!({"model": "m", "messages": messages, "safety_mode": "OFF"}), Some(Api::CohereChat));
    check(json!({"message": "hi", "model": "m"}), None);
    check(json!({"model": "command-r", "messages": [{"text": "hi"}]}), None);
}

#[test]
fn a_response_is_read() {
    let response = read_response(&json!({
        "id": "i", "finish_reason": "MAX_TOKENS",
        "message": {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Paris."},
        ], "citations": [{"start": 0, "end": 5, "text": "Paris"}]},
        "usage": {"billed_units": {"input_tokens": 41.0, "output_tokens": 25}, "tokens": {"input_tokens": 1441, "output_tokens": 54}},
    }))
    .unwrap();
    assert_eq!((response.api, response.provider.as_deref()), (Some(Api::CohereChat), Some("cohere")));
    assert_eq!((response.response_id.as_deref(), response.response_model), (Some("i"), None));
    let expected = Message::new(Role::Assistant, vec![Part::reasoning("hm"), Part::text("Paris.")]);
    assert_eq!(response.output, [expected.with_finish_reason("length")]);
    assert_eq!(response.finish_reasons, ["MAX_TOKENS"]);
    assert_eq!(response.usage, Usage::new(41, 25));
}

#[test]
fn a_response_of_version_1_is_read() {
    let response = read_response(&json!({
        "response_id": "r", "generation_id": "g", "text": "Hi", "finish_reason": "COMPLETE", "chat_history": [],
        "tool_calls": [{"name": "f", "parameters": {"x": 1}}],
        "meta": {"api_version": {"version": "1"}, "billed_units": {"input_tokens": 7, "output_tokens": 1}},
    }))
    .unwrap();
    assert_eq!((response.api, response.response_id.as_deref()), (Some(Api::CohereChat), Some("r")));
    let call = Part::ToolCall { id: None, name: "f".into(), arguments: json!({"x": 1}) };
    let expected = Message::new(Role::Assistant, vec![Part::text("Hi"), call]);
    assert_eq!(response.output, [expected.with_finish_reason("stop")]);
    assert_eq!(response.usage, Usage::new(7, 1));
}

#[test]
fn what_is_billed_counts() {
    let check =
        |stated: Value, expected: Usage| assert_eq!(usage(&json!({"usage": stated})), expected, "{stated}");
    let tokens = json!({"input_tokens": 208, "output_tokens": 9});
    check(
        json!({"billed_units": {"input_tokens": 12, "output_tokens": 9}, "tokens": tokens, "cached_tokens": 208}),
        Usage::new(12, 9).with_cache_read(12),
    );
    check(
        json!({"billed_units": {"input_tokens": 12, "output_tokens": 9}, "tokens": tokens, "cached_tokens": 3}),
        Usage::new(12, 9).with_cache_read(3),
    );
    check(json!({"tokens": tokens, "cached_tokens": 100}), Usage::new(208, 9).with_cache_read(100));
    check(
        json!({"billed_units": {"input_tokens": 12}}),
        Usage { status: UsageStatus::Partial, input_tokens: Some(12), ..Usage::default() },
    );
    check(json!({"billed_units": {"search_units": 1}}), Usage::default());
    check(json!(null), Usage::default());
}

#[test]
fn a_stream_is_put_together() {
    let mut stream = StreamAssembler::detect();
    let events = [
        json!({"type": "message-start", "id": "i", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": ""}}}),
        json!({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "thinking", "thinking": ""}}}}),
        json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": "hm"}}}}),
        json!({"type": "content-end", "index": 0}),
        json!({"type": "content-start", "index": 1, "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
        json!({"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": "Pa"}}}}),
        json!({"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": "ris"}}}}),
        json!({"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 0, "end": 5, "text": "Paris"}}}}),
        json!({"type": "citation-end", "index": 0}),
        json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}}}}),
        json!({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "{\"x\":"}}}}}),
        json!({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "1}"}}}}}),
        json!({"type": "tool-call-end", "index": 0}),
    ];
    for (at, event) in events.iter().enumerate() {
        stream.push_event(event);
        assert_eq!(stream.has_content(), at >= 2, "{event}");
    }
    assert_eq!(stream.clone().finish().usage.status, UsageStatus::Interrupted);
    stream.push_event(&json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL",
        "usage": {"billed_units": {"input_tokens": 5, "output_tokens": 7}, "tokens": {"input_tokens": 50, "output_tokens": 9}}}}));
    let exchange = stream.finish();
    assert_eq!(exchange.api, Some(Api::CohereChat));
    let parts =
        vec![Part::reasoning("hm"), Part::text("Paris"), Part::tool_call(Some("c".into()), "f", "{\"x\":1}")];
    assert_eq!(exchange.output, [Message::new(Role::Assistant, parts).with_finish_reason("tool_call")]);
    assert_eq!(exchange.usage, Usage::new(5, 7));
}

#[test]
fn a_stream_of_version_1_takes_the_whole_from_its_end() {
    let end = json!({"is_finished": true, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": {
        "response_id": "r", "generation_id": "g", "text": "Hello", "chat_history": [{"role": "USER", "message": "hi"}],
        "meta": {"billed_units": {"input_tokens": 1, "output_tokens": 2}}}});
    let mut stream = StreamAssembler::detect();
    stream.push("{\"is_finished\":false,\"event_type\":\"stream-start\",\"generation_id\":\"g\"}\n");
    stream.push("{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"Hel\"}\n");
    let cut = stream.clone().finish();
    assert_eq!((cut.output[0].text().as_str(), cut.usage.status), ("Hel", UsageStatus::Interrupted));
    let exchange = stream.push(format!("{end}\n")).finish();
    assert_eq!(exchange.output, [Message::assistant("Hello").with_finish_reason("stop")]);
    assert_eq!((exchange.response_id.as_deref(), exchange.usage), (Some("r"), Usage::new(1, 2)));
}

#[test]
fn errors_are_read() {
    let check = |exchange: Exchange, message: &str| {
        assert_eq!(exchange.error.unwrap().message, message);
        assert!(exchange.output.is_empty());
    };
    check(
        read_response_as(Api::CohereChat, &json!({"id": "1", "message": "invalid api token"})),
        "invalid api token",
    );
    let failed = json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "broken"}});
    check(StreamAssembler::detect().push_event(&failed).finish(), "broken");
}
