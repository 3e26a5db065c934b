//! Delivery to Langfuse: scores go ahead of their spans, and neither is lost without a trace.

use std::time::Duration;

use llmtrace::{
    ExportContext, Exporter as _, ObservationKind, Score, SpanId, SpanRecord, Timestamp, TraceId,
};
use llmtrace::{ExporterStats, SpanExt as _};
use llmtrace_exporters::Langfuse;
use llmtrace_tests::backend::{LONG, Program};
use llmtrace_tests::fault::{FaultServer, Step};
use serde_json::Value;

const SCORES: &str = "/api/public/scores";
const SPANS: &str = "/api/public/otel/v1/traces";

fn langfuse(server: &FaultServer) -> Langfuse {
    let langfuse = Langfuse::new(&server.url(), "pk-lf-1", "sk-lf-1").unwrap();
    langfuse.retry_waits(Duration::from_millis(2), Duration::from_millis(20)).retry_for(LONG)
}

/// Ends a span with these scores and waits until it is dealt with.
fn judged(program: &Program, scores: &[(&str, f64)]) -> ExporterStats {
    program.enter(|| {
        let span = llmtrace::generation!("chat");
        for (name, value) in scores {
            span.score(*name, *value);
        }
    });
    program.deliver(0)
}

/// Paths and statuses of the requests, in order, and the scores that were taken.
fn seen(server: &FaultServer) -> (Vec<(String, u16)>, Vec<String>) {
    let requests = server.requests();
    let line = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
    let taken = requests.iter().filter(|request| request.answered < 300 && request.line.contains(SCORES));
    let score = |body: &[u8]| {
        let score: Value = serde_json::from_slice(body).unwrap();
        format!("{}={}", score["name"].as_str().unwrap(), score["value"])
    };
    let paths = requests.iter().map(|request| (line(&request.line), request.answered)).collect();
    (paths, taken.map(|request| score(&request.body)).collect())
}

fn check(script: Vec<Step>, scores: &[(&str, f64)], paths: &[(&str, u16)], taken: &[&str]) -> ExporterStats {
    let name = format!("{script:?}");
    let server = FaultServer::start(script);
    let program = Program::start(llmtrace::builder().exporter(langfuse(&server)));
    let stats = judged(&program, scores);
    let (found, found_scores) = seen(&server);
    let found: Vec<_> = found.iter().map(|(path, status)| (path.as_str(), *status)).collect();
    assert_eq!(found, paths, "{name}");
    assert_eq!(found_scores, taken, "{name}");
    stats
}

#[test]
fn a_span_is_sent_once_its_scores_are_dealt_with() {
    let exported = |stats: &ExporterStats| (stats.exported, stats.dropped_total());
    let stats = check(vec![], &[], &[(SPANS, 200)], &[]);
    assert_eq!(exported(&stats), (1, 0));
    let two = [("a", 1.0), ("b", 0.5)];
    let stats = check(vec![], &two, &[(SCORES, 200), (SCORES, 200), (SPANS, 200)], &["a=1.0", "b=0.5"]);
    assert_eq!((exported(&stats), stats.last_error), ((1, 0), None));
    // A score that cannot be sent now is tried again; one that was taken is not sent again.
    let script =
        vec![Step::status(204), Step::status(503), Step::Close, Step::status(200), Step::status(502)];
    let expected = [(SCORES, 204), (SCORES, 503), (SCORES, 200), (SPANS, 502), (SPANS, 200)];
    let stats = check(script, &two, &expected, &["a=1.0", "b=0.5"]);
    assert_eq!(exported(&stats), (1, 0));
    // One that is refused is told, and its span is sent.
    let script = vec![Step::with_body(400, "no config sk-lf-1")];
    let stats = check(script, &two, &[(SCORES, 400), (SCORES, 200), (SPANS, 200)], &["b=0.5"]);
    assert_eq!(exported(&stats), (1, 0));
    let error = stats.last_error.unwrap();
    assert!(error.contains(SCORES) && error.contains("no config") && !error.contains("sk-lf-1"), "{error}");
}

#[test]
fn the_server_is_told_who_sends_and_answers_with_a_job() {
    let server =
        FaultServer::start([Step::with_body(200, r#"{"id":"job-1","name":"otel-ingestion","data":{}}"#)]);
    let program = Program::start(llmtrace::builder().exporter(langfuse(&server)));
    let stats = judged(&program, &[]);
    assert_eq!((stats.exported, stats.last_error), (1, None));
    let request = server.requests().remove(0);
    for (name, expected) in [
        ("authorization", "Basic cGstbGYtMTpzay1sZi0x"),
        ("content-type", "application/x-protobuf"),
        ("x-langfuse-ingestion-version", "4"),
        ("x-langfuse-sdk-name", "llmtrace"),
        ("x-langfuse-sdk-version", env!("CARGO_PKG_VERSION")),
        ("x-langfuse-public-key", "pk-lf-1"),
    ] {
        assert_eq!(request.header(name), Some(expected), "{name}");
    }
}

#[test]
fn scores_wait_on_disk_with_their_spans() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = FaultServer::start([]);
    let spooling = |server: &FaultServer| langfuse(server).spool(folder.path(), 1 << 20).unwrap();
    let exporter = spooling(&server);
    server.close();
    let program = Program::start(llmtrace::builder().exporter(exporter));
    let stats = judged(&program, &[("a", 1.0)]);
    assert_eq!((stats.exported, stats.spooled, stats.dropped_total()), (0, 1, 0));
    assert!(program.guard.shutdown(LONG).is_ok());
    server.reopen();
    // Another process delivers them.
    let next = Program::start(llmtrace::builder().exporter(spooling(&server)));
    next.wait_until(|stats| stats.replayed == 1);
    let (paths, scores) = seen(&server);
    assert_eq!(paths, [(SCORES.to_owned(), 200), (SPANS.to_owned(), 200)]);
    assert_eq!(scores, ["a=1.0"]);
}

#[test]
fn a_limit_of_requests_a_minute_slows_a_batch_and_does_not_stop_it() {
    // Two scores are taken, then the server wants a pause, and so on.
    let pause = || Step::with_header(429, "retry-after", "0");
    let script = (0..5).flat_map(|_| [Step::status(200), Step::status(200), pause()]);
    let server = FaultServer::start(script);
    let mut exporter = langfuse(&server);
    exporter.start(ExportContext::detached());
    let spans: Vec<_> = (1..=10).map(span).collect();
    exporter.export(&spans).unwrap();
    assert_eq!(exporter.refused_scores(), 0);
    let (paths, scores) = seen(&server);
    assert_eq!(scores, (1..=10).map(|n| format!("n={n}.0")).collect::<Vec<_>>(), "each once, in order");
    assert_eq!(paths.last(), Some(&(SPANS.to_owned(), 200)));
}

fn span(n: u8) -> SpanRecord {
    let at = Timestamp::from_unix_nanos(1);
    let (trace, id) = (TraceId::from_bytes([1; 16]).unwrap(), SpanId::from_bytes([n; 8]).unwrap());
    let mut span = SpanRecord::new(trace, id, "chat", ObservationKind::Generation, at, at);
    span.scores.push(Score::new("n", f64::from(n)));
    span
}
