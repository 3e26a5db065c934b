//! `llmtrace db`, `query` and `send` on a store.

use llmtrace_tests::fault::FaultServer;
use serde_json::{Value, json};

use crate::serve::server::{Server, wait_for};
use crate::support::{Folder, Run, Span, lines, run};

/// A store of two traces: an agent with a call, and a tool that failed.
fn store() -> (Folder, String) {
    let folder = Folder::new();
    let spans = lines([
        Span::call([1, 2, 1], [1_000, 2_000], [1_200, 80]).cost(228_000_000).with("user.id", "ana"),
        Span::new("agent", [1, 1, 0], [900, 2_100]),
        Span::new("tool", [2, 3, 0], [3_100, 3_200]).failed("no such file"),
    ]);
    let file = folder.file("spans.jsonl", spans);
    let server = Server::start_in(folder, &[], &[&file]);
    wait_for("the file is read", || server.json("/api/traces")["traces"].as_array().unwrap().len() == 2);
    let (code, folder) = server.stop();
    assert_eq!(code, 0);
    let store = folder.path("traces.db").to_str().unwrap().to_owned();
    (folder, store)
}

fn check(run: &Run, code: i32, out: &str, said: &str) {
    assert_eq!((run.code, run.out.as_str()), (code, out), "{}", run.err);
    assert!(run.err.contains(said), "{said:?} is not in {}", run.err);
}

#[test]
fn a_store_is_checked() {
    let (folder, store) = store();
    let whole = "3 spans of 2 traces: nothing is wrong\n";
    check(&run(&["db", "check", &store], ""), 0, whole, "");
    // While another process writes it, too.
    let server = Server::start_in(folder, &[], &[]);
    check(&run(&["db", "check", &store], ""), 0, whole, "");
    let (_, folder) = server.stop();
    let damaged = rusqlite::Connection::open(&store).unwrap();
    damaged.execute_batch("UPDATE traces SET error = NULL, calls = 7 WHERE id = 2").unwrap();
    drop(damaged);
    let found = run(&["db", "check", &store], "");
    assert_eq!((found.code, found.out.lines().count()), (1, 2), "{}", found.out);
    for problem in ["trace 2: calls is Some(7), its spans say Some(0)", "trace 2: error is None"] {
        assert!(found.out.contains(problem), "{}", found.out);
    }
    assert!(found.err.contains("2 things are wrong"), "{}", found.err);
    let missing = folder.path("missing.db");
    check(&run(&["db", "check", missing.to_str().unwrap()], ""), 2, "", "no store at");
    assert!(!missing.exists());
}

#[test]
fn a_store_is_compacted_where_nobody_writes_it() {
    let (folder, store) = store();
    let server = Server::start_in(folder, &[], &[]);
    check(&run(&["db", "compact", &store], ""), 2, "", "another process");
    let (_, _folder) = server.stop();
    let compacted = run(&["db", "compact", &store], "");
    assert_eq!(compacted.code, 0, "{}", compacted.err);
    assert!(compacted.out.ends_with(" bytes now\n"), "{}", compacted.out);
    check(&run(&["db", "check", &store], ""), 0, "3 spans of 2 traces: nothing is wrong\n", "");
}

#[test]
fn a_store_is_exported_as_far_as_conditions_go() {
    let (folder, store) = store();
    let export = |name: &str, conditions: &[&str]| {
        let to = folder.path(name).to_str().unwrap().to_owned();
        (run(&[&["db", "export", &store, "--to", &to], conditions].concat(), ""), to)
    };
    let (all, to) = export("all.jsonl", &[]);
    check(&all, 0, "3 spans of 2 traces\n", "");
    let names = |text: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["name"].clone()).collect()
    };
    let written = std::fs::read_to_string(&to).unwrap();
    assert_eq!(names(&written), [json!("agent 1"), json!("generation 2"), json!("tool 3")]);
    let again = run(&["stats", &to, "--json"], "").json();
    assert_eq!((&again["total"]["calls"], &again["total"]["input_tokens"]), (&json!(1), &json!(1_200)));
    let (failed, to) = export("failed.jsonl", &["--status", "error"]);
    check(&failed, 0, "1 spans of 1 traces\n", "");
    assert_eq!(names(&std::fs::read_to_string(&to).unwrap()), [json!("tool 3")]);
    let (parquet, to) = export("all.parquet", &[]);
    check(&parquet, 0, "3 spans of 2 traces\n", "");
    assert!(std::fs::read(&to).unwrap().starts_with(b"PAR1"));
    check(&export("all.jsonl", &[]).0, 2, "", "cannot write");
    check(&export("all.csv", &[]).0, 2, "", ".jsonl or .parquet");
    check(&export("none.jsonl", &["--model", "nobody"]).0, 1, "", "no trace of the store matches");
}

#[test]
fn a_store_is_asked_with_sql() {
    let (_folder, store) = store();
    let ask = |sql: &str, options: &[&str]| run(&[&["query", &store, sql], options].concat(), "");
    let failed = ask("SELECT name, status, error, spans FROM trace WHERE status = 'error'", &["--json"]);
    let expected = json!({"name": "tool 3", "status": "error", "error": "no such file", "spans": 1});
    assert_eq!((failed.code, failed.json_lines()), (0, vec![expected]), "{}", failed.err);
    let sums = "SELECT user, sum(input_tokens) AS input, sum(cost_usd) AS cost FROM span WHERE kind = 'generation' GROUP BY user";
    check(&ask(sums, &["--csv"]), 0, "user,input,cost\nana,1200,0.000228\n", "");
    check(&ask("SELECT name FROM span WHERE kind = 'reranker'", &[]), 1, "name\n", "no row");
    check(&ask("DELETE FROM spans", &[]), 2, "", "");
    check(&ask("SELECT nothing FROM span", &[]), 2, "", "nothing");
    assert_eq!(ask("SELECT count(*) AS spans FROM span", &["--json"]).json(), json!({"spans": 3}));
}

#[test]
fn a_store_is_sent() {
    let ((_folder, store), server) = (store(), FaultServer::start([]));
    let url = server.url();
    let sent = run(&["send", &store, "--to", "webhook", "--endpoint", &url], "");
    check(&sent, 0, "", &format!("sent 3 spans of 2 traces to {url}"));
    let bodies = server.requests().into_iter().map(|request| serde_json::from_slice::<Value>(&request.body));
    let mut names: Vec<_> = bodies
        .flat_map(|body| body.unwrap()["spans"].as_array().unwrap().clone())
        .map(|span| span["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["agent 1", "generation 2", "tool 3"]);
}
