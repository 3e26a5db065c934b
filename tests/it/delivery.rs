//! Delivery over HTTP to a server that fails as it is told. For each fault: what arrived and what was counted as
//! dropped is what was started, and a span comes twice only where no answer, or one that asks for it, came.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use llmtrace::testing::InMemory;
use llmtrace::{DropReason, FlushError};
use llmtrace_exporters::{Endpoint, Otlp, Protocol};
use llmtrace_tests::backend::{LONG, Program, arrived, dropped, span_ids};
use llmtrace_tests::fault::{FaultServer, Step};

/// Longest time for one request in these tests.
const TIMEOUT: Duration = Duration::from_millis(250);

/// A short time for a batch to fill.
const TICK: Duration = Duration::from_millis(5);

pub(crate) fn otlp(server: &FaultServer) -> Otlp {
    Otlp::new(&server.url())
        .unwrap()
        .protocol(Protocol::Json)
        .timeout(TIMEOUT)
        .retry_waits(Duration::from_millis(2), Duration::from_millis(20))
        .retry_for(LONG)
}

pub(crate) fn program(otlp: Otlp) -> Program {
    Program::start(llmtrace::builder().exporter(otlp))
}

/// Sends a batch of `spans` through the script: how many arrive, how many are dropped, in how many requests.
pub(crate) fn check(script: Vec<Step>, spans: usize, exported: u64, requests: usize) {
    let name = format!("{script:?}");
    let name: String = name.chars().take(80).collect();
    let server = FaultServer::start(script);
    let program = program(otlp(&server));
    let stats = program.deliver(spans);
    let lost = spans as u64 - exported;
    assert_eq!(
        (stats.exported, dropped(&stats, DropReason::ExportFailed), stats.queued),
        (exported, lost, 0),
        "{name}"
    );
    assert_eq!(server.requests().len(), requests, "{name}: {stats:?}");
    let taken = arrived(&server, 200..=299);
    assert!(taken.values().all(|times| *times == 1), "{name}: {taken:?}");
    let all: BTreeSet<_> = server.requests().iter().flat_map(span_ids).collect();
    assert!(all.len() <= spans, "a span came under two ids: {name}");
}

#[test]
fn each_status_means_what_otlp_says() {
    let server = FaultServer::start([]);
    let program = program(otlp(&server));
    let (mut exported, mut lost) = (0, 0);
    for status in 100..=599 {
        let before = server.requests().len();
        server.then([Step::status(status)]);
        let stats = program.deliver(1);
        // Most of what is below 200 only announces an answer, which then does not come.
        let is_retried = matches!(status, 429 | 502..=504) || (status < 200 && status != 101);
        let is_taken = is_retried || (200..300).contains(&status);
        exported += u64::from(is_taken);
        lost += u64::from(!is_taken);
        let counted = (stats.exported, stats.dropped_total(), stats.queued);
        assert_eq!(counted, (exported, lost, 0), "{status}: {stats:?}");
        let requests = server.requests().split_off(before);
        let sent: Vec<_> = requests.iter().map(span_ids).filter(|ids| !ids.is_empty()).collect();
        assert_eq!(sent.len(), if is_retried { 2 } else { 1 }, "{status}");
        assert!(sent.iter().all(|ids| ids == &sent[0]), "the same span comes again: {status}");
    }
    let taken = arrived(&server, 200..=299);
    assert_eq!((taken.len() as u64, taken.values().sum::<usize>() as u64), (exported, exported));
}

#[test]
fn a_batch_that_got_no_answer_comes_again() {
    let ok = || Step::status(200);
    check(vec![Step::Close, ok()], 3, 3, 1);
    check(vec![Step::Raw(""), ok()], 3, 3, 2);
    check(vec![Step::Raw("HTTP/1.1 200"), ok()], 3, 3, 2);
    check(vec![Step::Raw("not HTTP at all\r\n\r\n"), ok()], 3, 3, 2);
    check(vec![Step::Hang, ok()], 3, 3, 2);
    check(vec![Step::SlowLoris, ok()], 3, 3, 2);
    check(vec![Step::Hang, Step::status(503), Step::Close, Step::status(429), ok()], 3, 3, 4);
}

#[test]
fn an_answer_whose_body_is_broken_is_an_answer() {
    check(vec![Step::ResetMidBody(200)], 3, 3, 1);
    check(vec![Step::ResetMidBody(400)], 3, 0, 1);
    check(vec![Step::ResetMidBody(503)], 3, 3, 2);
    check(vec![Step::EndlessBody(200)], 3, 3, 1);
    check(vec![Step::EndlessBody(500)], 3, 0, 1);
    let gzip = vec![("content-encoding", "gzip".to_owned())];
    check(vec![Step::Answer(200, gzip, b"this is not gzip".to_vec())], 3, 3, 1);
    check(vec![Step::Chunked(b"{}".to_vec())], 3, 3, 1);
    check(vec![Step::with_body(200, "<html>")], 3, 3, 1);
}

#[test]
fn what_the_server_refuses_of_a_batch_is_counted_and_never_sent_again() {
    let partial = |spans: &str| {
        Step::with_body(
            200,
            format!(r#"{{"partialSuccess":{{"rejectedSpans":{spans},"errorMessage":"too old"}}}}"#),
        )
    };
    check(vec![partial("2")], 3, 1, 1);
    check(vec![partial("\"3\"")], 3, 0, 1);
    check(vec![partial("0")], 3, 3, 1);
    check(vec![partial("99")], 3, 0, 1);
}

#[test]
fn a_batch_that_is_too_large_is_sent_in_halves_once() {
    check(vec![Step::status(413)], 5, 5, 3);
    check(vec![Step::status(413), Step::status(200), Step::status(413)], 5, 3, 3);
    check(vec![Step::status(413), Step::status(413), Step::status(413)], 5, 0, 3);
    check(vec![Step::status(413), Step::status(503)], 4, 4, 4);
    check(vec![Step::status(413)], 1, 0, 1);
}

#[test]
fn a_server_says_when_to_come_again() {
    let waited = |value: String| {
        let server = FaultServer::start([Step::with_header(503, "retry-after", value)]);
        program(otlp(&server)).deliver(1);
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        requests[1].at - requests[0].at
    };
    let second = Duration::from_secs(1);
    assert!(waited("1".to_owned()) >= second);
    let date = http_date(SystemTime::now() + 3 * second);
    assert!(waited(date.clone()) >= second, "{date}");
    for garbage in ["-5", "soon", "", "Tue, 99 Foo 2026 00:00:00 GMT", "1e9"] {
        assert!(waited(garbage.to_owned()) < second, "{garbage:?}");
    }
}

/// A time as HTTP writes it; the day of the week is not read.
fn http_date(at: SystemTime) -> String {
    let text = llmtrace::Timestamp::from(at).to_string();
    let (month, months) = (text[5..7].parse::<usize>().unwrap(), "JanFebMarAprMayJunJulAugSepOctNovDec");
    let month = &months[3 * (month - 1)..3 * month];
    format!("Mon, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19])
}

#[test]
fn no_redirect_is_followed() {
    let other = FaultServer::start([]);
    for status in [301, 302, 303, 307, 308] {
        let server = FaultServer::start([Step::with_header(status, "location", other.url() + "/v1/traces")]);
        let stats = program(otlp(&server).header("authorization", "Bearer sk-secret")).deliver(2);
        assert_eq!((stats.exported, stats.dropped_total()), (0, 2));
    }
    assert_eq!((other.requests().len(), other.connections()), (0, 0));
}

#[test]
fn a_closed_port_that_opens_again_gets_every_span_once() {
    let mut server = FaultServer::start([]);
    server.close();
    let program = program(otlp(&server));
    program.run(3);
    assert!(!program.guard.flush(Duration::from_millis(50)).is_complete);
    program.wait_until(|stats| stats.last_error.is_some());
    server.reopen();
    let stats = program.deliver(2);
    assert_eq!((stats.exported, stats.queued), (5, 0));
    assert_eq!(arrived(&server, 200..=200).into_values().collect::<Vec<_>>(), [1; 5]);
    // A connection that the server closes while nothing is sent costs nothing either.
    server.close();
    server.reopen();
    assert_eq!(program.deliver(1).exported, 6);
    assert_eq!(arrived(&server, 200..=200).len(), 6);
}

#[test]
fn a_batch_is_given_up_in_the_end() {
    let mut server = FaultServer::start([]);
    server.close();
    let program = program(otlp(&server).retry_for(Duration::from_millis(60)));
    let stats = program.deliver(3);
    assert_eq!((stats.exported, dropped(&stats, DropReason::ExportFailed), stats.queued), (0, 3, 0));
    assert!(stats.last_error.as_ref().unwrap().contains("no answer from http://127.0.0.1"), "{stats:?}");
}

#[test]
fn a_server_that_speaks_no_tls_is_no_answer() {
    let server = FaultServer::start([]);
    let endpoint = server.url().replace("http://", "https://");
    let otlp = Otlp::to(Endpoint::parse(&endpoint).unwrap()).timeout(TIMEOUT).retry_for(Duration::ZERO);
    let stats = program(otlp).deliver(1);
    assert_eq!((dropped(&stats, DropReason::ExportFailed), server.requests().len()), (1, 0), "{stats:?}");
}

#[test]
fn a_shutdown_ends_a_request_and_a_wait() {
    let patient = |server: &FaultServer| otlp(server).timeout(LONG).retry_waits(LONG, LONG);
    for step in [Step::Hang, Step::SlowLoris, Step::status(503), Step::EndlessBody(503)] {
        let server = FaultServer::start(vec![step.clone(); 9]);
        let program = Program::start(llmtrace::builder().exporter(patient(&server)).batch(2, TICK));
        program.run(5);
        // The first batch is under way.
        program.wait_until(|_| !server.requests().is_empty());
        let (before, timeout) = (Instant::now(), Duration::from_millis(400));
        let Err(FlushError::TimedOut { undelivered, report }) = program.guard.shutdown(timeout) else {
            panic!("nothing was delivered: {step:?}");
        };
        assert!(before.elapsed() < timeout, "{step:?}: {:?}", before.elapsed());
        let stats = program.stats();
        assert_eq!(
            (undelivered, report.is_complete, stats.queued, stats.exported),
            (5, true, 0, 0),
            "{step:?}"
        );
        assert_eq!(dropped(&stats, DropReason::ShutdownTimeout), 5, "{step:?}");
    }
}

#[test]
fn healthy_exporters_do_not_wait_for_broken_ones() {
    let servers =
        [Step::Hang, Step::status(503), Step::SlowLoris].map(|step| FaultServer::start(vec![step; 99]));
    let memory = InMemory::default();
    let builder = llmtrace::builder().exporter(memory.clone());
    let program = Program::start(servers.iter().map(otlp).fold(builder, llmtrace::Builder::exporter));
    program.run(1_000);
    assert_eq!(program.wait_until(|stats| stats.queued == 0).exported, 1_000);
    assert_eq!(memory.spans().len(), 1_000);
    drop(program.guard.shutdown(Duration::from_millis(100)));
}

#[test]
fn secrets_are_sent_and_never_shown() {
    let server = FaultServer::start([Step::Echo(401)]);
    let endpoint = server.url().replace("http://", "http://user:pass-word-1@");
    let otlp = Otlp::new(&(endpoint + "?key=query-secret"))
        .unwrap()
        .protocol(Protocol::Json)
        .header("x-api-key", "sk-header-secret");
    let debug = format!("{otlp:?}");
    let stats = program(otlp).deliver(1);
    let request = &server.requests()[0];
    assert_eq!(request.header("x-api-key"), Some("sk-header-secret"));
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwYXNzLXdvcmQtMQ=="));
    assert_eq!(request.line, "POST /v1/traces?key=query-secret HTTP/1.1");
    let error = stats.last_error.unwrap();
    assert!(error.contains("answered 401 Unauthorized") && error.contains("x-api-key: ***"), "{error}");
    for secret in ["sk-header-secret", "query-secret", "pass-word-1", "dXNlcjpwYXNzLXdvcmQtMQ"] {
        assert!(!debug.contains(secret) && !error.contains(secret), "{debug} {error}");
    }
}

#[test]
fn requests_say_what_they_are() {
    let server = FaultServer::start([]);
    program(otlp(&server).gzip()).deliver(3);
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /v1/traces HTTP/1.1");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.header("accept-encoding"), None);
    assert!(request.header("user-agent").unwrap().starts_with("llmtrace/"));
    assert_eq!(span_ids(request).len(), 3);
}

#[test]
fn what_cannot_be_sent_is_said_at_once() {
    let server = FaultServer::start([]);
    for (name, value) in [("two words", "x"), ("x-key", "line\nbreak")] {
        let program = program(otlp(&server).header(name, value));
        assert!(
            program.wait_until(|stats| stats.last_error.is_some()).last_error.unwrap().contains("header")
        );
        assert_eq!(program.deliver(1).dropped_total(), 1);
    }
    assert!(Otlp::new(&server.url()).unwrap().root_certificates(b"no PEM").is_err());
}
