//! Spans that other crates emit, read without a change of theirs.

use llmtrace::testing::Recording;
use llmtrace::{ObservationKind, Usage};
use tracing::field::Empty;
use tracing::info_span;

#[test]
fn rig_core_spans_are_read_and_priced() {
    let recording = Recording::start();
    recording.run(|| {
        let span = info_span!(
            target: "rig::completions",
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = "gpt-4o-mini",
            gen_ai.system_instructions = "be brief",
            gen_ai.request.stream = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            rig.provider_request_id = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.cache_creation.input_tokens = Empty,
            gen_ai.usage.tool_use_prompt_tokens = Empty,
            gen_ai.usage.reasoning_tokens = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
        );
        span.record("gen_ai.response.model", "gpt-4o-mini-2024-07-18");
        span.record("gen_ai.usage.input_tokens", 1_000_u64);
        span.record("gen_ai.usage.output_tokens", 100_u64);
        span.record("gen_ai.usage.cache_read.input_tokens", 200_u64);
        span.record("gen_ai.usage.cache_creation.input_tokens", 0_u64);
        span.record("gen_ai.usage.reasoning_tokens", 7_u64);
        span.record("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#);
        span.record(
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[{"type":"text","content":"hello"}],"finish_reason":"stop"}]"#,
        );
    });
    let span = recording.span("chat");
    assert_eq!((span.kind, &*span.scope), (ObservationKind::Generation, "rig::completions"));
    assert_eq!(
        span.usage(),
        Usage::new(1_000, 100).with_cache_read(200).with_cache_write(0).with_reasoning(7)
    );
    // 800 at 0.15, 200 at 0.075 and 100 at 0.60 USD a million.
    assert_eq!(span.cost().unwrap().to_string(), "0.000195");
    assert_eq!((span.input[0].text(), span.output[0].text()), ("hi".into(), "hello".into()));
}

#[test]
fn genai_spans_are_read_and_priced() {
    let recording = Recording::start();
    recording.run(|| {
        let span = info_span!(
            target: "genai",
            "genai.chat",
            otel.name = "chat claude-sonnet-4-5",
            otel.kind = "client",
            otel.status_code = Empty,
            error.type = Empty,
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "anthropic",
            gen_ai.request.model = "claude-sonnet-4-5",
            gen_ai.request.temperature = 0.2,
            gen_ai.request.max_tokens = 100_i64,
            gen_ai.request.stop_sequences = r#"["END"]"#,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
            server.address = "api.anthropic.com",
            server.port = 443_i64,
        );
        span.record("gen_ai.usage.input_tokens", 1_000_i64);
        span.record("gen_ai.usage.output_tokens", 10_i64);
        span.record("gen_ai.response.finish_reasons", r#"["end_turn"]"#);
        span.record("gen_ai.response.time_to_first_chunk", 0.25);
    });
    let span = recording.span("chat claude-sonnet-4-5");
    assert_eq!(span.usage(), Usage::new(1_000, 10));
    assert_eq!(span.cost().unwrap().to_string(), "0.00315");
    assert_eq!(span.time_to_first_chunk(), Some(0.25));
    for (key, list) in
        [("gen_ai.response.finish_reasons", "end_turn"), ("gen_ai.request.stop_sequences", "END")]
    {
        assert_eq!(span.attributes.get(key), Some(&[list].into()), "{key}");
    }
}

#[test]
fn older_names_are_read_as_the_current_ones() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!(
            "old",
            gen_ai.system = "openai",
            gen_ai.request.model = "gpt-4o-mini",
            gen_ai.usage.prompt_tokens = 10,
            gen_ai.usage.completion_tokens = 2,
            gen_ai.prompt = "hi",
            gen_ai.completion = "hello",
        );
    });
    let span = recording.span("old");
    assert_eq!((span.provider(), span.usage()), (Some("openai"), Usage::new(10, 2)));
    assert_eq!((span.input[0].text(), span.output[0].text()), ("hi".into(), "hello".into()));
}

#[test]
fn spans_of_agents_carry_no_cost_of_their_own() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!(
            "invoke_agent",
            gen_ai.operation.name = "invoke_agent",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = "gpt-4o-mini",
            gen_ai.usage.input_tokens = 10,
            gen_ai.usage.output_tokens = 2,
        );
    });
    assert_eq!(recording.span("invoke_agent").cost(), None);
}
