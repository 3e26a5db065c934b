//! `llmtrace findings`.

use serde_json::{Value, json};

use crate::support::{Folder, Span, lines, run};

/// An agent that asks a tool the same three times, and a call that is cut off.
fn odd() -> String {
    let tool = |id: u64| {
        let start = id * 1_000;
        Span::new("tool", [1, id, 1], [start, start + 100])
            .with("gen_ai.tool.name", "search")
            .with("gen_ai.tool.call.arguments", r#"{"q":"sky"}"#)
            .with("gen_ai.tool.call.result", "blue")
    };
    lines([
        tool(2),
        tool(3),
        tool(4),
        Span::new("agent", [1, 1, 0], [1_000, 9_000]),
        Span::call([2, 5, 0], [10_000, 11_000], [100, 20])
            .cost(27_000_000)
            .with("gen_ai.response.finish_reasons", json!(["length"])),
    ])
}

#[test]
fn people_read_what_stands_out_and_why() {
    let shown = run(&["findings", "-"], odd());
    let expected = "\
▲ warning   search 3 times alike
    search with the same arguments 3 times within 2.10 s; the results are the same
    tool-loop · tool 2 · 2026-11-20 12:00:02 · trace 00000000000000000000000000000001

· info      answer cut off
    it ended with \"length\", after output tokens 20
    truncated · generation 5 · gpt-4o-mini · 2026-11-20 12:00:10
    trace 00000000000000000000000000000002

1 warning, 1 note among 5 spans of 2 traces
";
    assert_eq!(shown.out, expected, "\n{}", shown.out);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
}

#[test]
fn programs_read_all_of_it() {
    let found = run(&["findings", "-", "--json"], odd()).json();
    assert_eq!((&found["spans"], &found["traces"], &found["left_out"]), (&json!(5), &json!(2), &json!(0)));
    let id = found["findings"][0]["id"].as_str().unwrap();
    assert_eq!(id.len(), 16);
    let expected = json!({
        "id": id, "rule": "tool-loop", "severity": "warning", "title": "search 3 times alike",
        "trace_id": "00000000000000000000000000000001", "span_id": "0000000000000002", "name": "tool 2",
        "service": null, "model": null, "time": "2026-11-20T12:00:02.000000000Z",
        "evidence": {"value": 3.0, "unit": "count", "expected": {"low": 1.0, "high": 2.0}, "sample": 3,
            "sentence": "search with the same arguments 3 times within 2.10 s; the results are the same"},
    });
    assert_eq!(found["findings"][0], expected);
}

#[test]
fn files_and_standard_input_say_the_same() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", odd());
    let expected = run(&["findings", "-", "--json"], odd()).out;
    assert_eq!(run(&["findings", &file, "--json"], "").out, expected);
    // Whatever the order of the lines.
    let odd = odd();
    let reversed = odd.lines().rev().collect::<Vec<_>>().join("\n");
    assert_eq!(run(&["findings", "-", "--json"], reversed).out, expected);
}

#[test]
fn only_what_is_asked_for_is_found() {
    let check = |arguments: &[&str], rules: &[&str], code: i32| {
        let run = run(&[&["findings", "-", "--json"], arguments].concat(), odd());
        let found = run.json();
        let found: Vec<_> =
            found["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].clone()).collect();
        assert_eq!(found, rules.iter().map(|rule| Value::from(*rule)).collect::<Vec<_>>(), "{arguments:?}");
        assert_eq!(run.code, code, "{arguments:?}");
    };
    check(&[], &["tool-loop", "truncated"], 0);
    check(&["--check"], &["tool-loop", "truncated"], 1);
    check(&["--severity", "warning"], &["tool-loop"], 0);
    check(&["--severity", "critical", "--check"], &[], 0);
    check(&["--rule", "truncated"], &["truncated"], 0);
    check(&["--rule", "truncated", "--rule", "secret"], &["truncated"], 0);
    check(&["--trace", "00000000000000000000000000000002"], &["truncated"], 0);
}

#[test]
fn what_cannot_be_done_is_said_on_one_line() {
    let check = |arguments: &[&str], input: &str, code: i32, said: &str| {
        let run = run(&[&["findings"], arguments].concat(), input);
        assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (code, "", 1), "{}", run.err);
        assert!(run.err.contains(said), "{}", run.err);
    };
    check(&["-"], "", 1, "no spans found in standard input");
    check(&["missing.jsonl"], "", 2, "cannot read missing.jsonl");
    check(&["-", "--rule", "loop"], "", 2, "tool-loop");
    check(&["-", "--trace", "ffff"], &odd(), 1, "no trace matches, of 5 spans read");
    let usual = lines([Span::call([1, 1, 0], [0, 10], [1, 1]).cost(1)]);
    let quiet = run(&["findings", "-"], usual);
    assert_eq!((quiet.code, quiet.out.as_str()), (0, "Nothing stands out among 1 span of 1 trace.\n"));
}

#[test]
fn texts_of_traces_are_safe_and_fit() {
    let name = format!("\u{1b}[31m{}\u{202e}", "m".repeat(500));
    let tool = |id: u64| {
        Span::new("tool", [1, id, 0], [id, id + 1])
            .with("gen_ai.tool.name", name.clone())
            .with("gen_ai.tool.call.arguments", "{}")
    };
    let shown = run(&["findings", "-"], lines([tool(1), tool(2), tool(3)])).out;
    assert!(shown.starts_with("▲ warning"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}
