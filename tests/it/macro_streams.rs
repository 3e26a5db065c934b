//! Streams inside a span.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use futures::stream::{self, BoxStream, Stream, StreamExt as _};
use llmtrace::testing::Recording;
use llmtrace::{SpanRecord, Status, generation, llm_trace, traced_stream, traced_stream_with};
use serde_json::{Value, json};

fn chunk(text: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}],
    })
}

fn last_chunk() -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    })
}

type Failure = std::io::Error;
type Chunks = BoxStream<'static, Result<Value, Failure>>;

/// Runs a future with everything recorded.
fn record<F: Future>(body: impl FnOnce(Recording) -> F) -> F::Output {
    let recording = Recording::start();
    let dispatch = recording.dispatch();
    tracing::dispatcher::with_default(&dispatch, || {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(body(recording))
    })
}

fn output(span: &SpanRecord) -> String {
    span.output.iter().map(llmtrace::Message::text).collect()
}

#[llm_trace]
fn chat(items: Vec<Result<Value, Failure>>) -> Chunks {
    stream::iter(items).boxed()
}

#[llm_trace]
async fn open(items: Option<Vec<Result<Value, Failure>>>) -> Result<Chunks, Failure> {
    let items = items.ok_or_else(|| Failure::other("refused"))?;
    Ok(stream::iter(items).boxed())
}

#[llm_trace]
fn words(text: &str) -> impl Stream<Item = &str> {
    text.split_inclusive(' ').collect::<Vec<_>>().into_iter().collect_stream()
}

trait CollectStream: Iterator + Sized {
    fn collect_stream(self) -> stream::Iter<Self> {
        stream::iter(self)
    }
}

impl<I: Iterator> CollectStream for I {}

#[test]
fn chunks_are_put_together() {
    record(|recording| async move {
        let items = || vec![Ok(chunk("Hel")), Ok(chunk("lo")), Ok(last_chunk())];
        assert_eq!(chat(items()).count().await, 3);
        assert_eq!(open(Some(items())).await.unwrap().count().await, 3);
        for name in ["chat", "open"] {
            let span = recording.span(name);
            assert_eq!(output(&span), "Hello");
            assert_eq!((span.usage().input_tokens, span.usage().output_tokens), (Some(3), Some(2)));
            assert_eq!(span.status, Status::Ok);
        }
        assert!(open(None).await.is_err());
        assert!(recording.spans().last().unwrap().status.is_error());
        assert_eq!(words("a b c").collect::<String>().await, "a b c");
        assert_eq!(output(&recording.span("words")), "a b c");
    });
}

#[test]
fn dropped_streams_and_errors_end_the_span() {
    record(|recording| async move {
        let mut dropped = chat(vec![Ok(chunk("Hel")), Ok(chunk("lo"))]);
        assert!(dropped.next().await.unwrap().is_ok());
        assert!(recording.spans().is_empty());
        drop(dropped);
        let span = recording.span("chat");
        assert_eq!((span.status.clone(), output(&span)), (Status::Cancelled, "Hel".to_owned()));

        let mut failed = open(Some(vec![Ok(chunk("Hel")), Err(Failure::other("cut off"))])).await.unwrap();
        while failed.next().await.is_some() {}
        let span = recording.span("open");
        assert_eq!((span.status.clone(), output(&span)), (Status::error("cut off"), "Hel".to_owned()));
        assert_eq!(span.attributes.get_str("error.type"), Some("std::io::error::Error"));
    });
}

#[test]
fn panics_in_a_stream_pass_through() {
    record(|recording| async move {
        let panicking = stream::iter([1, 2]).map(|item| if item == 2 { panic!("broken") } else { item });
        let mut traced = traced_stream_with(generation!("panics"), panicking, |_: &i32, _| panic!("reading"));
        assert_eq!(traced.next().await, Some(1));
        let payload = AssertUnwindSafe(traced.next()).catch_unwind().await.unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"broken"));
        drop(traced);
        assert_eq!(recording.span("panics").status, Status::error("broken"));
    });
}

#[test]
fn each_poll_is_inside_the_span_and_time_to_the_first_content_is_kept() {
    record(|recording| async move {
        let clock = recording.clock().clone();
        let polled = stream::iter(["", "Hel", "lo"]).map(move |text| {
            assert_eq!(tracing::Span::current().metadata().unwrap().name(), "timed");
            clock.advance(Duration::from_secs(1));
            text
        });
        let traced = traced_stream(generation!("timed"), polled);
        assert_eq!(traced.size_hint(), (3, Some(3)));
        assert_eq!(traced.collect::<String>().await, "Hello");
        assert!(tracing::Span::current().is_none());
        assert_eq!(recording.span("timed").time_to_first_chunk(), Some(2.0));
    });
}

#[test]
fn a_stream_is_dropped_inside_its_span() {
    struct Held(Vec<u8>);
    impl Drop for Held {
        fn drop(&mut self) {
            assert_eq!(tracing::Span::current().metadata().unwrap().name(), "held");
            self.0.clear();
        }
    }
    record(|recording| async move {
        let held = Held(Vec::new());
        let endless = stream::repeat_with(move || held.0.len());
        let mut traced = traced_stream_with(generation!("held"), endless, |_, _| {});
        assert_eq!(traced.next().await, Some(0));
        drop(traced);
        assert_eq!(recording.span("held").status, Status::Cancelled);
    });
}
