//! `llmtrace price --lines`.

use serde_json::{Value, json};

use crate::support::run;

const CHAT: &str = r#"{"model":"gpt-4o-mini","usage":{"prompt_tokens":1000000,"completion_tokens":0,"total_tokens":1000000}}"#;

#[test]
fn each_line_is_answered_in_order_under_its_id() {
    let ids = ["1", "\"b\"", "null", "1.50", "[1,{\"a\":2}]", "123456789012345678901234567890", "true"];
    let lines = ids.map(|id| format!("{{\"id\":{id},\"response\":{CHAT}}}\n"));
    let run = run(&["price", "--lines"], lines.concat());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let starts = ids.map(|id| format!("{{\"id\":{id},\"api\":\"openai_chat\","));
    assert_eq!(run.out.lines().count(), ids.len());
    for (line, start) in run.out.lines().zip(starts) {
        assert!(line.starts_with(&start), "{line}");
    }
}

/// Looks at the keys of the answer to one line that `expected` has.
fn check(arguments: &[&str], line: &str, expected: &Value) {
    // The first line keeps the exit code at 0.
    let run = run(&[&["price", "--lines"], arguments].concat(), format!("{{\"response\":{CHAT}}}\n{line}\n"));
    assert_eq!(run.code, 0, "{line}");
    let answers = run.json_lines();
    assert!(answers.len() == 2 && answers[0]["cost_usd"].is_number(), "{answers:?}");
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&answers[1][key], value, "{key} of {}", answers[1]);
    }
}

#[test]
fn a_line_says_what_the_options_say_otherwise() {
    let o3 =
        r#"{"model":"o3","usage":{"prompt_tokens":1000000,"completion_tokens":0,"total_tokens":1000000}}"#;
    let at = "\"at\":\"2026-11-20T12:00:00Z\"";
    let cost = |cost: u64| json!({"cost_usd": cost});
    check(&[], &format!(r#"{{"id":7,{at},"response":{o3}}}"#), &json!({"id": 7, "cost_usd": 2}));
    check(&[], &format!(r#"{{{at},"response":{o3},"context":{{"service_tier":"flex"}}}}"#), &cost(1));
    check(
        &[],
        &format!(r#"{{{at},"response":{o3},"context":{{"processing":"batch","speed":null}}}}"#),
        &cost(1),
    );
    check(&["--at=2026-11-20"], &format!(r#"{{"response":{o3},"at":null,"context":null}}"#), &cost(2));
    check(&["--at=2026-11-20", "--processing=batch"], &format!(r#"{{"response":{o3}}}"#), &cost(1));
    let provider = json!({"provider": "aws.bedrock", "cost_status": "unknown_model"});
    check(&["--provider=openai"], &format!(r#"{{"provider":"aws.bedrock","response":{o3}}}"#), &provider);
    let unnamed = r#"{"usage":{"prompt_tokens":1000000,"completion_tokens":0,"total_tokens":1000000}}"#;
    let line = format!(r#"{{"api":"openai_chat","model":"o3",{at},"response":{unnamed}}}"#);
    check(&[], &line, &json!({"api": "openai_chat", "model": "o3", "cost_usd": 2}));
    let stream = json!({"stream": format!("data: {CHAT}\n\ndata: [DONE]\n\n")}).to_string();
    check(&[], &stream, &json!({"api": "openai_chat"}));
    // A body of no known API is an answer too.
    check(
        &[],
        r#"{"id":1,"response":{"weather":"fine"}}"#,
        &json!({"id": 1, "api": null, "cost_status": "no_usage"}),
    );
}

#[test]
fn a_line_that_cannot_be_read_says_so_in_its_place() {
    let check = |line: &str, id: Value, said: &str| {
        let run = run(&["price", "--lines"], format!("{line}\n\n{{\"id\":2,\"response\":{CHAT}}}"));
        assert_eq!(run.code, 0, "{line}");
        assert!(run.err.starts_with("llmtrace: 1 of 2 lines cannot be read"), "{}", run.err);
        let answers = run.json_lines();
        assert_eq!((answers.len(), &answers[0]["id"], &answers[1]["cost_usd"]), (2, &id, &json!(0.15)));
        let keys: std::collections::BTreeSet<_> = answers[0].as_object().unwrap().keys().collect();
        assert!(keys.into_iter().eq(["error", "id"]), "{}", answers[0]);
        assert!(answers[0]["error"].as_str().unwrap().contains(said), "{}", answers[0]);
    };
    check("not json", Value::Null, "not a JSON object");
    check("7", Value::Null, "not a JSON object");
    check("{\"id\":1,\"response\":{", Value::Null, "not a JSON object");
    check("[]", Value::Null, "not a JSON object: found []");
    check(r#"["x",null,null,null,null,null,{},null]"#, Value::Null, "not a JSON object");
    check("\u{fffd}\"", Value::Null, "not a JSON object");
    check(r#"{"id":1}"#, json!(1), "found neither");
    check(r#"{"id":1,"response":{},"stream":""}"#, json!(1), "found both");
    check(r#"{"id":"x","response":"{}"}"#, json!("x"), "under \"stream\"");
    check(r#"{"id":1,"stream":{}}"#, json!(1), "\"stream\": expected the raw text");
    check(r#"{"id":1,"api":"openai","response":{}}"#, json!(1), "openai_chat");
    check(r#"{"id":1,"api":3,"response":{}}"#, json!(1), "\"api\": expected text, found 3");
    check(r#"{"id":1,"at":"soon","response":{}}"#, json!(1), "\"at\": expected RFC 3339");
    check(r#"{"id":1,"context":"flex","response":{}}"#, json!(1), "\"context\": expected an object");
}

#[test]
fn lines_of_which_none_can_be_read_are_two() {
    let check = |input: &str, code: i32, lines: usize, said: &str| {
        let run = run(&["price", "--lines"], input);
        assert_eq!((run.code, run.out.lines().count()), (code, lines), "{input}");
        assert!(run.err.contains(said), "{}", run.err);
    };
    check("a\nb\n", 2, 2, "no line of standard input can be read");
    check("\n\n", 1, 0, "holds no lines");
}
