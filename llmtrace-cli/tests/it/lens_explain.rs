//! `llmtrace lens explain`: what is printed of a prompt's parts, and every refusal.

use serde_json::Value;

use crate::lens::{DALLAS, GOLDENS, done, json, lens};
use crate::support::Folder;

#[test]
fn every_method_explains() {
    let check = |method: &str, more: &[&str]| {
        let found = json(&[&["explain", "toy", "--prompt", DALLAS, "--method", method], more].concat());
        let parts = found["attribution"]["parts"].as_array().unwrap();
        let strength = |at: &usize| parts[*at]["value"].as_f64().unwrap().abs();
        let strongest = (0..parts.len()).max_by(|a, b| strength(a).total_cmp(&strength(b))).unwrap();
        assert_eq!(found["answer"].as_str().map(str::trim), Some("Austin"));
        assert!(found["faithfulness"]["comprehensiveness"]["random_mean"].is_number(), "{method}: {found}");
        (parts[strongest]["text"].as_str().unwrap().trim().to_owned(), found)
    };
    for method in ["shapley", "kernel-shap", "owen", "permutation", "lime", "leave-one-out", "ig"] {
        assert_eq!(check(method, &[]).0, "Dallas", "{method}");
    }
    for method in ["gradient-x-input", "saliency", "rollout"] {
        check(method, &[]);
    }
    for (method, said, unsaid) in [
        ("rollout", "share of attention in the last position", "Without the parts"),
        ("saliency", "length of the gradient of the log-probability of Austin (nats)", "raised it"),
    ] {
        let (_, found) = check(method, &[]);
        assert!(found["attribution"].get("sum_gap").is_none(), "{method}: {found}");
        let drawn = done(&["explain", "toy", "--prompt", DALLAS, "--method", method]).out;
        let drawn = drawn.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(drawn.contains(said) && !drawn.contains(unsaid), "{method}: {drawn}");
    }
    let (_, integrated) = check("ig", &["--samples", "5"]);
    let delta = -integrated["attribution"]["sum_gap"].as_f64().unwrap();
    assert!(delta.abs() > 1e-4, "five steps miss something: {delta}");
    let drawn = done(&["explain", "toy", "--prompt", DALLAS, "--method", "ig", "--samples", "5"]).out;
    let gap = format!("{:.2}", -delta).replace('-', "−");
    assert!(drawn.replace('\n', " ").contains(&format!("which leaves a gap of {gap}")), "{gap}: {drawn}");
    let (_, exact) = check("shapley", &["--parts", "word"]);
    assert!(exact["attribution"]["sum_gap"].as_f64().unwrap().abs() < 1e-9);
    assert_eq!(exact["plan"]["calls"], 256);
    let (_, difference) = check("shapley", &["--wrong", "Sacramento", "--mask", "#0", "--seed", "3"]);
    assert_eq!(difference["attribution"]["masking"]["id"], 0, "{difference}");
    let drawn = done(&["explain", "toy", "--prompt", DALLAS, "--no-judgement"]).out;
    assert!(
        drawn.contains("answer: Austin") && drawn.contains("256 calls") && !drawn.contains("random"),
        "{drawn}"
    );
}

#[test]
fn a_method_that_takes_many_parts_is_used_where_none_is_named() {
    let prompt = &"the ".repeat(20);
    let run = lens(&["explain", "toy", "--prompt", prompt, "--no-judgement"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.err, "llmtrace: 20 parts are too many for exact Shapley values: Owen values are shown\n");
    let found = json(&["explain", "toy", "--prompt", prompt, "--no-judgement"]);
    assert_eq!(found["attribution"]["method"], "owen");
    let named = ["explain", "toy", "--prompt", DALLAS, "--no-judgement", "--method", "attention-rollout"];
    assert_eq!(json(&named)["attribution"]["method"], "attention_rollout");
}

#[test]
fn the_beginning_of_a_text_is_no_part_of_it() {
    let llama = format!("{GOLDENS}/llama");
    let labels = |prompt: &[&str]| {
        let explain = ["explain", &llama, "--method", "leave-one-out", "--no-judgement"];
        let found = json(&[&explain[..], prompt].concat());
        let parts = found["attribution"]["parts"].as_array().unwrap().iter();
        parts.map(|part| part["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let words = labels(&["--prompt", "the cat is"]);
    assert!(words.len() >= 3 && words[0].trim() == "the", "{words:?}");
    let ids = labels(&["--tokens", "1,5,6"]);
    assert_eq!((ids.len(), ids[0].as_str()), (3, "<s>"));

    let folder = Folder::new();
    let page = folder.path("page.html");
    let out = ["--prompt", "the cat is", "--out", page.to_str().unwrap()];
    let report = json(&[&["report", &llama], &out[..]].concat());
    assert_eq!(report["attribution"]["parts"].as_array().unwrap().len(), words.len());
}

#[test]
fn runs_are_bounded_and_no_result_is_lost_to_the_bound() {
    let explain = |method: &str, runs: u64, more: &[&str]| {
        let runs = runs.to_string();
        let arguments = ["explain", "toy", "--prompt", DALLAS, "--method", method, "--max-runs", &runs];
        let samples: &[&str] = if ["ig", "lime"].contains(&method) { &["--samples", "30"] } else { &[] };
        lens(&[&arguments[..], samples, more].concat())
    };
    let reads = [("ig", 32), ("gradient-x-input", 2), ("saliency", 1), ("rollout", 2)];
    for (method, runs) in reads.into_iter().chain([("lime", 26), ("leave-one-out", 10)]) {
        let refused = explain(method, runs - 1, &["--no-judgement"]);
        let said = format!("may need {runs} calls, and {} of the budget are left", runs - 1);
        assert!(refused.code == 2 && refused.out.is_empty() && refused.err.contains(&said), "{refused:?}");
        let made = explain(method, runs, &["--no-judgement", "--json"]);
        assert_eq!((made.code, made.err.as_str()), (0, ""), "{method}");
        assert!(made.json()["not_judged"].is_null());

        let judging = explain(method, 1_000, &["--json"]).json();
        let of = |found: &Value, what: &str| found[what]["spent"]["calls"].as_u64().unwrap();
        assert_eq!(of(&judging, "attribution"), runs, "{method}");
        let judged = of(&judging, "faithfulness");
        let enough = explain(method, runs + judged, &["--json"]).json();
        assert_eq!(of(&enough, "faithfulness"), judged, "{method}");
        let short = explain(method, runs + judged - 1, &["--json"]);
        assert_eq!((short.code, short.err.as_str()), (0, ""), "{method}");
        let said = format!("may need {judged} calls, and {} of the budget are left", judged - 1);
        let short = short.json();
        assert!(short["not_judged"].as_str().unwrap().ends_with(&said), "{method}: {}", short["not_judged"]);
        assert!(short["faithfulness"].is_null() && short["attribution"]["parts"][6]["value"].is_number());
        let drawn = explain(method, runs + judged - 1, &[]);
        assert_eq!((drawn.code, drawn.err.lines().count()), (0, 1), "{}", drawn.err);
        assert!(
            drawn.err.starts_with("llmtrace: not judged: judging ") && drawn.err.trim_end().ends_with(&said)
        );
        assert!(drawn.out.contains("answer: Austin") && drawn.out.contains("Dallas"), "{}", drawn.out);
    }
}

#[test]
fn named_segments_are_the_parts_of_a_prompt() {
    let folder = Folder::new();
    let explain = |segments: &str, more: &[&str]| {
        let file = folder.path("segments.json");
        std::fs::write(&file, segments).unwrap();
        json(&[&["explain", "toy", "--segments", file.to_str().unwrap()], more].concat())
    };
    let segments = r#"[{"name": "start", "text": "the capital of the state"},
        {"name": "city", "text": "containing Dallas"}, {"name": "end", "text": "is", "keep": true}]"#;
    let found = explain(segments, &[]);
    let parts = found["attribution"]["parts"].as_array().unwrap();
    let labels: Vec<&str> = parts.iter().map(|part| part["label"].as_str().unwrap()).collect();
    assert_eq!((labels, found["plan"]["calls"].as_u64()), (vec!["start", "city"], Some(4)));
    let value = |at: usize| parts[at]["value"].as_f64().unwrap();
    assert!(value(1) > value(0), "{found}");
    assert_eq!(found["answer"].as_str().map(str::trim), Some("Austin"));
    let words = explain(segments, &["--parts", "word", "--method", "leave-one-out"]);
    assert_eq!(words["attribution"]["parts"].as_array().unwrap().len(), 8);

    let refused = |segments: &str, said: &str| {
        let file = folder.path("wrong.json");
        std::fs::write(&file, segments).unwrap();
        let run = lens(&["explain", "toy", "--segments", file.to_str().unwrap()]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{segments}");
        assert!(run.err.contains("wrong.json") && run.err.contains(said), "{segments}: {}", run.err);
    };
    refused("{}", "expected [{\"name\"");
    refused(r#"[{"name": "a"}]"#, "missing field `text`");
    refused(r#"[{"name": "a", "text": "b", "masked": 1}]"#, "unknown field `masked`");
    refused("[]", "no segment that may be masked");
    refused(r#"[{"name": "a", "text": "the", "keep": true}]"#, "no segment that may be masked");
}

#[test]
fn what_cannot_be_explained_is_said_on_one_line() {
    let check = |arguments: &[&str], said: &[&str]| {
        let run = lens(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        for said in said {
            assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
        }
    };
    check(&["explain", "toy", "--prompt", DALLAS, "--max-runs", "10"], &["256", "10"]);
    check(&["explain", "toy", "--prompt", &"the ".repeat(20), "--method", "shapley"], &["16", "20"]);
    check(&["explain", "toy", "--prompt", DALLAS, "--samples", "9"], &["--samples", "name one of them"]);
    check(
        &["explain", "toy", "--prompt", DALLAS, "--method", "lime", "--samples", "0"],
        &["0 is not in 1.."],
    );
    check(&["explain", "toy", "--prompt", DALLAS, "--wrong", "Austin"], &["Austin", "is the answer too"]);
    check(&["explain", "toy", "--tokens", "2,3", "--parts", "word"], &["--prompt"]);
    check(&["explain", "toy", "--prompt", DALLAS, "--method", "guess"], &["guess", "shapley"]);
    check(&["explain", "toy", "--prompt", DALLAS, "--parts", "segments"], &["--segments FILE"]);
    check(&["explain", "toy", "--prompt", DALLAS, "--segments", "x"], &["--prompt", "--segments"]);
    check(&["explain", "toy", "--segments", "/nonexistent/x"], &["/nonexistent/x", "No such file"]);
    for (method, most) in
        [("permutation", "174762 pairs"), ("lime", "1048576 samples"), ("ig", "10000 steps")]
    {
        for asked in ["9223372036854775807", "1000000000000"] {
            let prompt = ["explain", "toy", "--prompt", "Dallas is", "--method", method, "--samples", asked];
            check(&prompt, &[most, asked]);
            check(&[&prompt[..], &["--max-runs", "10"]].concat(), &[asked]);
        }
    }
    let many = ["explain", "toy", "--prompt", &"the ".repeat(37), "--method", "kernel-shap"];
    check(&[&many[..], &["--samples", "200000000"]].concat(), &["1048576 samples", "200000000"]);
}
