//! `llmtrace lens origin`: texts of two authors learned, known again, and every refusal.

use llmtrace_lens::handmade::Author;
use serde_json::json;

use crate::support::{Folder, Run, run};

/// A folder with the models of two authors and a corpus of theirs.
fn written() -> (Folder, String, String) {
    let folder = Folder::new();
    let mut corpus = String::new();
    for (name, author) in [("ada", Author::new(1)), ("ben", Author::new(2))] {
        author.builder().unwrap().save(folder.path(name)).unwrap();
        for number in 0..25 {
            corpus += &(json!({"origin": name, "text": author.text(number, 40)}).to_string() + "\n");
        }
    }
    folder.file("corpus.jsonl", corpus);
    let named = |name: &str| format!("{name}={}", folder.path(name).display());
    let (ada, ben) = (named("ada"), named("ben"));
    (folder, ada, ben)
}

fn origin(arguments: &[&str], input: &str) -> Run {
    run(&[&["lens", "origin"], arguments].concat(), input)
}

#[test]
fn authors_are_learned_and_known_again() {
    let (folder, ada, ben) = written();
    let [corpus, out] = ["corpus.jsonl", "origins.json"].map(|file| folder.path(file).display().to_string());
    let trained =
        origin(&["train", "--model", &ada, "--model", &ben, "--corpus", &corpus, "--out", &out], "");
    assert_eq!((trained.code, trained.err.as_str()), (0, ""));
    assert!(
        trained.out.contains("50 texts, each judged by what was learned from the others"),
        "{}",
        trained.out
    );
    assert!(trained.out.contains("were said to be whose"), "{}", trained.out);

    let score =
        |input: &str| origin(&["score", &out, "--model", &ada, "--model", &ben, "-", "--json"], input);
    for (name, author) in [("ada", Author::new(1)), ("ben", Author::new(2))] {
        let judged = score(&author.text(900, 40));
        assert_eq!((judged.code, judged.err.as_str()), (0, ""), "{name}");
        assert_eq!(judged.json()["origin"], name);
        assert_eq!(judged.json()["why"], "known");
    }
    let judged = score("too short");
    assert_eq!(judged.code, 1);
    assert_eq!(judged.err.trim_end(), "llmtrace: the origin of no text is known");
    assert_eq!((&judged.json()["origin"], &judged.json()["why"]), (&json!(null), &json!("too_short")));

    let text = Author::new(2).text(901, 40);
    let judged = origin(&["score", &out, "--model", &ada, "--model", &ben, "--text", &text], "");
    assert!(judged.out.starts_with("the text: ben  (ben "), "{}", judged.out);
    let swapped = origin(&["score", &out, "--model", &ben, "--model", &ada, "--text", &text], "");
    assert_eq!(swapped.code, 2);
    assert!(
        swapped.err.contains("was trained with ada (gpt2") && swapped.err.contains("found ben"),
        "{}",
        swapped.err
    );
}

#[test]
fn what_cannot_be_learned_or_read_is_refused_in_one_line() {
    let (folder, ada, ben) = written();
    let out = folder.path("origins.json").display().to_string();
    let check = |arguments: &[&str], expected: &str| {
        let run = origin(arguments, "");
        assert_eq!((run.code, run.err.lines().count()), (2, 1), "{}", run.err);
        assert!(run.err.contains(expected), "{}", run.err);
    };
    let corpus = folder.path("corpus.jsonl").display().to_string();
    let train = |models: &[&str], corpus: &str, expected: &str| {
        let models = models.iter().flat_map(|model| ["--model", model]);
        let arguments: Vec<&str> =
            ["train"].into_iter().chain(models).chain(["--corpus", corpus, "--out", &out]).collect();
        check(&arguments, expected);
    };
    train(&[&ada], &corpus, "expected at least two models");
    train(&[&ada, &ada], &corpus, "two are named \"ada\"");
    train(&["ada", &ben], &corpus, "--model \"ada\": expected a name and a folder");
    train(&["ada=nowhere", &ben], &corpus, "nowhere is not there");
    train(&[&ada, &ben], "nowhere.jsonl", "cannot read nowhere.jsonl");
    train(&[&ada, &ben], &folder.file("a.jsonl", "{\"text\": 1}\n"), "a.jsonl, line 1: invalid type");
    train(&[&ada, &ben], &folder.file("b.jsonl", ""), "has texts of 0 origins");
    let classifier = folder.file("c.json", "{}");
    check(
        &["score", &classifier, "--model", &ada, "--model", &ben, "--text", "x"],
        "missing field `version`",
    );
}
