//! Servers whose answers are an attack, and what else HTTP has in store.

use std::time::{Duration, Instant};

use llmtrace_exporters::{Otlp, Protocol};
use llmtrace_tests::backend::{LONG, Program, arrived};
use llmtrace_tests::fault::{FaultServer, Step};

use crate::delivery::{check, otlp, program};

/// What a server says instead of an answer; the batch then comes again and is taken.
fn no_answer(text: &str) {
    check(vec![Step::Raw(text.to_owned().leak()), Step::status(200)], 3, 3, 2);
}

/// An answer that takes the batch, whatever comes with it.
fn taken(text: &str) {
    check(vec![Step::Raw(text.to_owned().leak())], 3, 3, 1);
}

#[test]
fn what_is_no_answer_of_http_1_is_no_answer() {
    no_answer("<html>HTTP/0.9 has no status line</html>");
    no_answer("\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64");
    no_answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    no_answer("HTTP/1.1 99 Too low\r\n\r\n");
    no_answer("HTTP/1.1 2000 Too high\r\n\r\n");
    no_answer("HTTP/1.1 200 OK\r\nno colon\r\n\r\n");
    no_answer("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab");
    no_answer("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n");
    no_answer("HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nx");
    no_answer("HTTP/3 200\r\n\r\n");
}

#[test]
fn headers_without_end_are_no_answer() {
    no_answer(&format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(4 << 20)));
    no_answer(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000)));
    no_answer(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000));
    no_answer(&"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(10_000));
}

#[test]
fn a_body_that_breaks_the_rules_changes_nothing() {
    taken("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nx");
    taken("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffffffffffff\r\nx");
    taken("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    taken(&format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;{}\r\nx", "e".repeat(1 << 20)));
    taken("HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\nx");
    taken("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 503 Trailing\r\n\r\n");
    taken("HTTP/1.0 200 OK\r\n\r\n\u{fffd}\0");
    taken(&format!(
        "{}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(50)
    ));
}

#[test]
fn an_answer_that_comes_before_the_body_is_sent_is_heard() {
    // More than the buffers of a connection hold.
    const BYTES: usize = 16 << 20;
    let large = |status: u16| {
        let server = FaultServer::start([Step::Early(status)]);
        let otlp = otlp(&server).timeout(LONG);
        let builder = llmtrace::builder().exporter(otlp).queue_bytes(8 * BYTES).max_text_bytes(2 * BYTES);
        let stats = Program::start(builder).large(BYTES);
        (stats.exported, stats.dropped_total(), server.requests().len())
    };
    assert_eq!(large(413), (0, 1, 1));
    assert_eq!(large(401), (0, 1, 1));
    assert_eq!(large(200), (1, 0, 1));
    assert_eq!(large(503), (1, 0, 2));
}

#[test]
fn a_connection_that_is_closed_after_each_answer_costs_no_span_and_no_second_delivery() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    // The server says nothing of closing, and closes.
    let server = FaultServer::start(vec![Step::Raw(ok); 200]);
    let program = program(otlp(&server));
    for spans in 1..=200 {
        assert_eq!(program.deliver(1).exported, spans);
    }
    // A request that went into a connection just closed was not read, or was read and comes again under the same id.
    assert_eq!(arrived(&server, 0..=599).len(), 200);
    assert_eq!(program.stats().dropped_total(), 0);
}

#[test]
fn a_server_that_always_asks_to_wait_is_given_up_in_time() {
    for after in ["999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let server = FaultServer::start(vec![Step::with_header(503, "retry-after", after); 9]);
        let before = Instant::now();
        let stats = program(otlp(&server).retry_for(Duration::from_secs(2))).deliver(2);
        assert_eq!((stats.dropped_total(), server.requests().len()), (2, 1), "{after}");
        assert!(before.elapsed() < Duration::from_secs(2), "it is no use to wait for longer than it may");
    }
    let past = "Thu, 01 Jan 1970 00:00:00 GMT";
    check(vec![Step::with_header(429, "retry-after", past), Step::status(200)], 2, 2, 2);
}

#[test]
fn names_that_do_not_exist_and_ports_that_nobody_serves_are_no_answer() {
    for url in ["https://no-such-host.invalid", "http://[::1]:1", "http://127.0.0.1:1", "http://localhost:1"]
    {
        let otlp = Otlp::new(url).unwrap().protocol(Protocol::Json).retry_for(Duration::ZERO);
        let stats = program(otlp.timeout(Duration::from_secs(5))).deliver(2);
        assert_eq!((stats.exported, stats.dropped_total()), (0, 2), "{url}");
        assert!(stats.last_error.as_ref().unwrap().contains("no answer from"), "{stats:?}");
    }
}

/// Set for the real times: a server that hangs for 20 s, and an exporter as it comes.
const LONG_RUN: &str = "LLMTRACE_LONG";

#[test]
fn a_hang_longer_than_a_request_may_take_costs_no_span() {
    let is_long = std::env::var_os(LONG_RUN).is_some();
    let server = FaultServer::start([Step::Hang]);
    let short = otlp(&server);
    let otlp = if is_long { Otlp::new(&server.url()).unwrap().protocol(Protocol::Json) } else { short };
    let (before, program) = (Instant::now(), program(otlp));
    let stats = program.deliver(5);
    assert_eq!((stats.exported, stats.dropped_total(), server.requests().len()), (5, 0, 2));
    println!("delivered after {:?}", before.elapsed());
}
