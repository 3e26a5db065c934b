use serde_json::json;

use super::super::{StreamAssembler, read_request, read_response, read_response_as};
use super::*;
use crate::{Part, Value as Attribute};

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [
                {"text": "What is this?"},
                {"image": {"format": "png", "source": {"bytes": "AA"}}},
                {"document": {"format": "pdf", "name": "d", "source": {"s3Location": {"uri": "s3://a/b.pdf"}}}},
                {"document": {"format": "txt", "name": "d", "source": {"text": "words"}}},
                {"video": {"format": "three_gp", "source": {"s3Location": {"uri": "s3://a/b"}}}},
                {"guardContent": {"text": {"text": "guarded", "qualifiers": ["query"]}}},
                {"cachePoint": {"type": "default"}},
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                {"reasoningContent": {"redactedContent": "AA"}},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"x": 1}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t", "content": [{"json": {"y": 2}}], "status": "success"}},
                {"toolResult": {"toolUseId": "u", "content": [{"text": "a"}, {"text": "b"}]}},
            ]},
        ],
        "inferenceConfig": {"maxTokens": 64, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
        "additionalModelRequestFields": {"top_k": 40, "reasoning_effort": "low"},
        "toolConfig": {"tools": [
            {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}},
            {"systemTool": {"name": "nova_grounding"}},
            {"cachePoint": {"type": "default"}},
        ]},
        "serviceTier": {"type": "priority"},
        "outputConfig": {"textFormat": {"type": "json_schema"}},
    }))
    .unwrap();
    assert_eq!((request.api, request.provider.as_deref()), (Some(Api::BedrockConverse), Some(PROVIDER)));
    assert_eq!(request.request_model.as_deref(), Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0"));
    assert_eq!(request.system, [Part::text("Be brief.")]);
    let uri = |mime: &str, modality: &str, uri: &str| Part::Uri {
        mime_type: Some(mime.into()),
        modality: modality.into(),
        uri: uri.into(),
    };
    let sent = vec![
        Part::text("What is this?"),
        Part::Blob { mime_type: Some("image/png".into()), modality: "image".into(), content: "AA".into() },
        uri("application/pdf", "document", "s3://a/b.pdf"),
        Part::text("words"),
        uri("video/3gpp", "video", "s3://a/b"),
        Part::text("guarded"),
    ];
    let redacted = json!({"type": "reasoningContent", "reasoningContent": {"redactedContent": "AA"}});
    let answered = vec![
        Part::reasoning("hm"),
        Part::Other(redacted),
        Part::tool_call(Some("t".into()), "f", "{\"x\":1}"),
    ];
    let results = vec![
        Part::ToolCallResponse { id: Some("t".into()), response: json!({"y": 2}) },
        Part::ToolCallResponse { id: Some("u".into()), response: json!([{"text": "a"}, {"text": "b"}]) },
    ];
    let expected = [
        Message::new(Role::User, sent),
        Message::new(Role::Assistant, answered),
        Message::new(Role::User, results),
    ];
    assert_eq!(request.input, expected);
    let tools = json!([
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        {"type": "systemTool", "name": "nova_grounding"},
    ]);
    assert_eq!(request.tools, Some(tools));
    let expected = [
        (semconv::REQUEST_TEMPERATURE, Attribute::Float(0.5)),
        (semconv::REQUEST_TOP_P, Attribute::Float(0.9)),
        (semconv::REQUEST_MAX_TOKENS, Attribute::Int(64)),
        (semconv::REQUEST_STOP_SEQUENCES, Attribute::from(["END"])),
        (semconv::REQUEST_TOP_K, Attribute::Int(40)),
        (semconv::REQUEST_REASONING_LEVEL, Attribute::from("low")),
        (semconv::REQUEST_SERVICE_TIER, Attribute::from("priority")),
        (semconv::OUTPUT_TYPE, Attribute::from("json")),
    ];
    assert_eq!(request.parameters, expected.into_iter().collect());
}

#[test]
fn the_input_counts_what_the_cache_gave_and_took() {
    let check = |stated: Value, expected: Usage| assert_eq!(usage(&stated), expected, "{stated}");
    check(json!({"inputTokens": 10, "outputTokens": 5}), Usage::new(10, 5));
    check(
        json!({"inputTokens": 13, "outputTokens": 5, "totalTokens": 1522, "cacheReadInputTokens": 1504,
            "cacheReadInputTokenCount": 1504, "cacheWriteInputTokens": 0}),
        Usage { total_tokens: Some(1522), ..Usage::new(1517, 5).with_cache_read(1504).with_cache_write(0) },
    );
    check(
        json!({"inputTokens": 1, "outputTokens": 2, "cacheWriteInputTokens": 30,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 20}, {"ttl": "5m", "inputTokens": 10}]}),
        Usage {
            cache_write_5m_tokens: Some(10),
            cache_write_1h_tokens: Some(20),
            ..Usage::new(31, 2).with_cache_write(30)
        },
    );
    check(
        json!({"inputTokens": 1, "outputTokens": 2, "cacheDetails": [{"ttl": "5m", "inputTokens": 10}]}),
        Usage { cache_write_5m_tokens: Some(10), ..Usage::new(11, 2).with_cache_write(10) },
    );
    check(
        json!({"inputTokens": 1, "outputTokens": 2, "cacheWriteInputTokens": 3,
            "cacheDetails": [{"ttl": "5m", "inputTokens": 10}]}),
        Usage {
            status: UsageStatus::Invalid,
            cache_write_5m_tokens: Some(10),
            ..Usage::new(4, 2).with_cache_write(3)
        },
    );
    check(
        json!({"inputTokens": 10, "outputTokens": 5, "totalTokens": 20}),
        Usage { status: UsageStatus::Partial, total_tokens: Some(20), ..Usage::new(10, 5) },
    );
    check(
        json!({"outputTokens": 5, "cacheReadInputTokens": 3}),
        Usage {
            status: UsageStatus::Partial,
            output_tokens: Some(5),
            cache_read_tokens: Some(3),
            ..Usage::default()
        },
    );
    check(json!({"inputTokens": -1, "outputTokens": "5"}), Usage::default());
}

#[test]
fn a_response_is_read() {
    let response = read_response(&json!({
        "output": {"message": {"role": "assistant", "content": [
            {"text": "I look."},
            {"citationsContent": {"content": [{"text": "As "}, {"text": "said."}], "citations": []}},
            {"toolUse": {"toolUseId": "t", "name": "f", "input": {"x": 1}}},
            {"toolUse": {"toolUseId": "s", "name": "nova_grounding", "input": {"q": "a"}, "type": "server_tool_use"}},
        ]}},
        "stopReason": "tool_use", "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
        "metrics": {"latencyMs": 5}, "serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"},
        "trace": {"guardrail": {"modelOutput": ["x"]}},
    }))
    .unwrap();
    assert_eq!((response.api, response.provider.as_deref()), (Some(Api::BedrockConverse), Some(PROVIDER)));
    let parts = vec![
        Part::text("I look."),
        Part::text("As said."),
        Part::tool_call(Some("t".into()), "f", "{\"x\":1}"),
        Part::Other(json!({"type": "server_tool_call", "id": "s", "name": "nova_grounding",
            "server_tool_call": {"type": "nova_grounding", "input": {"q": "a"}}})),
    ];
    assert_eq!(response.output, [Message::new(Role::Assistant, parts).with_finish_reason("tool_call")]);
    assert_eq!(
        (response.finish_reasons, response.service_tier),
        (vec!["tool_use".into()], Some("flex".into()))
    );
    assert_eq!(response.attributes, [(semconv::SPEED, "optimized")].into_iter().collect());
    assert_eq!(response.usage, Usage { total_tokens: Some(7), ..Usage::new(3, 4) });
}

#[test]
fn reasons_are_in_the_words_of_the_conventions() {
    let check = |reason: &str, expected: &str| assert_eq!(finish_word(reason), expected);
    check("end_turn", "stop");
    check("stop_sequence", "stop");
    check("max_tokens", "length");
    check("model_context_window_exceeded", "length");
    check("tool_use", "tool_call");
    check("guardrail_intervened", "content_filter");
    check("content_filtered", "content_filter");
    check("malformed_tool_use", "error");
    check("malformed_model_output", "error");
    check("new", "new");
}

#[test]
fn errors_are_read_where_the_api_is_named() {
    let check = |body: Value, kind: Option<&str>, message: &str| {
        let error = read_response_as(Api::BedrockConverse, &body).error.unwrap();
        assert_eq!((error.kind.as_deref(), &*error.message), (kind, message));
        assert_eq!(read_response(&body).and_then(|read| read.api), None, "{body} says nothing of its API");
    };
    check(json!({"message": "The model is invalid."}), None, "The model is invalid.");
    check(
        json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}),
        Some("AccessDeniedException"),
        "no",
    );
}

#[test]
fn ordinary_json_is_not_converse() {
    for body in [
        json!({"messages": [{"role": "user", "content": "hi"}]}),
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}),
        json!({"messages": [{"role": "user", "parts": [{"text": "hi"}]}]}),
        json!({"messages": [{"role": "user", "content": []}]}),
        json!({"output": {"message": "hi"}, "stopReason": "end_turn"}),
        json!({"output": {"message": {"content": []}}}),
        json!({"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}),
    ] {
        assert_eq!(read_request(&body), None, "{body}");
        assert_eq!(read_response(&body), None, "{body}");
    }
    for item in [json!({"metadata": {}}), json!({"messageStart": 1}), json!({"messageStop": {"a": 1}})] {
        assert_eq!(StreamAssembler::detect().push_event(&item).api(), None, "{item}");
    }
}

fn items() -> Vec<Value> {
    vec![
        json!({"messageStart": {"role": "assistant"}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}}),
        json!({"contentBlockStop": {"contentBlockIndex": 0}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "Hel"}}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "lo"}}}),
        json!({"contentBlockStop": {"contentBlockIndex": 1}}),
        json!({"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{\"x\":"}}}}),
        json!({"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "1}"}}}}),
        json!({"contentBlockStop": {"contentBlockIndex": 2}}),
        json!({"messageStop": {"stopReason": "tool_use"}}),
        json!({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokens": 5},
            "metrics": {"latencyMs": 1}, "serviceTier": {"type": "default"}}}),
    ]
}

#[test]
fn a_stream_ends_with_its_metadata() {
    let parts =
        vec![Part::reasoning("hm"), Part::text("Hello"), Part::tool_call(Some("t".into()), "f", "{\"x\":1}")];
    let all = items();
    for end in 0..=all.len() {
        let mut stream = StreamAssembler::detect();
        for item in &all[..end] {
            stream.push_event(item);
        }
        assert_eq!(stream.has_content(), end > 1);
        let read = stream.finish();
        if end == all.len() {
            assert_eq!(read.usage, Usage::new(8, 4).with_cache_read(5));
            assert_eq!(read.service_tier.as_deref(), Some("default"));
            assert_eq!(
                read.output,
                [Message::new(Role::Assistant, parts.clone()).with_finish_reason("tool_call")]
            );
        } else if end > 0 {
            assert_eq!(read.usage, Usage { status: UsageStatus::Interrupted, ..Usage::default() });
        }
    }
}

#[test]
fn an_exception_ends_a_stream() {
    let thrown = json!({"modelStreamErrorException": {"message": "oh", "originalStatusCode": 424}});
    let framed = json!({"error": {"type": "modelStreamErrorException", "message": "oh"}});
    for thrown in [thrown, framed] {
        let mut stream = StreamAssembler::new(Api::BedrockConverse);
        let read = stream.push_event(&items()[0]).push_event(&items()[4]).push_event(&thrown).finish();
        let error = read.error.unwrap();
        assert_eq!((error.kind.as_deref(), &*error.message), (Some("modelStreamErrorException"), "oh"));
        assert_eq!(read.usage.status, UsageStatus::Interrupted);
        let alone = stream.push_event(&thrown).finish();
        assert_eq!((alone.error.unwrap().message, alone.usage.status), ("oh".into(), UsageStatus::Missing));
    }
}
