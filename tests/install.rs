//! What `Builder::install` records: the same as the layer on top of a registry.

use std::time::Duration;

use llmtrace::testing::{InMemory, Recording};
use llmtrace::{SpanExt as _, SpanRecord};
use tracing::field::Empty;
use tracing::{Span, debug_span, info, info_span};

/// Spans in every relation that `tracing` knows.
fn program() {
    let root = info_span!("agent", gen_ai.operation.name = "invoke_agent", gen_ai.conversation.id = "s");
    let orphaned = root.in_scope(|| {
        let step = info_span!("step");
        assert_eq!(Span::current().id(), root.id());
        let twice = step.enter();
        step.in_scope(|| assert_eq!(Span::current().id(), step.id()));
        assert_eq!(Span::current().id(), step.id());
        drop(twice);
        assert_eq!(Span::current().id(), root.id());
        // It outlives the handle of its parent.
        info_span!(parent: &step, "chat", gen_ai.request.model = "m", gen_ai.usage.input_tokens = Empty)
    });
    orphaned.record("gen_ai.usage.input_tokens", 3);
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    let (clone, other) = (orphaned.clone(), dispatch.clone());
    let thread = std::thread::spawn(move || {
        tracing::dispatcher::with_default(&other, || {
            assert_eq!(Span::current().id(), None);
            let _in_chat = clone.enter();
            info!(answer = 42, "from another thread");
            info_span!("tool", llmtrace.kind = "tool").in_scope(|| info_span!("plain"));
        });
    });
    assert!(thread.join().is_ok());
    let apart = info_span!(parent: None, "apart", gen_ai.request.model = "n");
    apart.follows_from(&orphaned);
    apart.set_attribute("late", true);
    assert!(debug_span!("not about a model").is_disabled());
    assert!(!debug_span!("about a model", gen_ai.request.model = "d").is_disabled());

    // Left out of order, as futures that are joined do.
    let (a, b) = (info_span!("a", llmtrace.kind = "tool"), info_span!("b", llmtrace.kind = "tool"));
    if let (Some(a), Some(b)) = (a.id(), b.id()) {
        dispatch.enter(&a);
        dispatch.enter(&b);
        dispatch.exit(&a);
        assert_eq!(Span::current().id(), Some(b.clone()));
        dispatch.exit(&b);
    }
    assert_eq!(Span::current().id(), None);
}

/// What must be alike: the relations of the spans, and what each of them holds.
fn essence(spans: &[SpanRecord]) -> Vec<String> {
    let parent = |span: &SpanRecord| {
        let parent = spans.iter().find(|other| Some(other.span_id) == span.parent_span_id);
        parent.map_or("nothing".to_owned(), |parent| parent.name.to_string())
    };
    let line = |span: &SpanRecord| {
        let attributes: Vec<_> =
            span.attributes.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        let (events, links) = (span.events.len(), span.links.len());
        format!("{} in {}: events={events} links={links} {attributes:?}", span.name, parent(span))
    };
    let mut lines: Vec<_> = spans.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn install_records_what_the_layer_records() {
    let memory = InMemory::default();
    let guard = llmtrace::builder().exporter(memory.clone()).install().unwrap();
    program();
    assert_eq!(guard.stats().open_spans, 0);
    assert!(guard.flush(Duration::from_secs(30)).is_complete);

    let recording = Recording::start();
    recording.run(program);
    let installed = essence(&memory.spans());
    assert!(installed.iter().any(|line| line.starts_with("chat in step: events=1")), "{installed:#?}");
    assert_eq!(installed, essence(&recording.spans()));

    assert!(llmtrace::builder().install().is_err(), "there is one subscriber already");
}
