#![expect(clippy::needless_pass_by_value, reason = "the cases read better")]

use serde_json::json;

use super::super::{StreamAssembler, read_request, read_response, read_response_as};
use super::*;
use crate::{UsageStatus, Value as Attribute};

/// What a whole body says: operation, text, reason in its own and in the conventions' word, counts.
fn check(body: Value, told: Option<Api>, operation: &str, text: &str, reason: (&str, &str), usage: Usage) {
    let read = read_response_as(Api::BedrockInvoke, &body);
    assert_eq!(read.operation, Some(operation), "{body}");
    assert_eq!(read.provider.as_deref(), Some(PROVIDER), "{body}");
    assert_eq!(read.output.first().map(Message::text).unwrap_or_default(), text, "{body}");
    let word = read.output.first().and_then(|message| message.finish_reason.as_deref()).unwrap_or_default();
    let own = read.finish_reasons.first().map_or("", String::as_str);
    assert_eq!((own, word), reason, "{body}");
    assert_eq!(read.usage, usage, "{body}");
    assert_eq!(read_response(&body).and_then(|read| read.api), told, "{body}");
    let mut stream = StreamAssembler::new(Api::BedrockInvoke);
    assert_eq!(stream.push(body.to_string()).finish(), read, "{body} in place of a stream");
}

#[test]
fn the_bodies_of_all_families_are_read() {
    let (here, none) = (Some(Api::BedrockInvoke), Usage::default());
    check(
        json!({"id": "msg_bdrk_1", "type": "message", "role": "assistant", "model": "claude-3-haiku",
            "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5}}),
        Some(Api::AnthropicMessages),
        "chat",
        "Hi",
        ("end_turn", "stop"),
        Usage::new(7, 5).with_cache_read(4),
    );
    check(
        json!({"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "max_tokens",
            "usage": {"inputTokens": 3, "outputTokens": 5, "cacheReadInputTokenCount": 4, "cacheWriteInputTokenCount": 1}}),
        Some(Api::BedrockConverse),
        "chat",
        "Hi",
        ("max_tokens", "length"),
        Usage::new(8, 5).with_cache_read(4).with_cache_write(1),
    );
    check(
        json!({"inputTextTokenCount": 9, "results": [{"tokenCount": 17, "outputText": "Hi", "completionReason": "FINISH"}]}),
        here,
        "text_completion",
        "Hi",
        ("FINISH", "stop"),
        Usage::new(9, 17),
    );
    check(
        json!({"generation": "Hi", "prompt_token_count": 9, "generation_token_count": 2, "stop_reason": "length"}),
        here,
        "text_completion",
        "Hi",
        ("length", "length"),
        Usage::new(9, 2),
    );
    check(
        json!({"outputs": [{"text": "Hi", "stop_reason": "stop"}]}),
        here,
        "text_completion",
        "Hi",
        ("stop", "stop"),
        none.clone(),
    );
    check(
        json!({"type": "completion", "completion": "Hi", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"}),
        here,
        "text_completion",
        "Hi",
        ("stop_sequence", "stop"),
        none,
    );
}

#[test]
fn bodies_that_others_send_too_are_read_where_the_api_is_named() {
    let read = |body: Value| read_response_as(Api::BedrockInvoke, &body);
    let chat = read(
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "stop_reason": "tool_calls"}]}),
    );
    assert_eq!(chat.output, [Message::assistant("Hi").with_finish_reason("tool_call")]);
    let jamba = read(
        json!({"id": "c", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}),
    );
    assert_eq!(jamba.usage, Usage { total_tokens: Some(7), ..Usage::new(3, 4) });
    for body in [
        json!({"generations": [{"text": "Hi", "finish_reason": "COMPLETE", "id": "g"}], "id": "c", "prompt": "p"}),
        json!({"response_id": "c", "text": "Hi", "generation_id": "g", "finish_reason": "COMPLETE"}),
        json!({"id": "c", "completions": [{"data": {"text": "Hi"}, "finishReason": {"reason": "endoftext"}}]}),
        json!({"id": "c", "choices": [{"text": "Hi", "stop_reason": "stop"}]}),
    ] {
        let text = read(body.clone());
        assert_eq!(text.output, [Message::assistant("Hi").with_finish_reason("stop")], "{body}");
        assert_eq!(
            (text.response_id.as_deref(), text.usage.status),
            (Some("c"), UsageStatus::Missing),
            "{body}"
        );
    }
    let error = read(json!({"message": "no access"})).error.unwrap();
    assert_eq!(error.message, "no access");
}

#[test]
fn vectors_are_counted() {
    let check = |body: Value, input: Option<u64>| {
        let read = read_response_as(Api::BedrockInvoke, &body);
        assert_eq!(read.operation, Some("embeddings"));
        let expected = [(semconv::EMBEDDINGS_DIMENSION_COUNT, 3)].into_iter().collect();
        assert_eq!(read.attributes, expected, "{body}");
        let status = if input.is_some() { UsageStatus::Complete } else { UsageStatus::Missing };
        assert_eq!(read.usage, Usage { status, input_tokens: input, ..Usage::default() }, "{body}");
    };
    check(json!({"embedding": [0.1, 0.2, 0.3], "inputTextTokenCount": 5}), Some(5));
    check(json!({"embeddings": [[0.1, 0.2, 0.3]], "response_type": "embeddings_floats", "id": "c"}), None);
    check(json!({"embeddings": [{"embeddingType": "TEXT", "embedding": [0.1, 0.2, 0.3]}]}), None);
}

#[test]
fn requests_are_read() {
    let check = |body: Value, operation: &str, text: &str| {
        let request = read_request(&body).unwrap();
        assert_eq!((request.api, request.operation), (Some(Api::BedrockInvoke), Some(operation)), "{body}");
        assert_eq!(
            (request.provider.as_deref(), request.input[0].text().as_str()),
            (Some(PROVIDER), text),
            "{body}"
        );
        let limit = request.parameters.get(semconv::REQUEST_MAX_TOKENS);
        let expected = (operation != "embeddings").then_some(&Attribute::Int(64));
        assert_eq!(limit, expected, "{body}");
    };
    let message = json!([{"role": "user", "content": "hi"}]);
    check(
        json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "messages": message}),
        "chat",
        "hi",
    );
    let message = json!([{"role": "user", "content": [{"text": "hi"}]}]);
    check(
        json!({"schemaVersion": "messages-v1", "messages": message, "inferenceConfig": {"maxTokens": 64}}),
        "chat",
        "hi",
    );
    check(json!({"inputText": "hi", "textGenerationConfig": {"maxTokenCount": 64}}), "text_completion", "hi");
    check(json!({"inputText": "hi", "normalize": true}), "embeddings", "hi");
    check(json!({"prompt": "hi", "max_gen_len": 64}), "text_completion", "hi");
    check(json!({"prompt": "hi", "max_tokens_to_sample": 64}), "text_completion", "hi");
    assert_eq!(read_request(&json!({"inputText": "hi"})), None);
    assert_eq!(read_request(&json!({"prompt": "hi", "max_tokens": 5})), None);
}

fn metrics(input: u64, output: u64) -> Value {
    json!({"inputTokenCount": input, "outputTokenCount": output, "invocationLatency": 700, "firstByteLatency": 300})
}

/// Reads the items of a stream, and each of its beginnings.
fn check_stream(items: &[Value], told: Option<Api>, text: &str, word: &str, usage: Usage) {
    for end in 1..=items.len() {
        let mut stream = StreamAssembler::new(Api::BedrockInvoke);
        let mut detected = StreamAssembler::detect();
        for item in &items[..end] {
            stream.push_event(item);
            detected.push_event(item);
        }
        assert_eq!(detected.finish().api, told);
        let read = stream.finish();
        assert_eq!(read.provider.as_deref(), Some(PROVIDER));
        if end < items.len() {
            assert_eq!(read.usage.status, UsageStatus::Interrupted, "{end} of {items:?}");
            assert!(read.usage.output_tokens <= usage.output_tokens);
            continue;
        }
        assert_eq!(read.output, [Message::assistant(text).with_finish_reason(word)]);
        assert_eq!(read.usage, usage, "{items:?}");
    }
}

#[test]
fn the_last_chunk_of_a_stream_states_its_counts() {
    let here = Some(Api::BedrockInvoke);
    check_stream(
        &[
            json!({"outputText": "He", "index": 0, "totalOutputTextTokenCount": null, "completionReason": null, "inputTextTokenCount": 6}),
            json!({"outputText": "llo", "index": 0, "totalOutputTextTokenCount": 3, "completionReason": "FINISH",
                "inputTextTokenCount": 6, METRICS: metrics(6, 3)}),
        ],
        here,
        "Hello",
        "stop",
        Usage::new(6, 3),
    );
    check_stream(
        &[
            json!({"generation": "He", "prompt_token_count": 6, "generation_token_count": 1, "stop_reason": null}),
            json!({"generation": "llo", "prompt_token_count": null, "generation_token_count": 2, "stop_reason": null}),
            json!({"generation": "", "prompt_token_count": null, "generation_token_count": 3, "stop_reason": "stop", METRICS: metrics(6, 3)}),
        ],
        here,
        "Hello",
        "stop",
        Usage::new(6, 3),
    );
    check_stream(
        &[
            json!({"completion": "He", "stop_reason": null, "stop": null}),
            json!({"completion": "llo", "stop_reason": "max_tokens", "stop": null, METRICS: metrics(6, 3)}),
        ],
        here,
        "Hello",
        "length",
        Usage::new(6, 3),
    );
    check_stream(
        &[
            json!({"outputs": [{"text": "He", "stop_reason": null}]}),
            json!({"outputs": [{"text": "llo", "stop_reason": "stop"}], METRICS: metrics(6, 3)}),
        ],
        here,
        "Hello",
        "stop",
        Usage::new(6, 3),
    );
    check_stream(
        &[
            json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}}]}),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], METRICS: metrics(6, 3)}),
        ],
        Some(Api::OpenAiChat),
        "Hello",
        "stop",
        Usage::new(6, 3),
    );
    let cached = json!({"inputTokenCount": 6, "outputTokenCount": 3, "cacheReadInputTokenCount": 100, "cacheWriteInputTokenCount": 10});
    check_stream(
        &[
            json!({"messageStart": {"role": "assistant"}}),
            json!({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hello"}}}),
            json!({"messageStop": {"stopReason": "end_turn"}}),
            json!({"metadata": {}, METRICS: cached}),
        ],
        Some(Api::BedrockConverse),
        "Hello",
        "stop",
        Usage::new(116, 3).with_cache_read(100).with_cache_write(10),
    );
}

#[test]
fn an_anthropic_stream_keeps_its_own_counts() {
    let usage = json!({"input_tokens": 6, "cache_creation_input_tokens": 10, "output_tokens": 1,
        "cache_creation": {"ephemeral_1h_input_tokens": 10}});
    check_stream(
        &[
            json!({"type": "message_start", "message": {"id": "msg_bdrk_1", "type": "message", "role": "assistant",
                "model": "claude-3", "content": [], "usage": usage}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
        ],
        Some(Api::AnthropicMessages),
        "Hello",
        "stop",
        Usage { cache_write_1h_tokens: Some(10), ..Usage::new(16, 3).with_cache_write(10) },
    );
}
