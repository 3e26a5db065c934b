use serde_json::json;

use super::super::{StreamAssembler, read_request, read_response};
use super::*;
use crate::{Part, UsageStatus, Value as Attribute};

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "claude-sonnet-4-5", "max_tokens": 64, "temperature": 1, "top_k": 40, "stop_sequences": ["END"],
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "output_config": {"effort": "high"}, "service_tier": "standard_only",
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
                {"type": "document", "source": {"type": "url", "url": "https://a.b/c.pdf"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "rain"}]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
    }))
    .unwrap();
    assert_eq!((request.api, request.provider.as_deref()), (Some(Api::AnthropicMessages), Some("anthropic")));
    assert_eq!(request.system, [Part::text("Be brief.")]);
    let image =
        Part::Blob { mime_type: Some("image/png".into()), modality: "image".into(), content: "AA".into() };
    let document =
        Part::Uri { mime_type: None, modality: "document".into(), uri: "https://a.b/c.pdf".into() };
    let answer = Part::ToolCallResponse { id: Some("t".into()), response: json!("rain") };
    let expected = [
        Message::new(Role::User, vec![image, document]),
        Message::new(
            Role::Assistant,
            vec![Part::reasoning("hm"), Part::tool_call(Some("t".into()), "f", "{\"x\":1}")],
        ),
        Message::new(Role::User, vec![answer]),
    ];
    assert_eq!(request.input, expected);
    let tools = json!([
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
    ]);
    assert_eq!(request.tools, Some(tools));
    let expected = [
        (semconv::REQUEST_TEMPERATURE, Attribute::Float(1.0)),
        (semconv::REQUEST_TOP_K, Attribute::Int(40)),
        (semconv::REQUEST_MAX_TOKENS, Attribute::Int(64)),
        (semconv::REQUEST_STOP_SEQUENCES, Attribute::from(["END"])),
        (semconv::REQUEST_SERVICE_TIER, Attribute::from("standard_only")),
        (semconv::REQUEST_REASONING_LEVEL, Attribute::from("high")),
    ];
    assert_eq!(request.parameters, expected.into_iter().collect());
}

#[test]
fn requests_are_told_from_those_of_openai() {
    let check = |fields: Value, api: Api| {
        let mut body =
            json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(read_request(&body).unwrap().api, Some(api), "{body}");
    };
    check(json!({}), Api::OpenAiChat);
    check(json!({"model": "claude-3-haiku"}), Api::AnthropicMessages);
    check(json!({"model": "claude-3-haiku", "n": 2}), Api::OpenAiChat);
    check(json!({"system": "Be brief."}), Api::AnthropicMessages);
    check(json!({"tools": [{"name": "f", "input_schema": {}}]}), Api::AnthropicMessages);
    check(
        json!({"model": "claude", "tools": [{"type": "function", "function": {"name": "f"}}]}),
        Api::OpenAiChat,
    );
    check(json!({"model": "claude", "messages": [{"role": "system", "content": "x"}]}), Api::OpenAiChat);
}

#[test]
fn the_input_counts_what_the_cache_gave_and_took() {
    let check = |stated: Value, expected: Usage| assert_eq!(usage(&stated), expected, "{stated}");
    check(
        json!({"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 30, "output_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            "output_tokens_details": {"thinking_tokens": 4}, "server_tool_use": {"web_search_requests": 2}}),
        Usage {
            cache_write_5m_tokens: Some(20),
            cache_write_1h_tokens: Some(10),
            web_searches: Some(2),
            ..Usage::new(140, 5).with_cache_read(100).with_cache_write(30).with_reasoning(4)
        },
    );
    check(json!({"input_tokens": 10, "output_tokens": 5}), Usage::new(10, 5));
    check(
        json!({"input_tokens": 10, "output_tokens": 5, "cache_creation": {"ephemeral_1h_input_tokens": 7}}),
        Usage { cache_write_1h_tokens: Some(7), ..Usage::new(17, 5).with_cache_write(7) },
    );
    check(
        json!({"input_tokens": 10, "cache_read_input_tokens": null}),
        Usage { status: UsageStatus::Partial, input_tokens: Some(10), ..Usage::default() },
    );
    check(json!({"input_tokens": -10, "output_tokens": "5"}), Usage::default());
    let row = |kind, input, output| json!({"type": kind, "input_tokens": input, "output_tokens": output});
    let with = |rows: Value| json!({"input_tokens": 3, "output_tokens": 4, "iterations": rows});
    check(with(json!([row("message", 1, 2), row("message", 2, 2)])), Usage::new(3, 4));
    check(with(json!([row("compaction", 50, 6), row("message", 3, 4)])), Usage::new(53, 10));
    check(with(json!([row("compaction", -1, 6), row("message", 3, 4)])), Usage::new(3, 4));
}

#[test]
fn a_response_is_read() {
    let response = read_response(&json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_reason": "refusal",
        "content": [
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
            {"type": "redacted_thinking", "data": "x"},
        ],
        "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": "priority", "speed": "fast", "inference_geo": "us",
            "iterations": [
                {"type": "message", "input_tokens": 1, "output_tokens": 2},
                {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 9, "output_tokens": 3},
            ]},
    }))
    .unwrap();
    let expected = vec![
        Part::Other(json!({"type": "server_tool_call", "id": "s", "name": "web_search",
            "server_tool_call": {"type": "web_search", "input": {"query": "q"}}})),
        Part::Other(json!({"type": "server_tool_call_response", "id": "s",
            "server_tool_call_response": {"type": "web_search", "content": []}})),
        Part::Other(json!({"type": "redacted_thinking", "data": "x"})),
    ];
    assert_eq!(
        response.output,
        [Message::new(Role::Assistant, expected).with_finish_reason("content_filter")]
    );
    assert_eq!(response.finish_reasons, ["refusal"]);
    assert_eq!(response.service_tier.as_deref(), Some("priority"));
    assert_eq!(response.usage, Usage::new(10, 5));
    let expected = [
        (semconv::SPEED, Attribute::from("fast")),
        (semconv::INFERENCE_GEO, Attribute::from("us")),
        (semconv::USAGE_OTHER_MODELS, Attribute::from(["claude-opus-4-8"])),
    ];
    assert_eq!(response.attributes, expected.into_iter().collect());
}

#[test]
fn who_serves_the_shape_is_shown_by_id_and_model() {
    let check = |id: &str, model: &str, expected: Option<&str>| {
        let body = json!({"id": id, "model": model, "type": "message", "role": "assistant", "content": []});
        assert_eq!(read_response(&body).unwrap().provider.as_deref(), expected, "{body}");
    };
    check("msg_01", "claude-sonnet-5", Some("anthropic"));
    check("msg_bdrk_01", "claude-sonnet-5", Some("aws.bedrock"));
    check("msg_vrtx_01", "claude-sonnet-5", Some("gcp.vertex_ai"));
    check("x", "deepseek-chat", None);
}

fn events() -> Vec<Value> {
    vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": [],
            "model": "claude-x", "stop_reason": null, "usage": {"input_tokens": 10, "cache_read_input_tokens": 5,
                "cache_creation_input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 3}, "output_tokens": 1}}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"x\":"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": null}, "usage": {"output_tokens": 6}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9, "input_tokens": null}}),
        json!({"type": "message_stop"}),
    ]
}

#[test]
fn a_stream_replaces_its_counts_and_keeps_the_split() {
    let mut stream = StreamAssembler::detect();
    let mut content = Vec::new();
    for event in events() {
        content.push(stream.push_event(&event).has_content());
    }
    assert_eq!(content.iter().position(|has| *has), Some(3));
    let whole = stream.finish();
    let usage = Usage::new(18, 9).with_cache_read(5).with_cache_write(3);
    assert_eq!(whole.usage, Usage { cache_write_1h_tokens: Some(3), ..usage });
    let parts = vec![Part::text("Hi"), Part::tool_call(Some("t".into()), "f", "{\"x\":1}")];
    assert_eq!(whole.output, [Message::new(Role::Assistant, parts).with_finish_reason("tool_call")]);
    assert_eq!(stream.finish(), Exchange::default(), "finished, the assembler is as new");
}

#[test]
fn a_stream_cut_early_knows_its_input_and_a_lower_bound() {
    let check = |events_seen: usize, status: UsageStatus, output: Option<u64>| {
        let mut stream = StreamAssembler::new(Api::AnthropicMessages);
        for event in events().iter().take(events_seen) {
            stream.push_event(event);
        }
        let cut = stream.finish();
        assert_eq!((cut.usage.status, cut.usage.output_tokens), (status, output), "{events_seen} events");
        assert_eq!(cut.usage.input_tokens, (events_seen > 0).then_some(18));
    };
    check(0, UsageStatus::Interrupted, None);
    check(1, UsageStatus::Interrupted, Some(1));
    check(7, UsageStatus::Interrupted, Some(1));
    check(8, UsageStatus::Interrupted, Some(6));
    check(9, UsageStatus::Complete, Some(9));
    check(10, UsageStatus::Complete, Some(9));
}

#[test]
fn counting_tokens_is_no_call() {
    for body in [
        json!({"input_tokens": 2095}),
        json!({"input_tokens": 2095, "context_management": {"original_input_tokens": 3000}}),
        json!({"object": "response.input_tokens", "input_tokens": 11}),
        json!({"totalTokens": 31}),
    ] {
        assert_eq!(read_response(&body), None, "{body}");
    }
}

#[test]
fn a_refusal_is_billed_as_far_as_it_went() {
    let mut stream = StreamAssembler::detect();
    for event in [
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-5", "content": [], "usage": {"input_tokens": 564, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": {"type": "refusal"}},
            "usage": {"output_tokens": 22}}),
        json!({"type": "message_stop"}),
    ] {
        stream.push_event(&event);
    }
    let refused = stream.finish();
    assert_eq!((refused.usage, refused.finish_reasons), (Usage::new(564, 22), vec!["refusal".to_owned()]));
    assert_eq!(refused.output, [Message::assistant("Hello").with_finish_reason("content_filter")]);
}

#[test]
fn thinking_and_tools_of_the_provider_are_read_from_a_request() {
    let request = read_request(&json!({
        "model": "claude-sonnet-4-5", "max_tokens": 9, "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "web_search_20250305", "name": "web_search"}, {"type": "mcp_toolset"}],
    }))
    .unwrap();
    assert_eq!(request.parameters.get_str(semconv::REQUEST_THINKING), Some("enabled"));
    assert_eq!(
        request.parameters.get(semconv::REQUEST_THINKING_TOKENS).and_then(crate::Value::as_i64),
        Some(1024)
    );
    assert_eq!(
        request.tools,
        Some(
            json!([{"type": "web_search_20250305", "name": "web_search"}, {"type": "mcp_toolset", "name": "mcp_toolset"}])
        )
    );
}
