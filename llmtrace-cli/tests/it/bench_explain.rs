//! `llmtrace bench-explain`: what is known is found, chance is chance, and files that do not fit are refused.

use serde_json::{Value, json};

use crate::support::{Folder, Run, run};

const HEADS: &str = "two-step-by-hand/heads/Dallas";

fn scored(folder: &Folder, file: &str, more: &[&str]) -> Run {
    let path = folder.path("scores.json");
    std::fs::write(&path, file).unwrap();
    run(&[&["bench-explain", "--scores", path.to_str().unwrap(), "--method", ""], more].concat(), "")
}

fn results(run: &Run) -> Vec<Value> {
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    run.json()["results"].as_array().unwrap().clone()
}

#[test]
fn perfect_scores_get_one() {
    let folder = Folder::new();
    let file = json!({"method": "mine", "scores": {HEADS: [0, 0, 2.5, 0]}, "seconds": {HEADS: 0.5}});
    let results = results(&scored(&folder, &file.to_string(), &["--json"]));
    assert_eq!(results.len(), 1);
    for key in ["precision", "recall", "average_precision"] {
        assert_eq!(results[0][key], json!(1.0), "{}", results[0]);
    }
    assert_eq!((&results[0]["method"], &results[0]["seconds"]), (&json!("mine"), &json!(0.5)));
}

#[test]
fn graphs_and_patches_find_what_chance_does_not() {
    let run =
        run(&["bench-explain", "--method", "attribution_graph,activation_patching,random", "--json"], "");
    for result in results(&run) {
        let average = result["average_precision"].as_f64().unwrap();
        match (result["method"].as_str().unwrap(), result["kind"].as_str().unwrap()) {
            ("attribution_graph", "edges") | ("activation_patching", "heads") => {
                assert!((average - 1.0).abs() < 1e-9, "{result}");
            }
            ("random", "edges") => assert!(average < 0.1, "{result}"),
            _ => {}
        }
    }
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let folder = Folder::new();
    let refused = |file: &str, expected: &str| {
        let run = scored(&folder, file, &[]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{file}");
        assert!(run.err.contains(expected), "{}, expected {expected}", run.err);
    };
    refused("", "scores.json: ");
    refused("{\"method\": \"m\"}", "missing field `scores`");
    refused("{\"method\": \"m\", \"scores\": {}}", "there are no scores");
    refused("{\"method\": \"m\", \"scores\": {\"x\": [1]}}", "there is no task \"x\"");
    let file = json!({"method": "m", "scores": {HEADS: [1, 2]}}).to_string();
    refused(&file, "has 2 scores, expected 4, one a candidate");
    refused(&file.replace('2', "null"), "invalid type: null");
    let unknown = run(&["bench-explain", "--method", "guess"], "");
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("there is no method \"guess\"; there are activation_patching"),
        "{}",
        unknown.err
    );
}
