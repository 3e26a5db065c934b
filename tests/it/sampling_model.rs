//! Random programs against what sampling promises.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use llmtrace::propagate::{self, SpanContext};
use llmtrace::testing::Recording;
use llmtrace::{DropReason, Sampler, SpanExt as _, SpanId, SpanRecord};
use proptest::prelude::*;
use tracing::{Span, info_span};

/// One step of a program; numbers choose among the spans that are open.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A trace of this process; none is sampled by its id.
    Root,
    /// A request of another process: in one of three traces, sampled or not.
    Request {
        trace: u8,
        is_sampled: bool,
    },
    Child(usize),
    /// The last handle is dropped; the span lasts as long as its children.
    Drop(usize),
    Fail(usize),
    /// Judges what is held.
    Flush,
    /// Lets what is held grow too old.
    Wait,
}

/// What the program knows of a span.
struct Known {
    root: SpanId,
    parent: Option<SpanId>,
    id: SpanId,
    is_sampled: bool,
    fails: bool,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Root),
        2 => (0..3_u8, any::<bool>()).prop_map(|(trace, is_sampled)| Step::Request { trace, is_sampled }),
        8 => any::<usize>().prop_map(Step::Child),
        8 => any::<usize>().prop_map(Step::Drop),
        1 => any::<usize>().prop_map(Step::Fail),
    ]
}

/// Steps in the midst of which traces are judged.
fn step_or_judgement() -> impl Strategy<Value = Step> {
    prop_oneof![12 => step(), 1 => Just(Step::Flush), 1 => Just(Step::Wait)]
}

fn context(trace: u8, is_sampled: bool) -> SpanContext {
    let parent =
        format!("00-{:032x}-00000000000000aa-{:02x}", 1_000 + u64::from(trace), u8::from(is_sampled));
    propagate::extract(&vec![("traceparent".to_owned(), parent)]).unwrap()
}

const HOLD: Duration = Duration::from_secs(10);

/// Runs the program to its end: what it knows of its spans, and what was exported.
fn run(recording: &Recording, steps: &[Step]) -> (Vec<Known>, Vec<SpanRecord>) {
    let mut known = Vec::new();
    let mut open: Vec<(usize, Span)> = Vec::new();
    recording.run(|| {
        for step in steps {
            let at = |number: usize| number.checked_rem(open.len());
            match *step {
                Step::Root => begin(&mut known, &mut open, None),
                Step::Request { trace, is_sampled } => {
                    begin(&mut known, &mut open, Some(context(trace, is_sampled)));
                }
                Step::Child(number) => {
                    let Some((above, parent)) = at(number).map(|at| &open[at]) else { continue };
                    let span = info_span!(parent: parent, "chat", gen_ai.request.model = "m");
                    let Known { root, id, is_sampled, .. } = known[*above];
                    let parent = Some(id);
                    let id = span.span_id().unwrap();
                    open.push((known.len(), span));
                    known.push(Known { root, parent, id, is_sampled, fails: false });
                }
                Step::Drop(number) => {
                    if let Some(at) = at(number) {
                        open.swap_remove(at);
                    }
                }
                Step::Fail(number) => {
                    if let Some((place, span)) = at(number).map(|at| &open[at]) {
                        span.record_error("boom");
                        known[*place].fails = true;
                    }
                }
                Step::Flush => assert!(recording.guard().flush(3 * HOLD).is_complete),
                Step::Wait => {
                    recording.guard().usage();
                    recording.clock().advance(HOLD);
                }
            }
        }
        drop(open);
    });
    (known, recording.spans())
}

fn begin(known: &mut Vec<Known>, open: &mut Vec<(usize, Span)>, context: Option<SpanContext>) {
    let span = info_span!(parent: None, "root", llmtrace.kind = "agent");
    if let Some(context) = &context {
        span.set_parent_context(context);
    }
    let id = span.span_id().unwrap();
    open.push((known.len(), span));
    let is_sampled = context.is_some_and(|context| context.is_sampled());
    known.push(Known { root: id, parent: None, id, is_sampled, fails: false });
}

/// Every exported span's parents are exported, up to the local root; and every span is accounted for.
fn assert_no_orphan(recording: &Recording, known: &[Known], spans: &[SpanRecord]) {
    let exported: HashSet<_> = spans.iter().map(|span| span.span_id).collect();
    assert_eq!(exported.len(), spans.len(), "a span was exported twice");
    for span in spans {
        let parent = span.parent_span_id.filter(|_| !span.is_local_root());
        assert!(parent.is_none_or(|parent| exported.contains(&parent)), "an orphan: {span:?}");
        // The program saw the same tree.
        let own = known.iter().find(|own| own.id == span.span_id).unwrap();
        assert_eq!(own.parent, parent);
    }
    let stats = recording.guard().stats();
    let sampled_out = stats.exporters[0].dropped.get(&DropReason::SampledOut).copied().unwrap_or(0);
    assert_eq!((stats.exporters[0].queued, stats.held_bytes, stats.open_spans), (0, 0, 0));
    assert_eq!(stats.exporters[0].started, spans.len() as u64 + sampled_out);
}

fn exported_of<'a>(known: &'a [Known], spans: &[SpanRecord]) -> HashMap<SpanId, Vec<(&'a Known, bool)>> {
    let exported: HashSet<_> = spans.iter().map(|span| span.span_id).collect();
    let mut parts: HashMap<_, Vec<_>> = HashMap::new();
    for own in known {
        parts.entry(own.root).or_default().push((own, exported.contains(&own.id)));
    }
    parts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn traces_that_are_judged_at_their_end_are_exported_wholly_or_not_at_all(
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let recording = Recording::with(|builder| builder.sampler(Sampler::never().keep_errors()));
        let (known, spans) = run(&recording, &steps);
        assert_no_orphan(&recording, &known, &spans);
        for (root, part) in exported_of(&known, &spans) {
            let is_kept = part.iter().any(|(own, _)| own.is_sampled || own.fails);
            prop_assert!(part.iter().all(|(_, exported)| *exported == is_kept), "{root}: {is_kept}");
        }
    }

    #[test]
    fn errors_are_kept_and_no_span_without_its_parents_whenever_a_trace_is_judged(
        steps in prop::collection::vec(step_or_judgement(), 0..80),
    ) {
        let sampler = Sampler::never().keep_errors().hold_for(HOLD);
        let recording = Recording::with(|builder| builder.sampler(sampler));
        let (known, spans) = run(&recording, &steps);
        assert_no_orphan(&recording, &known, &spans);
        for (root, part) in exported_of(&known, &spans) {
            prop_assert!(part.iter().all(|(own, exported)| *exported || !own.fails && !own.is_sampled), "{root}");
            let is_kept = part.iter().any(|(own, _)| own.is_sampled || own.fails);
            prop_assert!(is_kept || part.iter().all(|(_, exported)| !exported), "{root}");
            let missing = part.iter().filter(|(_, exported)| !exported).count() as u64;
            let stated = spans.iter().find(|span| span.span_id == root).and_then(|root| {
                root.attributes.get("llmtrace.sampled_out").and_then(llmtrace::Value::as_count)
            });
            prop_assert_eq!(stated.unwrap_or(0), if is_kept { missing } else { 0 });
        }
    }

    #[test]
    fn however_little_memory_there_is_no_span_is_without_its_parents(
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let sampler = Sampler::never().keep_errors();
        // A quarter of it is for held spans: about a dozen.
        let recording = Recording::with(|builder| builder.sampler(sampler).queue_bytes(64 * 1024));
        let (known, spans) = run(&recording, &steps);
        assert_no_orphan(&recording, &known, &spans);
    }

    #[test]
    fn without_rules_sampled_traces_are_exported_wholly_and_others_not_at_all(
        steps in prop::collection::vec(step_or_judgement(), 0..80),
    ) {
        let recording = Recording::with(|builder| builder.sampler(Sampler::never()));
        let (known, spans) = run(&recording, &steps);
        let stats = recording.guard().stats();
        prop_assert_eq!((stats.exporters[0].started, stats.open_spans), (spans.len() as u64, 0));
        let sampled: HashSet<_> = known.iter().filter(|own| own.is_sampled).map(|own| own.id).collect();
        prop_assert_eq!(spans.iter().map(|span| span.span_id).collect::<HashSet<_>>(), sampled);
    }
}
