//! `llmtrace price` of one response.

use serde_json::{Value, json};

use crate::support::{Folder, run};

const AT: &str = "--at=2026-11-20";

fn chat(model: &str) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 100_000, "total_tokens": 1_100_000}})
}

/// Looks at the keys of the answer that `expected` has.
fn check(arguments: &[&str], body: impl AsRef<[u8]>, code: i32, expected: &Value) {
    let run = run(&[&["price", AT], arguments].concat(), body);
    assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
    let answer = run.json();
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&answer[key], value, "{key} of {answer}");
    }
}

#[test]
fn an_answer_has_every_key_in_a_fixed_order() {
    let run = run(&["price", AT], chat("gpt-4o-mini-2024-07-18").to_string());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let expected = r#"{"api":"openai_chat","provider":null,"model":"gpt-4o-mini-2024-07-18","usage":{"status":"complete","input_tokens":1000000,"output_tokens":100000,"total_tokens":1100000},"cost_usd":0.21,"cost_status":"priced","cost_source":"bundled","matched_model":"gpt-4o-mini","match":"dated","as_of":"#;
    assert!(run.out.starts_with(expected), "{}", run.out);
    let rest =
        r#""incomplete":false,"service_tier":null,"finish_reasons":["stop"],"response_id":"chatcmpl-1"}"#;
    assert!(run.out.trim_end().ends_with(rest), "{}", run.out);
}

#[test]
fn what_has_no_cost_says_why() {
    let status =
        |status: &str| json!({"cost_usd": null, "cost_status": status, "matched_model": null, "match": null});
    check(&["--provider", "openai"], chat("gpt-99").to_string(), 0, &status("unknown_model"));
    check(&["--provider", "my-gateway"], chat("gpt-4o").to_string(), 0, &status("unknown_model"));
    check(&["--provider", "ollama"], chat("gpt-4o").to_string(), 0, &status("unknown_model"));
    let mut body = chat("gpt-4o");
    body["usage"]["prompt_tokens_details"] = json!({"cached_tokens": 1_000_001});
    check(&[], body.to_string(), 0, &status("invalid_usage"));
    body["usage"] = Value::Null;
    check(&[], body.to_string(), 0, &json!({"cost_status": "no_usage", "usage": {"status": "missing"}}));
    let error = json!({"error": {"type": "rate_limit_error", "code": 429, "message": "slow down"}});
    let told = json!({"api": null, "cost_status": "no_usage",
        "api_error": {"type": "rate_limit_error", "code": "429", "message": "slow down"}});
    check(&[], error.to_string(), 0, &told);
}

#[test]
fn a_body_of_no_known_api_is_answered_and_is_one() {
    let nothing = json!({"api": null, "model": null, "usage": {"status": "missing"}, "cost_usd": null,
        "cost_status": "no_usage", "finish_reasons": [], "response_id": null});
    check(&[], r#"{"weather": "fine"}"#, 1, &nothing);
    check(&[], "[]", 1, &nothing);
    let named = json!({"api": null, "cost_status": "no_usage"});
    check(&["--api", "openai_chat"], r#"{"weather": "fine"}"#, 1, &named);
    check(&["--stream"], "data: {\"weather\": \"fine\"}\n\n", 1, &named);
}

#[test]
fn a_body_that_cannot_be_read_is_two() {
    let check = |arguments: &[&str], body: &[u8], said: &str| {
        let run = run(&[&["price"], arguments].concat(), body);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{said}");
        assert!(run.err.lines().count() == 1 && run.err.contains(said), "{}", run.err);
    };
    check(&[], b"", "standard input: it is empty");
    check(&[], b"{\"id\":", "line 1 column");
    check(&[], b"data: {}\n\n", "add --stream");
    check(&[], b"event: message_start\ndata: {}\n\n", "add --stream");
    check(&[], b"\0\0\0\x10", "add --stream");
    check(&[], b"{}\n{}\n", "add --stream for a stream, --lines for many calls");
    check(&[], b"\xff\xfe{}", "not one JSON body");
}

#[test]
fn what_the_user_says_fills_what_the_body_leaves_out() {
    let cost = |cost: f64| json!({"cost_usd": cost});
    let mut body = chat("my-deployment");
    check(
        &["--model", "gpt-4o-mini"],
        body.to_string(),
        0,
        &json!({"model": "my-deployment", "cost_usd": 0.21}),
    );
    body["model"] = Value::Null;
    check(
        &["--model", "gpt-4o-mini"],
        body.to_string(),
        0,
        &json!({"model": "gpt-4o-mini", "cost_usd": 0.21}),
    );
    check(
        &["--model", "gpt-4o"],
        chat("gpt-4o-mini").to_string(),
        0,
        &json!({"model": "gpt-4o-mini", "cost_usd": 0.21}),
    );
    for provider in ["azure", "azure.ai.openai", "AZURE"] {
        let expected = json!({"provider": provider, "cost_usd": 0.21});
        check(&["--provider", provider], chat("gpt-4o-mini").to_string(), 0, &expected);
    }
    let o3 = chat("o3").to_string();
    check(&[], &o3, 0, &cost(2.8));
    check(&["--service-tier", "flex"], &o3, 0, &json!({"cost_usd": 1.4, "service_tier": "flex"}));
    check(&["--processing", "batch"], &o3, 0, &cost(1.4));
    check(&["--processing", "standard"], &o3, 0, &cost(2.8));
    let mut served = chat("o3");
    served["service_tier"] = "default".into();
    check(
        &["--service-tier", "flex"],
        served.to_string(),
        0,
        &json!({"cost_usd": 2.8, "service_tier": "default"}),
    );
}

#[test]
fn the_time_of_the_call_decides() {
    let folder = Folder::new();
    let prices = folder.file(
        "prices.json",
        r#"[{"model": "ours", "from": "2026-01-01", "to": "2026-07-01", "input_per_mtok": 1, "output_per_mtok": 0},
            {"model": "ours", "from": "2026-07-01", "input_per_mtok": 2, "output_per_mtok": 0, "as_of": "2026-06-30"}]"#,
    );
    let at = |time: &str, expected: Value| {
        let run = run(&["price", "--prices", &prices, "--at", time], chat("ours").to_string());
        assert_eq!(run.json()["cost_usd"], expected, "{time}");
    };
    at("2025-12-31", Value::Null);
    at("2026-06-30T23:59:59.999999999Z", json!(1));
    at("2026-07-01", json!(2));
    at("2026-07-01T01:00:00+02:00", json!(1));
    let own =
        json!({"cost_source": "override", "as_of": "2026-06-30", "matched_model": "ours", "match": "exact"});
    check(&["--prices", &prices], chat("ours").to_string(), 0, &own);
    // What is not in the file is in the table.
    check(&["--prices", &prices], chat("gpt-4o-mini").to_string(), 0, &json!({"cost_source": "bundled"}));
}

#[test]
fn what_the_provider_states_wins() {
    let mut body = chat("openai/gpt-4o-mini");
    body["usage"]["cost"] = json!(0.000_012_3);
    let run = run(&["price", "--provider=openrouter"], body.to_string());
    assert!(
        run.out.contains(r#""cost_usd":0.0000123,"cost_status":"provider_cost","cost_source":"provider""#),
        "{}",
        run.out
    );
}

#[test]
fn streams_are_put_together() {
    let events = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n\
        data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let usage = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000000,\"completion_tokens\":0,\"total_tokens\":1000000}}\n\ndata: [DONE]\n\n";
    let whole = format!("{events}{usage}");
    let expected =
        json!({"api": "openai_chat", "cost_usd": 0.15, "finish_reasons": ["stop"], "response_id": "c"});
    check(&["--stream"], &whole, 0, &expected);
    check(&["--stream", "--api", "openai_chat"], &whole, 0, &expected);
    let cut = json!({"cost_usd": null, "cost_status": "no_usage", "usage": {"status": "interrupted"}});
    check(&["--stream"], events.split_at(160).0, 0, &cut);
    // A server that answers whole where a stream was asked for.
    check(&["--stream"], chat("gpt-4o-mini").to_string(), 0, &json!({"cost_usd": 0.21}));
}
