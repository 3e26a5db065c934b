//! Delivery to a webhook.

use std::time::Duration;

use llmtrace_exporters::{Webhook, read_line};
use llmtrace_tests::backend::{LONG, Program};
use llmtrace_tests::fault::{FaultServer, Request, Step};
use serde_json::Value;

fn webhook(server: &FaultServer) -> Webhook {
    let webhook = Webhook::new(&format!("{}/in/s3cret?team=a", server.url())).unwrap();
    webhook.retry_waits(Duration::from_millis(2), Duration::from_millis(20)).retry_for(LONG)
}

fn ids(request: &Request) -> [String; 3] {
    ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(|name| request.header(name).unwrap_or_default().to_owned())
}

#[test]
fn spans_come_as_lines_in_one_json_object() {
    let server = FaultServer::start([]);
    let program = Program::start(llmtrace::builder().service_name("bot").exporter(webhook(&server)));
    let stats = program.deliver(3);
    assert_eq!((stats.exported, stats.dropped_total()), (3, 0));
    let spans = server.requests().into_iter().flat_map(|request| {
        assert_eq!(request.line, "POST /in/s3cret?team=a HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/json"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        body["spans"].as_array().unwrap().clone()
    });
    let records: Vec<_> = spans.map(|span| read_line(span.to_string().as_bytes()).unwrap()).collect();
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| record.resource.service_name() == Some("bot")));
}

#[test]
fn a_batch_that_comes_again_has_the_same_id() {
    let server = FaultServer::start([Step::status(503)]);
    let signed = webhook(&server).secret("whsec_c2VjcmV0").gzip();
    let program = Program::start(llmtrace::builder().exporter(signed));
    assert_eq!(program.deliver(1).exported, 1);
    assert_eq!(program.deliver(1).exported, 2);
    let requests = server.requests();
    let [first, again, other] = &requests[..] else { panic!("{} requests", requests.len()) };
    assert_eq!((first.answered, &first.body), (503, &again.body));
    let [first, again, other] = [first, again, other].map(ids);
    assert_eq!(first[0], again[0]);
    assert_ne!(first[0], other[0]);
    assert!(
        [&first, &again, &other].iter().all(|ids| ids[2].starts_with("v1,") && ids[2].len() == 47),
        "{first:?}"
    );
}

#[test]
fn the_path_of_the_url_is_in_no_error() {
    let server = FaultServer::start([Step::status(404)]);
    let program = Program::start(llmtrace::builder().exporter(webhook(&server)));
    let error = program.deliver(1).last_error.unwrap();
    assert!(error.contains("404") && error.contains(&server.url()) && !error.contains("s3cret"), "{error}");
    let broken = Program::start(llmtrace::builder().exporter(webhook(&server).secret("")));
    let stats = broken.deliver(1);
    assert_eq!((stats.exported, stats.dropped_total()), (0, 1));
    assert!(stats.last_error.unwrap().contains("whsec_"));
}
