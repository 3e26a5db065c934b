//! Sums that other tools got wrong: each case fails if llmtrace had their bug.
#![cfg(feature = "prices")]
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, missing_docs)]

use llmtrace::provider::{Api, Exchange, StreamAssembler, read_response_as};
use llmtrace::{BundledPrices, Unpriced, UsageStatus};
use serde_json::{Value, json};

/// A Friday, outside of peak hours.
const NOON: &str = "2026-11-20T12:00:00Z";

fn cost(exchange: &Exchange, at: &str) -> Result<String, Unpriced> {
    exchange.price(&BundledPrices::new(), at.parse().unwrap()).map(|cost| cost.total.to_string())
}

#[track_caller]
fn check(api: Api, provider: &'static str, body: Value, expected: &str) {
    let mut exchange = read_response_as(api, &body);
    exchange.provider = Some(provider.into());
    assert_eq!(cost(&exchange, NOON).as_deref(), Ok(expected), "{body}");
}

fn gemini(usage: Value) -> Value {
    json!({"modelVersion": "gemini-2.5-flash", "candidates": [], "usageMetadata": usage})
}

#[test]
fn gemini_bills_what_is_cached_once_and_thoughts_and_tool_results_at_all() {
    let check = |usage, expected| check(Api::GeminiGenerate, "gcp.gemini", gemini(usage), expected);
    check(json!({"promptTokenCount": 1_000_000, "candidatesTokenCount": 0}), "0.3");
    check(
        json!({"promptTokenCount": 1_000_000, "cachedContentTokenCount": 900_000, "candidatesTokenCount": 0}),
        "0.057",
    );
    check(
        json!({"promptTokenCount": 0, "toolUsePromptTokenCount": 1_000_000, "candidatesTokenCount": 0}),
        "0.3",
    );
    check(
        json!({"promptTokenCount": 0, "candidatesTokenCount": 100_000, "thoughtsTokenCount": 900_000}),
        "2.5",
    );
    // Audio costs more than text, read from the cache too.
    let part = |modality: &str, tokens: u64| json!([{"modality": modality, "tokenCount": tokens}]);
    let audio = json!({"promptTokenCount": 1_000_000, "candidatesTokenCount": 0,
        "promptTokensDetails": part("AUDIO", 1_000_000)});
    check(audio.clone(), "1");
    let mut cached = audio;
    cached["cachedContentTokenCount"] = json!(1_000_000);
    cached["cacheTokensDetails"] = part("AUDIO", 1_000_000);
    check(cached, "0.1");
}

#[test]
fn a_long_context_moves_cache_reads_and_both_kinds_of_writes() {
    let call = |input: u64| {
        json!({"model": "claude-sonnet-4-5", "type": "message", "usage": {"input_tokens": input,
            "cache_read_input_tokens": 50_000, "cache_creation_input_tokens": 100_000, "output_tokens": 10_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 60_000, "ephemeral_1h_input_tokens": 40_000}}})
    };
    // 3, 0.3, 3.75, 6, 15 USD per million; beyond 200,000 tokens 6, 0.6, 7.5, 12, 22.5.
    check(Api::AnthropicMessages, "anthropic", call(50_000), "0.78");
    check(Api::AnthropicMessages, "anthropic", call(50_001), "1.485006");
}

#[test]
fn a_cache_read_costs_what_the_model_says_and_no_fixed_share() {
    let check = |provider, model: &str, expected| {
        let usage = json!({"prompt_tokens": 100_000, "completion_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 100_000}});
        check(Api::OpenAiChat, provider, json!({"model": model, "choices": [], "usage": usage}), expected);
    };
    check("openai", "gpt-4o", "0.125");
    check("openai", "gpt-4.1", "0.05");
    check("openai", "gpt-5", "0.0125");
    check("anthropic", "claude-haiku-4-5", "0.01");
}

#[test]
fn old_calls_cost_what_they_did_and_retired_models_keep_a_price() {
    let usage = json!({"prompt_tokens": 1_000_000, "completion_tokens": 0});
    let check = |provider: &'static str, model: &str, at: &str, expected: &str| {
        let body = json!({"model": model, "choices": [], "usage": usage});
        let mut call = read_response_as(Api::OpenAiChat, &body);
        call.provider = Some(provider.into());
        assert_eq!(cost(&call, at).as_deref(), Ok(expected), "{model} {at}");
    };
    check("openai", "o3", "2025-06-09T23:59:59Z", "10");
    check("openai", "o3", "2025-06-10T00:00:00Z", "2");
    for at in ["2025-08-10T12:00:00Z", NOON] {
        check("anthropic", "claude-opus-4-1-20250805", at, "15");
        check("groq", "llama-3.3-70b-versatile", at, "0.59");
        check("x_ai", "grok-3", at, "3");
    }
    // A tier of a dated id, of a call that asked for none.
    let body = json!({"model": "o3-2025-04-16", "choices": [], "service_tier": "priority", "usage": usage});
    self::check(Api::OpenAiChat, "openai", body, "3.5");
}

#[test]
fn a_model_with_one_price_has_no_peak_hours() {
    let usage = json!({"prompt_tokens": 1_000_000, "completion_tokens": 100_000});
    for (model, expected) in
        [("deepseek-v3.2", "0.26312"), ("deepseek-v3.2-exp", "0.311"), ("deepseek-v3.1-terminus", "0.365")]
    {
        let mut call = read_response_as(Api::OpenAiChat, &json!({"model": model, "usage": usage}));
        call.provider = Some("deepseek".into());
        for at in ["2026-11-20T02:00:00Z", NOON] {
            assert_eq!(cost(&call, at).as_deref(), Ok(expected), "{model} {at}");
        }
    }
}

#[test]
fn reasoning_that_perplexity_counts_beside_the_output_is_billed() {
    let usage = json!({"prompt_tokens": 0, "completion_tokens": 100_000, "total_tokens": 100_000,
        "citation_tokens": 9, "num_search_queries": 0, "reasoning_tokens": 900_000});
    let read = read_response_as(Api::OpenAiChat, &json!({"model": "sonar-deep-research", "usage": usage}));
    assert_eq!(read.usage.output_tokens, Some(1_000_000));
    assert_eq!(read.usage.status, UsageStatus::Complete);
}

fn stream(api: Api, provider: &'static str, model: &str, text: &str) -> Exchange {
    let mut exchange = StreamAssembler::new(api).push(text).finish();
    exchange.provider = Some(provider.into());
    exchange.request_model.get_or_insert_with(|| model.to_owned());
    exchange
}

fn events(events: &[Value]) -> String {
    let line = |event: &Value| {
        let name = event["type"].as_str().map(|name| format!("event: {name}\n")).unwrap_or_default();
        format!("{name}data: {event}\n\n")
    };
    events.iter().map(line).collect()
}

#[track_caller]
fn check_stream(exchange: &Exchange, status: UsageStatus, input: Option<u64>, output: Option<u64>) {
    let usage = &exchange.usage;
    assert_eq!((usage.status, usage.input_tokens, usage.output_tokens), (status, input, output));
    assert_eq!(cost(exchange, NOON).is_ok(), status == UsageStatus::Complete, "{exchange:?}");
}

#[test]
fn anthropic_deltas_replace_and_do_not_add_up() {
    let start = |usage: Value| {
        json!({"type": "message_start",
        "message": {"id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [], "usage": usage}})
    };
    let delta =
        |usage: Value| json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage});
    let read = |parts: &[Value]| stream(Api::AnthropicMessages, "anthropic", "", &events(parts));
    let split = json!({"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 900});
    let begun = start(
        json!({"input_tokens": 10, "cache_read_input_tokens": 500, "cache_creation_input_tokens": 1_000,
        "cache_creation": split, "output_tokens": 1}),
    );
    let stop = json!({"type": "message_stop"});
    let repeated = [
        begun.clone(),
        delta(json!({"output_tokens": 20})),
        delta(json!({"output_tokens": 30})),
        stop.clone(),
    ];
    let whole = read(&repeated);
    check_stream(&whole, UsageStatus::Complete, Some(1_510), Some(30));
    // 10 at 1 USD, 500 at 0.1, 100 at 1.25, 900 at 2, 30 at 5, per million.
    assert_eq!(cost(&whole, NOON).as_deref(), Ok("0.002135"));
    // A gateway that knows the input at the end only.
    let late = [
        start(json!({"input_tokens": 0, "output_tokens": 0})),
        delta(json!({"input_tokens": 70, "output_tokens": 5})),
        stop,
    ];
    check_stream(&read(&late), UsageStatus::Complete, Some(70), Some(5));
    // Cut off: no cost.
    check_stream(&read(&[begun]), UsageStatus::Interrupted, Some(1_510), Some(1));
}

#[test]
fn counts_of_every_chunk_are_cumulative() {
    let chunk = |output: u64, end: Option<&str>| {
        json!({"responseId": "r", "modelVersion": "gemini-2.5-flash",
        "candidates": [{"index": 0, "finishReason": end, "content": {"role": "model", "parts": [{"text": "x"}]}}],
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": output, "thoughtsTokenCount": 7}})
    };
    let parts = [chunk(1, None), chunk(2, None), chunk(3, Some("STOP"))];
    let read = |parts: &[Value]| stream(Api::GeminiGenerate, "gcp.gemini", "", &events(parts));
    check_stream(&read(&parts), UsageStatus::Complete, Some(100), Some(10));
    check_stream(&read(&parts[..2]), UsageStatus::Interrupted, Some(100), Some(9));
    // vLLM's continuous counts.
    let chunk = |output: u64, end: Option<&str>| {
        json!({"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o",
        "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": end}],
        "usage": {"prompt_tokens": 100, "completion_tokens": output, "total_tokens": 100 + output}})
    };
    let text = events(&[chunk(1, None), chunk(2, None), chunk(3, Some("stop"))]) + "data: [DONE]\n\n";
    check_stream(&stream(Api::OpenAiChat, "openai", "", &text), UsageStatus::Complete, Some(100), Some(3));
}

#[test]
fn counts_are_found_wherever_the_last_chunk_has_them() {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 3, "total_tokens": 103});
    let chunk = |choices: Value, more: Value| {
        let mut chunk =
            json!({"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": choices});
        chunk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        chunk
    };
    let end = json!([{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]);
    let check = |parts: &[Value], status, input, output| {
        let text = format!(": OPENROUTER PROCESSING\n\n{}data: [DONE]\n\n", events(parts));
        check_stream(&stream(Api::OpenAiChat, "openai", "", &text), status, input, output);
    };
    let (complete, missing) = (UsageStatus::Complete, UsageStatus::Missing);
    let counted = json!({"usage": usage});
    let silent = json!({"usage": null});
    check(
        &[chunk(end.clone(), silent.clone()), chunk(json!([]), counted.clone())],
        complete,
        Some(100),
        Some(3),
    );
    check(&[chunk(end.clone(), counted)], complete, Some(100), Some(3));
    check(&[chunk(end.clone(), json!({"x_groq": {"usage": usage}}))], complete, Some(100), Some(3));
    // Nobody asked for the counts: they are not 0.
    check(&[chunk(end, silent)], missing, None, None);
}

#[test]
fn every_end_of_a_response_states_its_counts() {
    for end in ["response.completed", "response.incomplete"] {
        let status = end.trim_start_matches("response.");
        let usage = json!({"input_tokens": 100, "output_tokens": 3, "total_tokens": 103});
        let response = json!({"id": "r", "object": "response", "model": "gpt-4o", "status": status, "output": [], "usage": usage});
        let read = stream(
            Api::OpenAiResponses,
            "openai",
            "",
            &events(&[json!({"type": end, "response": response})]),
        );
        check_stream(&read, UsageStatus::Complete, Some(100), Some(3));
    }
    // Ollama leaves out the count of a prompt that it has cached: not 0.
    let done = json!({"model": "llama3", "created_at": "x", "message": {"role": "assistant", "content": "x"},
        "done": true, "done_reason": "stop", "eval_count": 5});
    let read = stream(Api::OllamaChat, "ollama", "", &format!("{done}\n"));
    check_stream(&read, UsageStatus::Partial, None, Some(5));
    // Cohere bills its billed units.
    let body = json!({"id": "c", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": []},
        "usage": {"billed_units": {"input_tokens": 10, "output_tokens": 2}, "tokens": {"input_tokens": 210, "output_tokens": 2}}});
    let read = read_response_as(Api::CohereChat, &body);
    assert_eq!((read.usage.input_tokens, read.usage.output_tokens), (Some(10), Some(2)));
}
