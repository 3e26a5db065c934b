//! Streams: whole, cut short, in any pieces; content kept or left out.

use std::time::Duration;

use futures::stream::{self, Stream, StreamExt as _};
use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, SpanRecord, Status, UsageStatus, llm_trace, traced_stream};
use tracing::info_span;

const EVENTS: &str = concat!(
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"brown fox\"}}]}\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":100,\"total_tokens\":1100}}\n\n",
    "data: [DONE]\n\n",
);

fn pieces(size: usize) -> Vec<Vec<u8>> {
    EVENTS.as_bytes().chunks(size).map(<[u8]>::to_vec).collect()
}

fn trace(policy: ContentPolicy, pieces: Vec<Vec<u8>>, take: usize) -> SpanRecord {
    let recording = Recording::with(|builder| builder.content(policy));
    let expected = pieces.clone();
    recording.run(|| {
        let span = info_span!("chat", llmtrace.kind = "generation", gen_ai.provider.name = "openai");
        let clock = recording.clock().clone();
        let source = stream::iter(pieces).inspect(move |_| clock.advance(Duration::from_millis(10)));
        let traced: Vec<_> = futures::executor::block_on(traced_stream(span, source).take(take).collect());
        assert_eq!(traced, expected[..traced.len()]);
    });
    recording.span("chat")
}

#[test]
fn bytes_in_any_pieces_give_the_same_call() {
    for policy in [ContentPolicy::Keep, ContentPolicy::Omit] {
        for size in [1, 7, 64, EVENTS.len()] {
            let span = trace(policy, pieces(size), usize::MAX);
            assert_eq!(span.usage().total(), Some(1_100), "{policy:?} {size}");
            assert_eq!(span.cost().unwrap().to_string(), "0.00021");
            assert_eq!(span.status, Status::Ok);
            assert!(span.time_to_first_chunk().unwrap() > 0.0);
            let kept = policy == ContentPolicy::Keep;
            assert_eq!(
                span.output.first().map(llmtrace::Message::text),
                kept.then(|| "brown fox".to_owned())
            );
            assert_eq!(format!("{span:?}").contains("brown"), kept);
        }
    }
}

/// A stream of Bedrock Converse, as the network brings it.
const FRAMES: &[u8] = include_bytes!("../../llmtrace/tests/samples/bedrock_converse/stream.bin");

#[test]
fn frames_in_any_pieces_give_the_same_call() {
    for policy in [ContentPolicy::Keep, ContentPolicy::Omit] {
        for size in [1, 100, FRAMES.len()] {
            let span = trace(policy, FRAMES.chunks(size).map(<[u8]>::to_vec).collect(), usize::MAX);
            let usage = span.usage();
            assert_eq!(
                (usage.status, usage.total()),
                (UsageStatus::Complete, Some(1_279)),
                "{policy:?} {size}"
            );
            assert_eq!(usage.cache_write_1h_tokens, Some(200));
            let kept = policy == ContentPolicy::Keep;
            let text = span.output.first().map(llmtrace::Message::text);
            assert_eq!(text, kept.then(|| "I look up the weather.".to_owned()));
            assert_eq!(format!("{span:?}").contains("weather"), kept);
        }
    }
}

#[test]
fn the_first_chunk_is_the_first_content() {
    let events: Vec<_> = EVENTS.split_inclusive("\n\n").map(|event| event.as_bytes().to_vec()).collect();
    // 10 ms an item: the first only says who speaks.
    assert_eq!(trace(ContentPolicy::Keep, events, usize::MAX).time_to_first_chunk(), Some(0.02));
}

#[test]
fn a_stream_that_is_dropped_is_cancelled_and_has_no_cost() {
    let events: Vec<_> = EVENTS.split_inclusive("\n\n").map(|event| event.as_bytes().to_vec()).collect();
    let span = trace(ContentPolicy::Keep, events, 2);
    assert_eq!((span.status.clone(), span.cost()), (Status::Cancelled, None));
    assert_eq!((span.usage().status, span.usage().output_tokens), (UsageStatus::Interrupted, None));
    assert_eq!(span.output[0].text(), "brown fox");
}

#[test]
fn text_streams_are_joined() {
    #[llm_trace]
    fn tell(_question: &str) -> impl Stream<Item = Result<String, std::io::Error>> {
        stream::iter(["Once ", "upon"].map(|word| Ok(word.to_owned())))
    }
    let recording = Recording::start();
    recording.run(|| {
        let words: Vec<_> = futures::executor::block_on(tell("story?").collect());
        assert_eq!(words.len(), 2);
    });
    let span = recording.span("tell");
    assert_eq!((span.input[0].text(), span.output[0].text()), ("story?".into(), "Once upon".into()));
    assert_eq!(span.attributes.get("llmtrace.stream.chunks"), Some(&2.into()));
    assert_eq!(span.usage().status, UsageStatus::Missing);
}

#[test]
fn an_error_in_a_stream_is_the_spans_error() {
    #[llm_trace]
    fn tell() -> futures::stream::BoxStream<'static, Result<String, std::io::Error>> {
        stream::iter([Ok("Once".to_owned()), Err(std::io::Error::other("connection reset"))]).boxed()
    }
    let recording = Recording::start();
    recording.run(|| {
        let items: Vec<_> = futures::executor::block_on(tell().collect());
        assert_eq!(items.len(), 2);
    });
    let span = recording.span("tell");
    assert_eq!(span.status, Status::error("connection reset"));
    assert_eq!(span.output[0].text(), "Once");
}
