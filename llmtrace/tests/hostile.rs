//! Nothing that an API, a network or an attacker sends can panic, hang, fill the memory or make a false number.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "support/hostile.rs"]
mod bodies;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/frames.rs"]
mod frames;
#[path = "support/growth.rs"]
mod growth;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use llmtrace::provider::{
    Api, Exchange, StreamAssembler, read_request, read_request_as, read_response, read_response_as,
};
use llmtrace::{
    ContentPolicy, ExportError, Exporter, Overflow, SpanExt as _, SpanRecord, Usage, UsageStatus,
    traced_stream,
};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

/// Nothing is known of what such a body cost.
fn assert_honest(usage: &Usage, name: &str) {
    assert!(usage.counts().all(|(_, count)| count != 0), "{name}: {usage:?}");
    assert_ne!(usage.status, UsageStatus::Complete, "{name}: {usage:?}");
}

fn streamed(mut stream: StreamAssembler, body: &[u8], size: usize) -> Exchange {
    for piece in body.chunks(size) {
        stream.push(piece);
        let _ = (stream.api(), stream.has_content());
    }
    stream.finish()
}

#[test]
fn readers_survive() {
    for (name, body) in bodies::bodies() {
        let mut sizes = vec![usize::MAX, 4_093];
        if body.len() < 2_000 {
            sizes.extend([1, 7]);
        }
        let open = || {
            std::iter::once(StreamAssembler::detect())
                .chain(Api::ALL.iter().map(|api| StreamAssembler::new(*api)))
        };
        for stream in open() {
            let whole = streamed(stream.clone(), &body, usize::MAX);
            assert_honest(&whole.usage, name);
            for size in &sizes {
                assert_eq!(streamed(stream.clone(), &body, *size), whole, "{name} in pieces of {size}");
            }
        }
        let Ok(json) = serde_json::from_slice::<Value>(&body) else { continue };
        let read = read_request(&json).into_iter().chain(read_response(&json));
        let named =
            Api::ALL.iter().flat_map(|api| [read_request_as(*api, &json), read_response_as(*api, &json)]);
        for exchange in read.chain(named) {
            assert_honest(&exchange.usage, name);
        }
    }
}

#[test]
fn numbers_are_read_as_they_stand_or_not_at_all() {
    let check = |count: &str, expected: Option<u64>| {
        let text = format!(
            r#"{{"id":"c","object":"chat.completion","model":"m","choices":[],"usage":{{"prompt_tokens":{count},"completion_tokens":5}}}}"#
        );
        let read = streamed(StreamAssembler::new(Api::OpenAiChat), text.as_bytes(), 1);
        assert_eq!(read.usage.input_tokens, expected, "{count}");
        assert_eq!(
            read.usage.status == UsageStatus::Complete,
            expected.is_some(),
            "{count}: {:?}",
            read.usage
        );
    };
    check("7", Some(7));
    check("7.0", Some(7));
    check("0", Some(0));
    check("7.5", None);
    check("-7", None);
    check("1e400", None);
    check("18446744073709551616", None);
    check("\"7\"", None);
    check("null", None);
}

#[test]
fn later_duplicates_of_a_key_win_whole() {
    let body = br#"{"id":"c","object":"chat.completion","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1},"usage":{"prompt_tokens":7,"prompt_tokens":9,"completion_tokens":5}}"#;
    let read = streamed(StreamAssembler::detect(), body, 3);
    assert_eq!((read.usage.input_tokens, read.usage.output_tokens), (Some(9), Some(5)));
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<SpanRecord>>>);

impl Exporter for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        self.0.lock().unwrap().extend_from_slice(batch);
        Ok(())
    }
}

/// How long a test waits for the worker.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is exported of the spans that `body` opens.
fn traced(policy: ContentPolicy, body: impl FnOnce()) -> Vec<SpanRecord> {
    let memory = Memory::default();
    let builder = llmtrace::builder().content(policy).overflow(Overflow::Block(PATIENCE));
    let (layer, guard) = builder.exporter(memory.clone()).build();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), body);
    guard.shutdown(PATIENCE).unwrap();
    let stats = guard.stats();
    drop(guard);
    let spans = std::mem::take(&mut *memory.0.lock().unwrap());
    assert!(stats.exporters.iter().all(|exporter| exporter.exported == spans.len() as u64), "{stats:?}");
    spans
}

/// A stream that is always ready.
struct Pieces(std::vec::IntoIter<Vec<u8>>);

impl Pieces {
    fn of(body: &[u8], size: usize) -> Self {
        Self(body.chunks(size).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter())
    }
}

impl Stream for Pieces {
    type Item = Vec<u8>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        Poll::Ready(self.0.next())
    }
}

fn drain<S: Stream>(stream: S) -> Vec<S::Item> {
    let mut stream = Box::pin(stream);
    let mut items = Vec::new();
    while let Poll::Ready(Some(item)) = stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop())) {
        items.push(item);
    }
    items
}

#[test]
fn every_call_is_exported() {
    for policy in [ContentPolicy::Keep, ContentPolicy::Omit] {
        let bodies = bodies::bodies();
        let spans = traced(policy, || {
            for (name, body) in &bodies {
                let span = || llmtrace::generation!("call", name = name, gen_ai.provider.name = "openai");
                for size in [usize::MAX, 1_021] {
                    let items = drain(traced_stream(span(), Pieces::of(body, size)));
                    assert_eq!(&items.concat(), body, "{name}");
                }
                span().record_response(&String::from_utf8_lossy(body));
                span().record_request(&String::from_utf8_lossy(body));
                if let Ok(json) = serde_json::from_slice::<Value>(body) {
                    span().record_response(&json);
                    span().record_request(&json);
                    drop(drain(traced_stream(span(), Values(vec![json.clone(), json].into_iter()))));
                } else {
                    for _ in 0..3 {
                        span().record_response(&json!({ "text": "x" }));
                    }
                }
            }
        });
        assert_eq!(spans.len(), bodies.len() * 7, "{policy:?}");
        for span in spans {
            assert_honest(&span.usage(), &format!("{:?}", span.attributes.get_str("name")));
            assert_eq!(span.cost(), None);
        }
    }
}

struct Values(std::vec::IntoIter<Value>);

impl Stream for Values {
    type Item = Value;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Value>> {
        Poll::Ready(self.0.next())
    }
}

/// Every response and stream of the samples.
fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut samples = Vec::new();
    for api in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(api.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if !path.file_name().unwrap().to_string_lossy().starts_with("request") {
                samples.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    samples
}

/// The same answer in other bytes: what servers and proxies are free to change.
fn variants(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut variants = vec![("as it is", body.to_vec())];
    if let Ok(text) = std::str::from_utf8(body).map(|text| text.replace("\r\n", "\n"))
        && body.first() != Some(&0)
    {
        variants.push(("CRLF", text.replace('\n', "\r\n").into_bytes()));
        variants.push(("blank before", format!("\n {text}").into_bytes()));
        variants.push(("BOM", format!("\u{feff}{text}").into_bytes()));
        if text.contains("data:") {
            variants.push(("CR", text.replace('\n', "\r").into_bytes()));
        }
        if let Ok(json) = serde_json::from_str::<Value>(&text) {
            variants.push(("pretty", serde_json::to_vec_pretty(&json).unwrap()));
        }
    }
    variants
}

#[test]
fn numbers_are_the_same_without_content() {
    let mut wrong = Vec::new();
    for (name, sample) in samples() {
        for (how, body) in variants(&sample) {
            for size in [usize::MAX, 64, 1] {
                let usage = |policy| {
                    let mut spans = traced(policy, || {
                        drop(drain(traced_stream(llmtrace::generation!("call"), Pieces::of(&body, size))));
                    });
                    let span = spans.pop().unwrap();
                    (
                        span.usage(),
                        span.status.is_error(),
                        span.attributes.get_str("gen_ai.response.model").map(str::to_owned),
                    )
                };
                let (kept, omitted) = (usage(ContentPolicy::Keep), usage(ContentPolicy::Omit));
                if kept != omitted {
                    wrong.push(format!(
                        "{name}, {how}, in {size}: {:?} {:?} {:?}, {:?} {:?} {:?}",
                        kept.0.status,
                        kept.0.total(),
                        kept.2,
                        omitted.0.status,
                        omitted.0.total(),
                        omitted.2
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
