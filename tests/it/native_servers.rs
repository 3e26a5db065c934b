//! Calls of servers with shapes of their own, from the span to the price.

use futures::stream::{self, StreamExt as _};
use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, ObservationKind, SpanExt as _, SpanRecord, llm_trace, traced_stream};
use serde_json::{Value, json};
use tracing::info_span;

const LINES: &str = concat!(
    "{\"model\":\"gpt-oss:20b\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"brown \"},\"done\":false}\n",
    "{\"model\":\"gpt-oss:20b\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"fox\"},\"done\":false}\n",
    "{\"model\":\"gpt-oss:20b\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":1000,\"eval_count\":100,\"load_duration\":500000000}\n",
);

fn record(request: &Value, response: &Value) -> SpanRecord {
    let recording = Recording::start();
    recording.run(|| {
        let span = info_span!("call", llmtrace.kind = "generation");
        span.record_request(request);
        span.record_response(response);
    });
    recording.span("call")
}

#[test]
fn a_server_of_ones_own_has_no_price_whatever_its_model_is_called() {
    let check = |response: Value, provider: &str| {
        let span = record(&json!({"model": "gpt-4o-mini", "messages": []}), &response);
        assert_eq!(span.attributes.get_str("gen_ai.provider.name"), Some(provider), "{response}");
        assert_eq!((span.usage().total(), span.cost()), (Some(1_100), None), "{response}");
        assert_eq!(span.attributes.get_str("llmtrace.cost.status"), Some("unknown_model"), "{response}");
    };
    check(
        json!({"model": "gpt-4o-mini", "created_at": "t", "done": true, "response": "a",
            "prompt_eval_count": 1000, "eval_count": 100}),
        "ollama",
    );
    check(
        json!({"model": "gpt-4o-mini", "content": "a", "stop": true, "tokens_evaluated": 1000, "tokens_predicted": 100}),
        "llama.cpp",
    );
    check(
        json!({"generated_text": "a", "details": {"finish_reason": "length", "generated_tokens": 100, "input_length": 1000}}),
        "tgi",
    );
    let chat = |more: Value| {
        let mut body = json!({"id": "c", "object": "chat.completion", "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    check(chat(json!({"system_fingerprint": "fp_ollama"})), "ollama");
    check(chat(json!({"timings": {"cache_n": 0, "prompt_n": 1000, "predicted_n": 100}})), "llama.cpp");
}

#[test]
fn what_cohere_bills_is_what_is_priced() {
    let span = record(
        &json!({"model": "command-a-03-2025", "messages": [{"role": "user", "content": "hi"}]}),
        &json!({"id": "i", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": []},
            "usage": {"billed_units": {"input_tokens": 1000, "output_tokens": 100},
                "tokens": {"input_tokens": 90_000, "output_tokens": 9_000}}}),
    );
    assert_eq!(span.attributes.get_str("gen_ai.provider.name"), Some("cohere"));
    // 2.50 and 10 USD per million.
    assert_eq!(span.cost().unwrap().to_string(), "0.0035");
}

#[test]
fn a_call_that_ranks_is_a_rerankers() {
    let span = record(
        &json!({"model": "rerank-v3.5", "query": "tide", "documents": ["a", "b"]}),
        &json!({"id": "r", "results": [{"index": 1, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}),
    );
    assert_eq!(span.kind, ObservationKind::Reranker);
    assert_eq!(span.attributes.get_str("gen_ai.operation.name"), Some("rerank"));
    assert_eq!(span.attributes.get_str("gen_ai.retrieval.query.text"), Some("tide"));
    assert_eq!(span.usage().rerank_searches, Some(1));
}

#[test]
fn lines_of_json_in_any_pieces_give_the_same_call() {
    for policy in [ContentPolicy::Keep, ContentPolicy::Omit] {
        for size in [1, 7, 64, LINES.len()] {
            let recording = Recording::with(|builder| builder.content(policy));
            let pieces: Vec<Vec<u8>> = LINES.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
            recording.run(|| {
                let span = info_span!("chat", llmtrace.kind = "generation");
                futures::executor::block_on(traced_stream(span, stream::iter(pieces)).count())
            });
            let span = recording.span("chat");
            assert_eq!(span.usage().total(), Some(1_100), "{policy:?} {size}");
            assert_eq!(span.model(), Some("gpt-oss:20b"));
            assert_eq!(span.attributes.get("gen_ai.response.finish_reasons"), Some(&["stop"].into()));
            assert_eq!(span.attributes.get("llmtrace.server.load_seconds"), Some(&0.5.into()));
            let kept = (policy == ContentPolicy::Keep).then(|| "brown fox".to_owned());
            assert_eq!(span.output.first().map(llmtrace::Message::text), kept);
        }
    }
}

#[test]
fn a_whole_stream_returned_as_one_text_is_read() {
    #[llm_trace]
    fn ask() -> String {
        LINES.to_owned()
    }
    let recording = Recording::start();
    recording.run(ask);
    let span = recording.span("ask");
    assert_eq!(span.output.first().map(llmtrace::Message::text).as_deref(), Some("brown fox"));
    assert_eq!(span.usage().total(), Some(1_100));
}

#[test]
fn streams_of_events_with_names_are_read_without_their_content() {
    let events = concat!(
        "{\"is_finished\":false,\"event_type\":\"stream-start\",\"generation_id\":\"g\"}\n",
        "{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"brown fox\"}\n",
        "{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\",\"response\":{\"response_id\":\"r\",\"text\":\"brown fox\",\"meta\":{\"billed_units\":{\"input_tokens\":7,\"output_tokens\":2}}}}\n",
    );
    let recording = Recording::with(|builder| builder.content(ContentPolicy::Omit));
    recording.run(|| {
        let span = info_span!("chat", llmtrace.kind = "generation");
        futures::executor::block_on(traced_stream(span, stream::iter([events.as_bytes().to_vec()])).count())
    });
    let span = recording.span("chat");
    assert!(!format!("{span:?}").contains("brown"), "{span:?}");
    assert_eq!(span.usage().total(), Some(9));
    assert_eq!(span.attributes.get_str("gen_ai.response.id"), Some("r"));
}
