//! `llmtrace send`.

use std::collections::BTreeMap;

use llmtrace_tests::backend::span_ids;
use llmtrace_tests::fault::{FaultServer, Request, Step};
use serde_json::{Value, json};

use crate::support::{Folder, Run, Span, lines, run, run_in};

/// Two traces: an agent with a call of session s-1, and a tool that failed.
fn two_traces() -> String {
    lines([
        Span::call([1, 2, 1], [1_000, 2_000], [1_200, 80]).with("gen_ai.conversation.id", "s-1"),
        Span::new("tool", [2, 3, 0], [100, 200]).failed("no such file"),
        Span::new("agent", [1, 1, 0], [900, 2_100]),
    ])
}

/// The spans of a webhook's requests that were answered with 200, as lines.
fn spans(requests: &[Request]) -> Vec<Value> {
    let taken = requests.iter().filter(|request| request.answered == 200);
    let bodies = taken.map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
    bodies.flat_map(|body| body["spans"].as_array().unwrap().clone()).collect()
}

fn check(run: &Run, code: i32, said: &[&str]) {
    assert_eq!((run.code, run.out.as_str()), (code, ""), "{}", run.err);
    for said in said {
        assert!(run.err.contains(said), "{said:?} is not in {}", run.err);
    }
}

#[test]
fn a_file_arrives_as_it_is() {
    let (folder, server) = (Folder::new(), FaultServer::start([]));
    let file = folder.file("app.jsonl", two_traces() + "torn\n");
    let url = server.url();
    let sent = run(&["send", &file, "--to", "webhook", "--endpoint", &url, "--header", "x-team=a b"], "");
    let said = format!("llmtrace: sent 3 spans of 2 traces to {url} in ");
    check(&sent, 0, &[&said, "; 0 refused\n", "app.jsonl", "skipped a line"]);
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].header("x-team")), (1, Some("a b")));
    let found = spans(&requests);
    let expected: Vec<Value> = two_traces().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        for key in ["v", "trace_id", "span_id", "parent_span_id", "name", "kind", "status", "attributes"] {
            assert_eq!(found[key], expected[key], "{key}");
        }
    }
}

#[test]
fn otlp_goes_where_it_is_told_else_where_the_environment_says() {
    let (folder, server) = (Folder::new(), FaultServer::start([]));
    let file = folder.file("app.jsonl", two_traces());
    let url = server.url();
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k1")];
    let json = [variables[0], variables[1], ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")];
    check(&run_in(&json, &["send", &file, "--to", "otlp", "--gzip"], ""), 0, &["sent 3 spans"]);
    let elsewhere = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), variables[1]];
    let arguments = ["send", &file, "--to", "otlp", "--endpoint", &url, "--profile", "phoenix"];
    check(&run_in(&elsewhere, &arguments, ""), 0, &["sent 3 spans"]);
    let [first, second] = &server.requests()[..] else { panic!("two requests") };
    assert!(first.line.starts_with("POST /v1/traces "), "{}", first.line);
    assert_eq!((span_ids(first).len(), first.header("x-key")), (3, Some("k1")));
    // What the environment holds for another server does not go to this one.
    assert_eq!(second.header("x-key"), None);
    let body = String::from_utf8_lossy(&second.body).into_owned();
    assert!(body.contains("openinference.span.kind") && !body.contains("langfuse."));
    let wrong = [("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")];
    let run = run_in(&wrong, &["send", &file, "--to", "otlp"], "");
    check(&run, 2, &["OTEL_EXPORTER_OTLP_TIMEOUT"]);
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
}

#[test]
fn langfuse_gets_spans_and_scores() {
    let (folder, server) = (Folder::new(), FaultServer::start([]));
    let mut line: Value = serde_json::from_str(two_traces().lines().next().unwrap()).unwrap();
    line["scores"] = json!([{"name": "helpful", "value": 0.5}]);
    let file = folder.file("app.jsonl", line.to_string());
    let url = server.url();
    let by_flags =
        ["send", &file, "--to", "langfuse", "--endpoint", &url, "--public-key", "pk", "--secret-key", "sk"];
    check(&run(&by_flags, ""), 0, &["sent 1 span of 1 trace"]);
    let keys = [("LANGFUSE_PUBLIC_KEY", "pk"), ("LANGFUSE_SECRET_KEY", "sk")];
    check(&run_in(&keys, &by_flags[..6], ""), 0, &["sent 1 span"]);
    let host = [keys[0], keys[1], ("LANGFUSE_BASE_URL", url.as_str())];
    check(&run_in(&host, &by_flags[..4], ""), 0, &["sent 1 span"]);
    let requests = server.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(paths, ["/api/public/scores", "/api/public/otel/v1/traces"].repeat(3));
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Basic cGs6c2s=")));
    let score: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!((&score["name"], &score["value"]), (&json!("helpful"), &json!(0.5)));

    server.then([Step::with_body(400, "no such config")]);
    check(&run(&by_flags, ""), 1, &["sent 1 span", "1 score refused", "no such config"]);

    server.then([Step::status(401), Step::status(401)]);
    let refused = run(&by_flags, "");
    check(&refused, 1, &["sent 0 spans", "otel/v1/traces answered 401", "check the keys"]);
    assert!(!refused.err.contains("its span was sent"), "{}", refused.err);
}

#[test]
fn only_traces_that_match_are_sent() {
    let (folder, server) = (Folder::new(), FaultServer::start([]));
    let file = folder.file("app.jsonl", two_traces());
    let url = server.url();
    let mut before = 0;
    let mut sent = |more: &[&str]| {
        let run =
            run(&[&["send", &file, "--to", "webhook", "--endpoint", &url], more].concat(), two_traces());
        let requests = server.requests();
        let ids: Vec<_> = spans(&requests[before..]).iter().map(|span| span["span_id"].clone()).collect();
        before = requests.len();
        (
            run.code,
            ids.iter().map(|id| id.as_str().unwrap().trim_start_matches('0').to_owned()).collect::<Vec<_>>(),
        )
    };
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    // The agent names no session, and is of the trace of one that does.
    assert_eq!(sent(&["--session", "s-1"]), (0, ids(&["2", "1"])));
    assert_eq!(sent(&["--errors"]), (0, ids(&["3"])));
    assert_eq!(sent(&["--trace", "00000000000000000000000000000002"]), (0, ids(&["3"])));
    assert_eq!(sent(&["--errors", "--session", "s-1"]), (1, ids(&[])));
    assert_eq!(sent(&["--trace", "ff"]), (1, ids(&[])));
    assert_eq!(sent(&["--dry-run"]), (0, ids(&[])));
    let dry = run(&["send", "-", "--to", "webhook", "--endpoint", &url, "--dry-run"], two_traces());
    check(&dry, 0, &["would send 3 spans of 2 traces to http://127.0.0.1"]);
    check(
        &run(&["send", "-", "--to", "webhook", "--endpoint", &url, "--trace", "0"], two_traces()),
        0,
        &["3 spans"],
    );
}

fn many(spans: u64) -> String {
    (1..=spans).map(|id| lines([Span::new("tool", [id, id, 0], [0, 5])])).collect()
}

#[test]
fn what_is_refused_is_counted_and_told() {
    let folder = Folder::new();
    let file = folder.file("many.jsonl", many(1_100));
    let send = |script: Vec<Step>| {
        let server = FaultServer::start(script);
        let url = server.url();
        let sent = run(&["send", &file, "--to", "webhook", "--endpoint", &url, "--retry-for", "0"], "");
        let mut ids = BTreeMap::<String, usize>::new();
        for span in spans(&server.requests()) {
            *ids.entry(span["span_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert!(ids.values().all(|times| *times == 1), "each comes once");
        (sent, ids.len(), server.requests().len())
    };
    let (sent, arrived, requests) = send(vec![Step::status(200), Step::with_body(400, "too old")]);
    check(&sent, 1, &["sent 588 spans of 588 traces", "; 512 refused: ", "too old"]);
    assert_eq!((arrived, requests), (588, 3));
    // A wrong key: the rest is not tried for ever.
    let refusals = vec![Step::status(401); 3];
    let more = folder.file("more.jsonl", many(2_000));
    let server = FaultServer::start(refusals);
    let sent = run(&["send", &more, "--to", "webhook", "--endpoint", &server.url()], "");
    check(&sent, 1, &["sent 0 spans", "1,536 refused", "stopped", "401"]);
    assert_eq!(server.requests().len(), 3);
    // It stops taking spans.
    let (sent, arrived, _) = send(vec![Step::status(200), Step::status(503), Step::status(503)]);
    check(&sent, 1, &["sent 512 spans of 512 traces", "stopped before the end of the input", "503"]);
    assert_eq!(arrived, 512);
}

#[test]
fn a_backend_that_is_busy_is_asked_again() {
    let (folder, server) = (Folder::new(), FaultServer::start([Step::with_header(429, "retry-after", "0")]));
    let file = folder.file("app.jsonl", two_traces());
    let sent = run(&["send", &file, "--to", "webhook", "--endpoint", &server.url()], "");
    check(&sent, 0, &["429", "it is tried again", "sent 3 spans of 2 traces"]);
    assert_eq!(spans(&server.requests()).len(), 3);
}

#[test]
fn a_backend_that_is_not_there_is_said_with_its_address() {
    let folder = Folder::new();
    let file = folder.file("app.jsonl", two_traces());
    let mut server = FaultServer::start([]);
    server.close();
    let sent = run(&["send", &file, "--to", "otlp", "--endpoint", &server.url(), "--retry-for", "0"], "");
    check(&sent, 1, &["sent 0 spans", &server.url(), "stopped before the end of the input"]);
    assert_eq!(sent.err.lines().count(), 1, "{}", sent.err);
}
