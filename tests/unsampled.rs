//! What traces that are not sampled cost: next to nothing.

use std::collections::HashMap;

use llmtrace::testing::InMemory;
use llmtrace::{Sampler, SpanExt as _, Usage, llm_trace, propagate};
use serde::Serialize;
use tracing::{Instrument as _, Span, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

/// Fails where it is looked at.
struct Unread;

impl Serialize for Unread {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("nobody samples this")
    }
}

fn trace() {
    let root = info_span!("agent", llmtrace.kind = "agent");
    let _in_root = root.enter();
    let call = info_span!("chat", gen_ai.request.model = "m", gen_ai.usage.input_tokens = 1);
    let again = call.clone();
    call.in_scope(|| tracing::info!("an event"));
    call.record("gen_ai.request.model", "n");
    call.record_request(&Unread);
    call.record_usage(Usage::new(1, 1));
    assert!(call.trace_id().is_some() && call.trace_id() == root.trace_id());
    assert!(Span::current().trace_id() == root.trace_id());
    drop(again);
}

fn unread() -> String {
    panic!("nobody samples this")
}

#[llm_trace(kind = "tool", session = unread(), tags = unread())]
async fn tool(argument: Unread) -> Unread {
    tokio::task::yield_now().await;
    argument
}

fn assert_free() {
    // The first spans of the first traces may turn out to go on with a trace of another process.
    (0..257).for_each(|_| trace());
    let measured = allocation_counter::measure(|| (0..100).for_each(|_| trace()));
    assert_eq!(measured.count_total, 0, "{measured:?}");
}

#[test]
fn nothing_is_allocated_read_or_counted_and_the_decision_travels() {
    let memory = InMemory::default();
    let (layer, composed) = llmtrace::builder().sampler(Sampler::never()).exporter(memory.clone()).build();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), assert_free);
    drop(composed);

    let guard = llmtrace::builder().sampler(Sampler::never()).exporter(memory.clone()).install().unwrap();
    assert_free();

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let root = info_span!("agent", llmtrace.kind = "agent");
    let trace = root.trace_id();
    let spawned = runtime.block_on(
        async {
            tool(Unread).await;
            let task = async {
                tokio::task::yield_now().await;
                info_span!("below", gen_ai.request.model = "m").trace_id()
            };
            tokio::spawn(task.in_current_span()).await.unwrap()
        }
        .instrument(root),
    );
    assert_eq!(spawned, trace);

    let call = info_span!("chat", gen_ai.request.model = "m");
    let (mut headers, mut below) = (HashMap::new(), HashMap::new());
    propagate::inject(&call, &mut headers);
    propagate::inject(&call.in_scope(|| info_span!("below")), &mut below);
    assert_eq!(headers, below);
    let context = propagate::extract(&headers).unwrap();
    assert!(!context.is_sampled());

    let stats = guard.stats();
    assert_eq!((stats.open_spans, stats.exporters[0].started), (0, 0));

    // From now on the first span of each trace may follow another process.
    let root = info_span!("agent", llmtrace.kind = "agent", kept = true);
    let sampled = headers["traceparent"].replace("-00", "-01").replacen("01-", "00-", 1);
    let sampled = propagate::extract(&vec![("traceparent".to_owned(), sampled)]).unwrap();
    root.set_parent_context(&sampled);
    root.in_scope(|| info_span!("chat", gen_ai.request.model = "m"));
    drop(root);
    guard.flush(std::time::Duration::from_secs(30));
    let spans = memory.spans();
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(|span| span.trace_id == sampled.trace_id()));
    assert_eq!(spans[1].attributes.get("kept"), Some(&llmtrace::Value::Bool(true)));
}
