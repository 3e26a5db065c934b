//! Requests, responses and streams of providers, from the span to the price.

use llmtrace::testing::Recording;
use llmtrace::{PriceOverrides, Rates, SpanExt as _, SpanRecord, Status, Usage, UsageStatus};
use serde_json::{Value, json};
use tracing::info_span;

fn record(response: &Value) -> SpanRecord {
    let recording = Recording::start();
    recording.run(|| {
        info_span!("call", llmtrace.kind = "generation", gen_ai.provider.name = "openai")
            .record_response(response);
    });
    recording.span("call")
}

fn attribute<'a>(span: &'a SpanRecord, key: &str) -> Option<&'a str> {
    span.attributes.get_str(key)
}

#[test]
fn a_chat_response_gives_model_messages_tokens_and_cost() {
    let span = record(&json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{\"q\":\"x\"}"}}]}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
            "prompt_tokens_details": {"cached_tokens": 400}},
    }));
    assert_eq!(span.model(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(span.usage().cache_read_tokens, Some(400));
    assert_eq!(span.cost().unwrap().to_string(), "0.00018");
    assert_eq!(attribute(&span, "llmtrace.cost.source"), Some("bundled"));
    assert_eq!(attribute(&span, "llmtrace.cost.matched_model"), Some("gpt-4o-mini"));
    assert!(attribute(&span, "llmtrace.cost.as_of").is_some());
    assert_eq!(attribute(&span, "llmtrace.usage.status"), Some("complete"));
    assert_eq!(
        serde_json::to_value(&span.output).unwrap(),
        json!([{"role": "assistant", "finish_reason": "tool_call",
            "parts": [{"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "x"}}]}])
    );
}

#[test]
fn the_served_tier_is_the_one_that_is_priced() {
    let cost = |tier: &str| {
        record(&json!({
            "id": "x", "object": "chat.completion", "model": "gpt-5", "service_tier": tier,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
            "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000},
        }))
        .cost()
        .map(|cost| cost.to_string())
    };
    assert_eq!((cost("default").as_deref(), cost("flex").is_some()), (Some("1.25"), true));
}

#[test]
fn unknown_models_have_tokens_and_no_cost() {
    let span = record(&json!({
        "id": "x", "object": "chat.completion", "model": "gpt-99",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
    }));
    assert_eq!(
        (span.usage().input_tokens, span.usage().output_tokens, span.cost()),
        (Some(10), Some(1), None)
    );
    assert_eq!(attribute(&span, "llmtrace.cost.status"), Some("unknown_model"));
}

#[test]
fn a_missing_usage_is_not_zero_and_a_contradiction_is_not_priced() {
    let chat = |usage: Value| {
        record(&json!({
            "id": "x", "object": "chat.completion", "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
            "usage": usage,
        }))
    };
    let missing = chat(Value::Null);
    assert_eq!((missing.usage().status, missing.usage().input_tokens), (UsageStatus::Missing, None));
    let invalid = chat(
        json!({"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 5}}),
    );
    assert_eq!((invalid.usage().status, invalid.cost()), (UsageStatus::Invalid, None));
}

#[test]
fn prices_of_the_user_come_first() {
    let recording = Recording::with(|builder| {
        builder.prices(
            PriceOverrides::new()
                .model("my-model", Rates::per_mtok("2".parse().unwrap(), "0".parse().unwrap())),
        )
    });
    recording.run(|| {
        let span = info_span!("call", llmtrace.kind = "generation", gen_ai.request.model = "my-model");
        span.record_usage(Usage::new(500, 7));
    });
    let span = recording.span("call");
    assert_eq!(span.cost().unwrap().to_string(), "0.001");
    assert_eq!(attribute(&span, "llmtrace.cost.source"), Some("override"));
    assert_eq!(recording.guard().usage().models["my-model"].cost.to_string(), "0.001");
}

#[test]
fn an_error_body_is_an_error() {
    let span = record(&json!({"error": {"message": "slow down", "type": "rate_limit_error", "code": "429"}}));
    assert_eq!(span.status, Status::error("slow down"));
    assert_eq!(attribute(&span, "error.type"), Some("rate_limit_error"));
    assert_eq!(span.usage().status, UsageStatus::Missing);
}

#[test]
fn a_request_gives_model_parameters_and_messages() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!("call", llmtrace.kind = "generation").record_request(&json!({
            "model": "gpt-4o", "temperature": 0.2, "max_tokens": 50,
            "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        }));
    });
    let span = recording.span("call");
    assert_eq!(span.model(), Some("gpt-4o"));
    assert_eq!(span.attributes.get("gen_ai.request.temperature"), Some(&0.2.into()));
    assert_eq!(span.attributes.get("gen_ai.request.max_tokens"), Some(&50.into()));
    assert_eq!(span.input.iter().map(llmtrace::Message::text).collect::<Vec<_>>(), ["be brief", "hi"]);
}

#[test]
fn a_list_of_messages_is_read_as_a_conversation() {
    #[llmtrace::llm_trace]
    fn chat(_model: &str, _messages: &[Value]) {}
    let recording = Recording::start();
    let messages =
        [json!({"role": "user", "content": "hi"}), json!({"role": "assistant", "content": "hello"})];
    recording.run(|| chat("m", &messages));
    let span = recording.span("chat");
    assert_eq!(span.input.iter().map(llmtrace::Message::text).collect::<Vec<_>>(), ["hi", "hello"]);
}

#[test]
fn a_span_around_a_call_does_not_count_its_tokens_again() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!("agent", llmtrace.kind = "agent").record_response(&json!({
            "id": "x", "object": "chat.completion", "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
        }));
    });
    let span = recording.span("agent");
    assert_eq!((span.usage().total(), span.model(), span.cost()), (None, None, None));
    assert_eq!(span.output[0].text(), "hi");
}

#[test]
fn an_error_is_told_with_its_causes() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("request failed")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    #[llmtrace::llm_trace]
    fn plain() -> Result<(), Outer> {
        Err(Outer(std::io::Error::other("connection reset")))
    }
    #[llmtrace::llm_trace]
    fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(plain()?)
    }
    let recording = Recording::start();
    recording.run(|| drop(boxed()));
    for name in ["plain", "boxed"] {
        assert_eq!(recording.span(name).status, Status::error("request failed: connection reset"));
    }
    assert_eq!(attribute(&recording.span("boxed"), "error.type"), Some("error"));
}

#[test]
fn traces_come_in_the_order_in_which_they_ended() {
    let recording = Recording::start();
    recording.run(|| (0..50).for_each(|n| drop(info_span!("call", llmtrace.kind = "tool", n))));
    let order: Vec<_> =
        recording.spans().iter().filter_map(|span| span.attributes.get("n")?.as_i64()).collect();
    assert_eq!(order, (0..50).collect::<Vec<_>>());
}

/// A call whose answer came over HTTP.
fn answered(status: u16, headers: &[(&str, &str)], request: &Value, body: &Value) -> SpanRecord {
    let recording = Recording::start();
    recording.run(|| {
        let span = info_span!("call", llmtrace.kind = "generation");
        span.record_request(request);
        span.record_http_status(status);
        span.record_response_headers(headers.iter().copied());
        span.record_response(body);
    });
    recording.span("call")
}

fn asked() -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]})
}

#[test]
fn headers_are_read_and_secrets_among_them_are_not() {
    let headers = [
        ("x-request-id", "req_1"),
        ("Authorization", "Bearer sk-secret"),
        ("set-cookie", "secret"),
        ("x-ratelimit-remaining-requests", "99"),
    ];
    let span = answered(200, &headers, &asked(), &json!({"no": "answer"}));
    assert_eq!(attribute(&span, "llmtrace.request_id"), Some("req_1"));
    assert_eq!(span.attributes.get("llmtrace.rate_limit.requests.remaining"), Some(&99.into()));
    assert_eq!(span.attributes.get("http.response.status_code"), Some(&200.into()));
    assert!(!format!("{span:?}").contains("secret"), "{span:?}");
    assert!(!span.status.is_error());
}

#[test]
fn counts_and_costs_in_headers_stand_in_for_the_body() {
    let counts = [
        ("x-amzn-bedrock-input-token-count", "1000000"),
        ("x-amzn-bedrock-output-token-count", "0"),
        ("x-litellm-response-cost", "0.25"),
    ];
    let span = answered(200, &counts, &asked(), &json!({"generation": "hi"}));
    assert_eq!(span.usage(), Usage::new(1_000_000, 0));
    assert_eq!(span.cost().unwrap().to_string(), "0.25");
    assert_eq!(attribute(&span, "llmtrace.cost.source"), Some("provider"));
    let priced = answered(200, &counts[..2], &asked(), &json!({"generation": "hi"}));
    assert_eq!(priced.cost().unwrap().to_string(), "0.15");
}

#[test]
fn a_failed_call_is_an_error_whatever_its_body() {
    let check = |status: u16, body: Value, kind: &str, message: &str| {
        let span = answered(status, &[], &asked(), &body);
        assert_eq!(attribute(&span, "error.type"), Some(kind), "{body}");
        assert_eq!(span.status, Status::error(message), "{body}");
    };
    check(503, json!("<html>upstream</html>"), "503", "HTTP status 503");
    check(500, json!({"unheard": "of"}), "500", "HTTP status 500");
    check(401, json!({"message": "invalid api token"}), "401", "invalid api token");
    check(429, json!({"detail": "slow down"}), "429", "slow down");
    check(
        400,
        json!({"error": {"message": "no", "type": "invalid_request_error"}}),
        "invalid_request_error",
        "no",
    );
    // A body that is nothing but an error needs no status, if a call was sent.
    check(200, json!({"error": "model not found"}), "error", "model not found");
}

#[test]
fn an_answer_is_no_error_for_what_it_says() {
    let check = |body: Value| {
        let span = answered(200, &[], &asked(), &body);
        assert!(!span.status.is_error(), "{body}: {:?}", span.status);
    };
    check(json!({"message": "hello", "detail": "more"}));
    check(json!({"answer": "a", "error": "none of it"}));
    check(json!({"id": "c", "object": "chat.completion", "model": "m", "message": "m", "detail": "d",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "error"}}]}));
}

#[test]
fn a_status_is_the_calls_only() {
    let recording = Recording::start();
    recording.run(|| info_span!("tool", llmtrace.kind = "tool").record_http_status(404));
    assert!(!recording.span("tool").status.is_error());
}

#[test]
fn a_deployment_is_priced_as_the_model_behind_it() {
    let request = json!({"model": "my-deployment", "messages": [{"role": "user", "content": "hi"}]});
    let span = answered(
        200,
        &[],
        &request,
        &json!({
            "id": "c", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"},
                "content_filter_results": {}}],
            "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000},
        }),
    );
    assert_eq!(attribute(&span, "gen_ai.request.model"), Some("my-deployment"));
    assert_eq!(span.provider(), Some("azure.ai.openai"));
    assert_eq!(attribute(&span, "llmtrace.cost.matched_model"), Some("gpt-4o-mini"));
    assert_eq!(span.cost().unwrap().to_string(), "0.15");
}

#[test]
fn media_too_long_to_keep_leaves_its_size() {
    let recording = Recording::with(|builder| builder.max_text_bytes(64));
    let data = "A".repeat(400);
    recording.run(|| {
        info_span!("call", llmtrace.kind = "generation").record_request(&json!({
            "model": "gpt-4o-mini", "messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}}]}],
        }));
    });
    let span = recording.span("call");
    assert_eq!(
        serde_json::to_value(&span.input[0].parts).unwrap(),
        json!([{"type": "blob", "mime_type": "image/png", "modality": "image", "content": "", "llmtrace_omitted_bytes": 300}])
    );
    assert_eq!(span.attributes.get("llmtrace.truncated"), Some(&1.into()));
}

#[test]
fn a_line_of_a_batch_is_the_call_within() {
    let body = json!({
        "id": "c", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000},
    });
    let line = json!({"id": "batch_req_1", "custom_id": "1", "error": null,
        "response": {"status_code": 200, "request_id": "r", "body": body}});
    let (alone, batched) = (record(&body), record(&line));
    assert_eq!((batched.usage(), &batched.output), (alone.usage(), &alone.output));
    assert_eq!(attribute(&alone, "llmtrace.processing"), None);
    assert_eq!(attribute(&batched, "llmtrace.processing"), Some("batch"));
}
