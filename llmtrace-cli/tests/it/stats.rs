//! `llmtrace stats`.

use serde_json::{Value, json};

use crate::serve::server::{Server, wait_for};
use crate::support::{Folder, Span, lines, run};

/// An agent with two calls, one of which failed, a call of an unknown model, and one of another user a day later.
fn spans() -> String {
    let next_day = lines([Span::call([3, 6, 0], [0, 4_000], [10, 5]).cost(9_000_000).with("user.id", "u-2")]);
    let next_day = next_day.replace("2026-11-20T", "2026-11-21T");
    let today = lines([
        Span::call([1, 2, 1], [0, 1_000], [1_000, 100])
            .cost(210_000_000)
            .with("gen_ai.usage.cache_read.input_tokens", 400)
            .with("gen_ai.usage.reasoning.output_tokens", 60)
            .with("gen_ai.response.time_to_first_chunk", 0.25)
            .with("user.id", "u-1"),
        Span::new("generation", [1, 3, 1], [1_000, 1_200])
            .with("gen_ai.request.model", "gpt-4o-mini")
            .with("user.id", "u-1")
            .failed("429"),
        Span::new("agent", [1, 1, 0], [0, 2_000]),
        Span::call([2, 5, 0], [0, 3_000], [50, 20])
            .with("gen_ai.response.model", "our-model")
            .with("llmtrace.cost.status", "unknown_model"),
    ]);
    today + &next_day
}

fn stats(arguments: &[&str]) -> Value {
    let run = run(&[&["stats", "-", "--json"], arguments].concat(), spans());
    assert_eq!((run.code, run.err.as_str(), run.out.lines().count()), (0, "", 1));
    run.json()
}

#[test]
fn calls_add_up() {
    let stats = stats(&[]);
    let expected = json!({
        "model": "gpt-4o-mini", "calls": 3, "errors": 1, "unpriced": 1, "unpriced_reasons": {"failed": 1},
        "uncounted": 0, "estimated": 0, "input_tokens": 1010, "output_tokens": 105, "cache_read_tokens": 400,
        "cache_write_tokens": null, "reasoning_tokens": 60, "cost_usd": 0.000_219, "cost_is_lower_bound": false,
        "latency_ms": {"count": 3, "p50": 1000.0, "p95": 4000.0, "p99": 4000.0},
        "first_chunk_ms": {"count": 1, "p50": 250.0, "p95": 250.0, "p99": 250.0},
    });
    assert_eq!(stats["groups"][0], expected);
    let expected = json!({
        "model": "our-model", "calls": 1, "errors": 0, "unpriced": 1, "unpriced_reasons": {"unknown_model": 1},
        "uncounted": 0, "estimated": 0, "input_tokens": 50, "output_tokens": 20, "cache_read_tokens": null,
        "cache_write_tokens": null, "reasoning_tokens": null, "cost_usd": null, "cost_is_lower_bound": true,
        "latency_ms": {"count": 1, "p50": 3000.0, "p95": 3000.0, "p99": 3000.0}, "first_chunk_ms": null,
    });
    assert_eq!(stats["groups"][1], expected);
    assert_eq!(stats["groups"].as_array().unwrap().len(), 2);
    let total = &stats["total"];
    assert_eq!(
        (&total["calls"], &total["input_tokens"], &total["cost_usd"]),
        (&json!(4), &json!(1060), &json!(0.000_219))
    );
    assert_eq!((&total["unpriced"], &total["cost_is_lower_bound"]), (&json!(2), &json!(true)));
    assert_eq!(
        (&stats["by"], &stats["spans"], &stats["skipped_lines"]),
        (&json!("model"), &json!(5), &json!(0))
    );
}

#[test]
fn calls_are_told_apart_by_what_is_asked() {
    let check = |by: &str, expected: &[(Value, u64)]| {
        let stats = stats(&["--by", by]);
        let groups = stats["groups"].as_array().unwrap();
        let found: Vec<_> =
            groups.iter().map(|group| (group[by].clone(), group["calls"].as_u64().unwrap())).collect();
        assert_eq!(found, expected, "{by}");
    };
    check("model", &[(json!("gpt-4o-mini"), 3), (json!("our-model"), 1)]);
    check("day", &[(json!("2026-11-20"), 3), (json!("2026-11-21"), 1)]);
    check("user", &[(json!("u-1"), 2), (json!("u-2"), 1), (Value::Null, 1)]);
    check("session", &[(Value::Null, 4)]);
}

#[test]
fn stored_tokens_are_priced_anew() {
    let folder = Folder::new();
    let prices = folder.file(
        "prices.json",
        r#"[{"model": "our-model", "input_per_mtok": 1, "output_per_mtok": 0},
            {"model": "gpt-4o-mini", "from": "2026-11-21", "input_per_mtok": 100, "output_per_mtok": 0}]"#,
    );
    let cost = |arguments: &[&str]| stats(arguments)["total"]["cost_usd"].to_string();
    // 1,000 tokens, 400 of them cached, for 100; 10 for 5.
    assert_eq!(cost(&["--reprice"]), "0.0001845");
    assert_eq!(cost(&["--reprice", "--prices", &prices]), "0.00123");
    let stated =
        lines([Span::call([1, 1, 0], [0, 1], [1_000, 1]).cost(7).with("llmtrace.cost.source", "provider")]);
    let stated = run(&["stats", "-", "--json", "--reprice"], stated).json();
    assert_eq!(stated["total"]["cost_usd"].to_string(), "7e-12");
}

#[test]
fn what_is_missing_is_never_nought() {
    let check = |span: Span, expected: Value| {
        let stats = run(&["stats", "-", "--json"], lines([span])).json();
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&stats["total"][key], value, "{key}");
        }
    };
    let bare = || Span::new("generation", [1, 1, 0], [0, 1]);
    check(
        bare(),
        json!({"model": null, "input_tokens": null, "cost_usd": null, "uncounted": 1, "unpriced": 1,
        "unpriced_reasons": {"unsaid": 1}}),
    );
    check(
        bare().with("gen_ai.usage.input_tokens", 7),
        json!({"input_tokens": 7, "output_tokens": null, "uncounted": 1}),
    );
    let estimated = Span::call([1, 1, 0], [0, 1], [3, 4]).with("llmtrace.usage.source", "estimated");
    check(estimated, json!({"input_tokens": 3, "estimated": 1, "cost_usd": null}));
    let fees = Span::call([1, 1, 0], [0, 1], [3, 4]).cost(5).with("llmtrace.cost.incomplete", true);
    check(fees, json!({"unpriced": 0, "cost_is_lower_bound": true}));
    check(Span::new("embedding", [1, 1, 0], [0, 1]), json!({"calls": 1}));
    check(Span::new("reranker", [1, 1, 0], [0, 1]), json!({"calls": 1}));
}

#[test]
fn people_read_a_table() {
    let shown = run(&["stats", "-"], spans());
    let expected = "\
model        calls  errors  unpriced        cost  input  cached  output  reasoning
gpt-4o-mini      3       1         1   $0.000219  1,010     400     105         60
our-model        1       –         1           –     50       –      20          –
total            4       1         2  ≥$0.000219  1,060     400     125         60

model        latency p50     p95     p99  first chunk p50     p95     p99
gpt-4o-mini       1.00 s  4.00 s  4.00 s           250 ms  250 ms  250 ms
our-model         3.00 s  3.00 s  3.00 s                –       –       –
total             1.00 s  4.00 s  4.00 s           250 ms  250 ms  250 ms

unpriced: 1 no price known for the model, 1 failed
";
    assert_eq!(shown.out, expected, "\n{}", shown.out);
    assert_eq!(shown.code, 0);
}

#[test]
fn names_from_a_file_are_safe_and_fit() {
    let long = format!("\u{1b}[31m{}\u{202e}", "m".repeat(500));
    let span =
        Span::call([1, 1, 0], [0, 1], [123_456_789_012, 98_765_432_109]).with("gen_ai.response.model", long);
    let shown = run(&["stats", "-"], lines([span])).out;
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    assert!(shown.contains("\\u{1b}[31mmmm"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn a_file_and_a_store_of_it_are_told_apart_alike() {
    let folder = Folder::new();
    // The root says who asked; one call says otherwise. Of the second trace there is no root, of the third no user.
    let spans = lines([
        Span::call([1, 2, 1], [0, 100], [10, 1]),
        Span::call([1, 3, 1], [200, 300], [20, 1]).with("user.id", "ben"),
        Span::new("agent", [1, 1, 0], [0, 500]).with("user.id", "ana").with("gen_ai.conversation.id", "s-1"),
        Span::call([2, 5, 4], [700, 800], [30, 1]).with("user.id", ""),
        Span::new("tool", [2, 6, 4], [650, 660]).with("user.id", "zoe"),
        Span::new("tool", [2, 7, 4], [600, 610]).with("user.id", "cem").with("gen_ai.conversation.id", "s-2"),
        Span::call([3, 8, 0], [900, 950], [40, 1]),
    ]);
    let file = folder.file("spans.jsonl", spans);
    let server = Server::start_in(folder, &[], &[&file]);
    let store = server.folder.path("traces.db");
    wait_for("the file is read", || server.json("/api/traces")["traces"].as_array().unwrap().len() == 3);
    let check = |by: &str, expected: Value| {
        let of = |path: &str| {
            let found = run(&["stats", path, "--by", by, "--json"], "").json();
            let tokens = |group: &Value| (group[by].to_string(), group["input_tokens"].clone());
            let mut groups: Vec<_> = found["groups"].as_array().unwrap().iter().map(tokens).collect();
            groups.sort_by_key(|group| group.1.as_u64());
            json!(groups)
        };
        assert_eq!(of(&file), expected, "{by} of the file");
        assert_eq!(of(store.to_str().unwrap()), expected, "{by} of the store");
        // Of users and sessions it has those that there are.
        let named =
            expected.as_array().unwrap().iter().filter(|group| group[0] != "null").collect::<Vec<_>>();
        let found = server.json(&format!("/api/stats?by={by}"));
        let found = found["groups"].as_array().unwrap().iter();
        let found: Vec<_> =
            found.map(|group| json!([group[by].to_string(), group["input_tokens"]])).collect();
        assert!(found.len() == named.len() && named.iter().all(|group| found.contains(group)), "{found:?}");
    };
    let group = |key: &str, tokens: u64| json!([json!(key).to_string(), tokens]);
    let none = json!(["null", 40]);
    check("user", json!([group("ana", 10), group("ben", 20), group("cem", 30), none]));
    check("session", json!([group("s-1", 30), group("s-2", 30), none]));
}
