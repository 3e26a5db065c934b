//! Sums over spans that lie within each other.

use llmtrace::testing::Recording;
use llmtrace::{Guard, SpanExt as _};
use serde_json::{Value, json};
use tracing::info_span;

fn response(more: &Value) -> Value {
    let mut usage = json!({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100});
    for (key, value) in more.as_object().into_iter().flatten() {
        usage[key] = value.clone();
    }
    json!({"id": "gen-1", "object": "chat.completion", "model": "gpt-4o-mini", "usage": usage,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}]})
}

fn figures(guard: &Guard) -> (u64, u64, String) {
    let total = guard.usage().total();
    (total.calls, total.input_tokens, total.cost.to_string())
}

#[test]
fn an_agent_that_returns_what_its_call_did_adds_nothing() {
    for (more, cost) in [(json!({}), "0.00021"), (json!({"cost": 0.5, "is_byok": false}), "0.5")] {
        let response = response(&more);
        let recording = Recording::start();
        recording.run(|| {
            let agent = info_span!("agent", llmtrace.kind = "agent", gen_ai.provider.name = "openai");
            agent.in_scope(|| {
                info_span!("call", llmtrace.kind = "generation", gen_ai.provider.name = "openai")
                    .record_response(&response);
            });
            agent.record_response(&response);
        });
        let _ = recording.spans();
        assert_eq!(figures(recording.guard()), (1, 1000, cost.to_owned()), "{more}");
    }
}

#[test]
fn a_call_that_two_libraries_record_counts_once() {
    let response = response(&json!({}));
    let recording = Recording::start();
    recording.run(|| {
        let outer = info_span!("outer", llmtrace.kind = "generation", gen_ai.provider.name = "openai");
        outer.in_scope(|| {
            info_span!("inner", llmtrace.kind = "generation", gen_ai.provider.name = "openai")
                .record_response(&response);
        });
        outer.record_response(&response);
    });
    let _ = recording.spans();
    assert_eq!(figures(recording.guard()), (1, 1000, "0.00021".to_owned()));
}
