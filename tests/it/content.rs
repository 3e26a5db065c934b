//! Content that is switched off is never copied.

use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, Message, SpanExt as _, Usage};
use serde_json::json;
use tracing::field::Empty;
use tracing::info_span;

const SECRET: &str = "the quick brown fox";

fn omitted(write: impl FnOnce(&tracing::Span)) -> llmtrace::SpanRecord {
    let recording = Recording::with(|builder| builder.content(ContentPolicy::Omit));
    recording.run(|| write(&info_span!("call", llmtrace.kind = "generation", gen_ai.input.messages = Empty)));
    let span = recording.span("call");
    assert!(!format!("{span:?}").contains("brown"), "{span:?}");
    span
}

#[test]
fn model_tokens_and_cost_are_still_read() {
    let span = omitted(|span| {
        span.record_request(
            &json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": SECRET}]}),
        );
        span.record_response(&json!({
            "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": SECRET}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }));
        span.record("gen_ai.input.messages", SECRET);
        span.record_input(&[Message::user(SECRET)]);
        span.set_attribute("gen_ai.tool.call.arguments", SECRET);
    });
    assert_eq!(span.usage().total(), Some(1_100));
    assert_eq!(span.cost().unwrap().to_string(), "0.00021");
    assert_eq!(span.attributes.get("gen_ai.response.finish_reasons"), Some(&["stop"].into()));
    assert_eq!(span.attributes.get("llmtrace.content.omitted"), Some(&true.into()));
}

#[test]
fn omitted_text_is_not_copied() {
    let bytes = |policy, text: &str| {
        let recording = Recording::with(|builder| builder.content(policy));
        let messages = [Message::user(text)];
        let response = json!({"object": "chat.completion", "choices": [{"message": {"content": text}}]});
        recording.run(|| {
            let call = || {
                let span = info_span!("call", llmtrace.kind = "generation", gen_ai.prompt = text);
                span.record_input(&messages);
                span.record_response(&response);
                span.record_usage(Usage::new(1, 1));
            };
            // The second call shows what a call costs once buffers are there.
            call();
            let first = allocation_counter::measure(call);
            first.bytes_total
        })
    };
    let long = "x".repeat(1_000_000);
    assert!(bytes(ContentPolicy::Keep, &long) > 1_000_000);
    let (short, long) = (bytes(ContentPolicy::Omit, "x"), bytes(ContentPolicy::Omit, &long));
    assert!(long <= short + 1_000, "{long} bytes for a long text, {short} for a short one");
}
