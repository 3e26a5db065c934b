//! `llmtrace bench-explain`: tasks for others, their scores, and every refusal.

use serde_json::{Map, Value, json};

use crate::support::{Folder, Run, run};

fn bench(arguments: &[&str]) -> Run {
    run(&[&["bench-explain"], arguments].concat(), "")
}

#[test]
fn a_method_from_a_file_stands_beside_chance() {
    let folder = Folder::new();
    let tasks = folder.path("tasks").display().to_string();
    let written = bench(&["--write-tasks", &tasks]);
    assert_eq!((written.code, written.err.as_str()), (0, ""));
    let tasks: Value =
        serde_json::from_slice(&std::fs::read(folder.path("tasks/tasks.json")).unwrap()).unwrap();
    // Only edges, each scored by its place.
    let mut scores = Map::new();
    for task in tasks.as_array().unwrap().iter().filter(|task| task["level"] == "edges") {
        let count = task["parts"].as_array().unwrap().len();
        scores.insert(task["id"].as_str().unwrap().to_owned(), (0..count).collect());
    }
    let mine = folder.file("mine.json", json!({"method": "mine", "scores": scores}).to_string());
    let both = bench(&["--scores", &mine, "--method", "random", "--json"]);
    assert_eq!((both.code, both.err.as_str()), (0, ""));
    let rows = both.json()["rows"].clone();
    let named: Vec<(&str, &str)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["level"].as_str().unwrap(), row["method"].as_str().unwrap()))
        .collect();
    assert_eq!(named.len(), 5);
    assert!(named.contains(&("edges", "mine")) && named.contains(&("edges", "random")), "{named:?}");
    let table = bench(&["--scores", &mine]);
    assert!(table.out.starts_with("edges, 7 tasks") && table.out.contains("mine"), "{}", table.out);
}

#[test]
fn what_does_not_fit_is_refused_in_one_line() {
    let folder = Folder::new();
    let check = |content: &str, expected: &str| {
        let file = folder.file("mine.json", content);
        let run = bench(&["--scores", &file]);
        assert_eq!((run.code, run.err.lines().count()), (2, 1), "{}", run.err);
        assert!(run.err.contains(expected), "{}", run.err);
    };
    check("", "mine.json: EOF while parsing a value");
    check(r#"{"method": "mine", "scores": {"x": [1]}}"#, "mine: there is no task \"x\"");
    check(
        r#"{"method": "mine", "scores": {"two-step: Dallas capital: edges": [1]}}"#,
        "has 1 scores, expected",
    );
    let run = bench(&["--scores", "nowhere.json"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("cannot read nowhere.json"), "{}", run.err);
    assert_eq!(bench(&["--method", "magic"]).code, 2);
}
