//! `llmtrace compare`.

use serde_json::{Value, json};

use crate::support::{Folder, Span, lines, run};

fn said(span: Span, question: &str, answer: &str) -> String {
    let mut line: Value = serde_json::from_str(&lines([span])).unwrap();
    line["input"] = json!([{"role": "user", "parts": [{"type": "text", "content": question}]}]);
    line["output"] = json!([{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]);
    format!("{line}\n")
}

/// An agent, a call and a tool; in the second, another model answers otherwise, and another tool is called.
fn two() -> (String, String) {
    let call = |trace: u64, end: u64, tokens| {
        Span::call([trace, 2, 1], [0, end], tokens).with("gen_ai.operation.name", "chat")
    };
    let first = said(call(1, 1_000, [100, 20]).cost(27_000_000), "Why?", "The sky is blue")
        + &lines([Span::new("tool", [1, 3, 1], [1_000, 1_100]), Span::new("agent", [1, 1, 0], [0, 2_000])]);
    let second = said(
        call(2, 2_500, [100, 50]).cost(540_000_000).with("gen_ai.response.model", "gpt-4o"),
        "Why?",
        "The sky is grey today",
    ) + &lines([
        Span::new("tool", [2, 4, 1], [2_500, 2_600]).failed("no such tool"),
        Span::new("agent", [2, 1, 0], [0, 3_000]),
    ]);
    (first, second)
}

#[test]
fn people_read_two_traces_side_by_side() {
    let folder = Folder::new();
    let (a, b) = two();
    let (a, b) = (folder.file("a.jsonl", a), folder.file("b.jsonl", b));
    let shown = run(&["compare", &a, &b], "");
    let expected = "\
A  agent 1 · 2026-11-20 12:00:00 · 3 spans · 1 call · gpt-4o-mini
   trace 00000000000000000000000000000001
B  agent 1 · 2026-11-20 12:00:00 · 3 spans · 1 call · 1 error · gpt-4o
   trace 00000000000000000000000000000002

                  A         B  change
spans             3         3       =
calls             1         1       =
errors            0         1      +1
cost      $0.000027  $0.00054   20.0x
duration     2.00 s    3.00 s   +50 %
input           100       100       =
output           20        50    2.5x

  span                                            duration A → B            cost A → B  output A → B
= agent agent 1                                  2.00 s → 3.00 s
≠   generation generation 2 (gpt-4o-mini → gpt…  1.00 s → 2.50 s  $0.000027 → $0.00054       20 → 50
-   tool tool 3                                       100 ms → –
+   tool tool 4                                       – → 100 ms

generation generation 2 (gpt-4o-mini → gpt-4o)
  output 1 assistant
    The sky is [-blue-]{+grey today+}
";
    assert_eq!(shown.out, expected, "\n{}", shown.out);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
}

#[test]
fn programs_read_two_traces_by_id() {
    let folder = Folder::new();
    let (a, b) = two();
    let file = folder.file("app.jsonl", a + &b);
    let id = |number: u64| format!("{number:032x}");
    let run = run(&["compare", &file, "--trace", &id(1), "--trace", &id(2), "--json"], "");
    let compared = run.json();
    assert_eq!((&compared["a"]["trace_id"], &compared["b"]["trace_id"]), (&json!(id(1)), &json!(id(2))));
    assert_eq!(compared["a"]["figures"]["cost_usd"].to_string(), "0.000027");
    assert_eq!(compared["rows"].as_array().unwrap().len(), 4);
    let call = &compared["rows"][1];
    assert_eq!(
        (&call["depth"], &call["a"]["model"], &call["b"]["model"]),
        (&json!(1), &json!("gpt-4o-mini"), &json!("gpt-4o"))
    );
    let pieces = json!([
        {"change": "same", "text": "The sky is "}, {"change": "removed", "text": "blue"},
        {"change": "added", "text": "grey today"},
    ]);
    assert_eq!(call["messages"]["output"][0]["pieces"], pieces);
    assert_eq!(call["messages"]["input"][0]["change"], "same");
    assert_eq!((&compared["rows"][2]["b"], &compared["rows"][3]["a"]), (&Value::Null, &Value::Null));
}

/// So many traces with a call each, of which the times and costs vary.
fn many(from: u64, count: u64, [ms, pico]: [u64; 2], key: (&str, &str)) -> String {
    let calls = (from..from + count).map(|trace| {
        let vary = trace * 7_919 % 101;
        let call = Span::call([trace, 1, 0], [trace, trace + ms + ms * vary / 100], [1_000 + vary, 100]);
        let call = call.cost(pico + pico * vary / 100);
        lines([match key {
            ("tag", tag) => call.with("llmtrace.tags", json!([tag])),
            (key, value) => call.with(key, value),
        }])
    });
    calls.collect()
}

fn measure<'a>(compared: &'a Value, name: &str) -> &'a Value {
    let measures = compared["measures"].as_array().unwrap();
    measures.iter().find(|measure| measure["name"] == name).unwrap()
}

#[test]
fn sets_are_told_apart_and_noise_is_no_change() {
    let folder = Folder::new();
    let file = |name: &str, text: String| folder.file(name, text);
    let before = file("before.jsonl", many(1, 300, [500, 1_000_000], ("tag", "v1")));
    let same = file("same.jsonl", many(1_001, 300, [500, 1_000_000], ("tag", "v2")));
    let slow = file("slow.jsonl", many(2_001, 300, [900, 1_000_000], ("gen_ai.response.model", "gpt-4o")));
    let verdicts = |arguments: &[&str]| {
        let compared = run(&[&["compare"], arguments, &["--json"]].concat(), "").json();
        ["failed", "cost per call", "latency p50", "latency p95"]
            .map(|name| measure(&compared, name)["verdict"].as_str().unwrap().to_owned())
    };
    assert_eq!(verdicts(&[&before, &same]), ["unclear"; 4]);
    let slower = ["unclear", "unclear", "higher", "higher"];
    assert_eq!(verdicts(&[&before, &slow]), slower);
    assert_eq!(verdicts(&[&slow, &before]), ["unclear", "unclear", "lower", "lower"]);
    assert_eq!(verdicts(&[&before, &same, "--tag", "v1", "--tag", "v2"]), ["unclear"; 4]);
    assert_eq!(verdicts(&[&before, &slow, "--model", "gpt-4o-mini", "--model", "gpt-4o"]), slower);
    assert_eq!(verdicts(&[&before, &slow, "--split", "2026-11-20T12:00:02Z"]), slower);
    // Too few calls to say anything.
    let few = file("few.jsonl", many(5_001, 10, [9_000, 1_000_000], ("tag", "v3")));
    assert_eq!(verdicts(&[&before, &few]), ["unjudged"; 4]);
}

#[test]
fn the_range_holds_the_change() {
    let folder = Folder::new();
    let a = folder.file("a.jsonl", many(1, 400, [500, 1_000_000], ("tag", "a")));
    let b = folder.file("b.jsonl", many(1_001, 400, [500, 1_200_000], ("tag", "b")));
    let compared = run(&["compare", &a, &b, "--json"], "").json();
    let change = &measure(&compared, "cost per call")["change"];
    let [low, value, high] = ["low", "value", "high"].map(|key| change[key].as_f64().unwrap());
    assert!(low < value && value < high && (1.19..1.21).contains(&value), "{change}");
    assert!(low > 1.1 && high < 1.3, "{change}");
    assert_eq!(compared["models"], json!([{"model": "gpt-4o-mini", "a_calls": 400, "b_calls": 400}]));
}

#[test]
fn calls_of_one_trace_count_as_alike() {
    // Twenty traces of 50 calls that are all the same within a trace: a thousand calls that say as much as twenty.
    let set = |from: u64, shift: u64| -> String {
        let calls = (from..from + 20).flat_map(|trace| {
            (1..=50).map(move |id| {
                let ms = 500 + (trace - from) * 7_919 % 20 * 40 + shift;
                lines([Span::call([trace, id, 0], [0, ms], [1_000, 100]).cost(1_000_000)])
            })
        });
        calls.collect()
    };
    let folder = Folder::new();
    let (a, b) = (folder.file("a.jsonl", set(1, 0)), folder.file("b.jsonl", set(100, 80)));
    let compared = run(&["compare", &a, &b, "--json"], "").json();
    assert_eq!(measure(&compared, "latency p50")["verdict"], "unclear", "{compared}");
}

#[test]
fn people_read_two_sets() {
    let folder = Folder::new();
    let a = folder.file("a.jsonl", many(1, 300, [500, 1_000_000], ("tag", "a")));
    let b = folder.file("b.jsonl", many(1_001, 300, [900, 1_000_000], ("gen_ai.response.model", "gpt-4o")));
    let shown = run(&["compare", &a, &b], "").out;
    let row = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(row("latency p50").contains("+80 %") && row("latency p50").ends_with("higher"), "{shown}");
    assert!(row("cost per call").ends_with("may be chance"), "{shown}");
    assert!(row("gpt-4o-mini").ends_with('0') && row("A ").contains("300 calls"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn what_cannot_be_compared_is_said_on_one_line() {
    let folder = Folder::new();
    let (a, b) = two();
    let (one, both, none) =
        (folder.file("a.jsonl", &a), folder.file("ab.jsonl", a.clone() + &b), folder.file("c.jsonl", ""));
    let check = |arguments: &[&str], code: i32, said: &str| {
        let run = run(&[&["compare"], arguments].concat(), "");
        assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (code, "", 1), "{}", run.err);
        assert!(run.err.contains(said), "{}", run.err);
    };
    check(&[&one], 2, "two files");
    check(&[&one, &none], 1, "no spans found");
    check(&[&both, "--trace", "1"], 2, "given twice");
    check(&[&both, "--trace", "0", "--trace", "ffff"], 2, "2 traces start with 0");
    check(&[&one, "--trace", &format!("{:032x}", 1), "--trace", "ffff"], 1, "no trace ffff among 3 spans");
    check(&[&both, "--tag", "v1", "--tag", "v2"], 1, "no trace of tag v1 among 6 spans");
    check(&[&both, "--trace", "1", "--tag", "v2"], 2, "cannot be used with");
}

#[test]
fn long_texts_do_not_hang() {
    let folder = Folder::new();
    let long = |word: &str| format!("{}{word}", "lorem ipsum ".repeat(900_000));
    let other: Vec<String> = (0..1_000_000).map(|number: u32| number.to_string()).collect();
    let other = other.join(" ");
    let call = |trace| Span::call([trace, 1, 0], [0, 10], [1, 1]).cost(1);
    let a = folder.file("a.jsonl", said(call(1), &long("old"), &long("same")));
    let b = folder.file("b.jsonl", said(call(2), &long("new"), &other));
    let shown = run(&["compare", &a, &b], "");
    assert_eq!(shown.code, 0);
    assert!(shown.out.contains("[-old-]{+new+}"), "{}", shown.out);
    assert!(shown.out.contains("bytes were not compared or are not shown"), "{}", shown.out);
    assert!(shown.out.len() < 20_000, "{}", shown.out.len());
}
