//! `llmtrace lens diff`: what changed between two versions of a model, and every refusal.

use crate::support::{Folder, Run, run};

const DALLAS: &str = "the capital of the state containing Dallas is";
const OAKLAND: &str = "the capital of the state containing Oakland is";

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llmtrace-lens/tests/fixtures");

fn diff(arguments: &[&str]) -> Run {
    run(&[&["lens", "diff"], arguments].concat(), "")
}

#[test]
fn a_changed_fact_is_told_and_drawn() {
    let folder = Folder::new();
    folder.file("prompts.txt", format!("{DALLAS}\n\n{OAKLAND}\n"));
    let [prompts, out] = ["prompts.txt", "diff.html"].map(|file| folder.path(file).display().to_string());
    let told = diff(&["toy", "toy-houston", "--prompts", &prompts, "--out", &out]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    for part in ["toy-relu → toy-houston", "Austin .", "Houston .", "blocks.2.mlp.W_in", "MLP of L2"] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    assert!(std::fs::read_to_string(out).unwrap().contains("Austin . → Houston ."));

    let json = diff(&["toy", "toy-houston", "--prompts", &prompts, "--json"]).json();
    assert_eq!((&json["changed"], &json["answers"][0]["status"]), (&true.into(), &"changed".into()));
    assert_eq!(json["answers"][0]["after"]["text"].as_str().map(str::trim), Some("Houston ."));
    assert_eq!(json["layers"][1]["changed"], false);
}

#[test]
fn a_copy_has_not_changed() {
    let told = diff(&["toy", "toy", "--prompt", DALLAS]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.contains("Nothing changed on 1 prompt of 8 tokens"), "{}", told.out);
    assert_eq!(diff(&["toy", "toy", "--prompt", DALLAS, "--json"]).json()["changed"], false);
}

#[test]
fn features_are_told_where_transcoders_are_given() {
    let [model, plt] = ["models/gpt2", "graphs/gpt2_plt"].map(|name| format!("{FIXTURES}/{name}"));
    let json = diff(&[&model, &model, "--prompt", "the cat", "--transcoders", &plt, "--json"]).json();
    let [changed, all] = [0, 1].map(|at| json["features_changed"][at].as_u64());
    assert!(changed == Some(0) && all > Some(0), "{}", json["features_changed"]);
    assert_eq!(json["features"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_cannot_be_compared_is_refused_in_one_line() {
    let folder = Folder::new();
    folder.file("empty.txt", "\n");
    let empty = folder.path("empty.txt").display().to_string();
    let check = |arguments: &[&str], expected: &str| {
        let run = diff(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.contains(expected), "{arguments:?}: {}", run.err);
    };
    check(&["toy", "toy-gelu", "--prompt", DALLAS], "different shapes (d_mlp 512 and 256)");
    check(&["toy", "nowhere", "--prompt", DALLAS], "nowhere is not there");
    check(&["toy", "toy", "--prompts", "nowhere.txt"], "cannot read nowhere.txt");
    check(&["toy", "toy", "--prompts", &empty], "has no prompt: expected one on each line");
    check(&["toy", "toy", "--prompt", ""], "has no token");
    check(&["toy", "toy"], "--prompts");
    check(&["toy", "toy", "--prompt", DALLAS, "--transcoders", "nowhere"], "nowhere is not there");
}
