//! Which traces are exported, and what is counted of the others.

use std::collections::HashMap;
use std::time::Duration;

use llmtrace::propagate::{self, SpanContext};
use llmtrace::testing::Recording;
use llmtrace::{
    Budget, Builder, DropReason, ExporterStats, Sampler, SpanExt as _, SpanRecord, TraceId, Usage, Usd,
};
use tracing::{Span, info_span};

const SECOND: Duration = Duration::from_secs(1);

fn recording(sampler: Sampler) -> Recording {
    Recording::with(|builder| builder.sampler(sampler))
}

/// The context that a caller sends, with the flag of its `traceparent`.
fn caller(trace: u64, flag: &str) -> SpanContext {
    let parent = format!("00-{trace:032x}-00000000000000aa-{flag}");
    let headers = [("traceparent", parent), ("tracestate", "vendor=7".to_owned())];
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value)).into();
    propagate::extract(&headers).unwrap()
}

fn chat(name: &'static str) -> Span {
    info_span!(
        "chat",
        otel.name = name,
        gen_ai.request.model = "gpt-4o-mini",
        gen_ai.provider.name = "openai"
    )
}

fn names(spans: &[SpanRecord]) -> Vec<&str> {
    spans.iter().map(|span| &*span.name).collect()
}

fn stats(recording: &Recording) -> ExporterStats {
    let stats = recording.guard().stats().exporters.remove(0);
    assert_eq!(stats.started, stats.exported + stats.dropped_total() + stats.queued, "{stats:?}");
    stats
}

fn sampled_out(recording: &Recording) -> u64 {
    stats(recording).dropped.get(&DropReason::SampledOut).copied().unwrap_or(0)
}

#[test]
fn the_flag_of_another_process_is_followed() {
    let check = |sampler: Sampler, flag: &str, expected: &[&str]| {
        let recording = recording(sampler);
        recording.run(|| {
            let context = caller(9, flag);
            let root = chat("root");
            root.set_parent_context(&context);
            root.in_scope(|| chat("child"));
        });
        assert_eq!(names(&recording.spans()), expected, "{sampler:?}, {flag}");
    };
    check(Sampler::always(), "01", &["child", "root"]);
    check(Sampler::always(), "00", &[]);
    check(Sampler::never(), "01", &["child", "root"]);
    check(Sampler::never(), "03", &["child", "root"]);
    check(Sampler::never(), "00", &[]);
    check(Sampler::never().keep_slower_than(Duration::MAX), "01", &["child", "root"]);
    check(Sampler::always().keep_slower_than(Duration::MAX), "00", &[]);
    check(Sampler::always().keep_costlier_than(Usd::from_pico(-1)), "00", &["child", "root"]);
}

#[test]
fn the_decision_travels_with_the_ids() {
    let check = |sampler: Sampler, parent: Option<&str>, flag: &str, state: Option<&str>| {
        let recording = recording(sampler);
        let (mut above, mut below) = (HashMap::new(), HashMap::new());
        recording.run(|| {
            let root = chat("root");
            if let Some(flag) = parent {
                root.set_parent_context(&caller(9, flag));
            }
            propagate::inject(&root, &mut above);
            let child = root.in_scope(|| chat("child"));
            propagate::inject(&child, &mut below);
            assert_eq!(child.trace_id(), root.trace_id());
        });
        for headers in [&above, &below] {
            let parent = propagate::extract(headers).unwrap();
            assert_eq!(parent.is_sampled(), flag == "01", "{sampler:?}, {headers:?}");
            assert_eq!(parent.state(), state, "{sampler:?}, {headers:?}");
            assert_eq!(headers["traceparent"][..35], above["traceparent"][..35]);
        }
    };
    check(Sampler::always(), None, "01", None);
    check(Sampler::never(), None, "00", None);
    check(Sampler::never(), Some("01"), "01", Some("vendor=7"));
    check(Sampler::always(), Some("00"), "00", Some("vendor=7"));
    check(Sampler::never().keep_errors(), None, "00", None);
    check(Sampler::never().keep_errors(), Some("01"), "01", Some("vendor=7"));
}

#[test]
fn processes_agree_on_every_trace() {
    let memories = [0.2, 0.2, 0.6].map(|share| {
        let memory = llmtrace::testing::InMemory::default();
        let (layer, guard) =
            llmtrace::builder().sampler(Sampler::ratio(share)).exporter(memory.clone()).build();
        let subscriber =
            tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer);
        (memory, guard, tracing::Dispatch::new(subscriber))
    });
    let [(first, first_guard, one), (second, second_guard, two), (third, third_guard, three)] = memories;
    for _ in 0..2_000 {
        let headers = tracing::dispatcher::with_default(&one, || {
            let mut headers = HashMap::new();
            propagate::inject(&chat("first"), &mut headers);
            headers
        });
        for (dispatch, name) in [(&two, "second"), (&three, "third")] {
            tracing::dispatcher::with_default(dispatch, || {
                let context = propagate::extract(&headers).unwrap();
                let root = chat(name);
                root.set_parent_context(&context);
                root.in_scope(|| chat("below"));
            });
        }
    }
    for guard in [&first_guard, &second_guard, &third_guard] {
        assert!(guard.flush(30 * SECOND).is_complete);
    }
    let traces = |spans: Vec<SpanRecord>| {
        let mut traces: Vec<TraceId> = spans.iter().map(|span| span.trace_id).collect();
        traces.dedup();
        traces
    };
    let sampled = traces(first.spans());
    // Five standard deviations around 400.
    assert!((310..490).contains(&sampled.len()), "{}", sampled.len());
    assert_eq!(traces(second.spans()), sampled);
    assert_eq!(traces(third.spans()), sampled);
    assert!(sampled.iter().all(|trace| Sampler::ratio(0.2).samples(*trace)));
}

#[test]
fn nothing_is_kept_of_traces_that_nobody_samples() {
    let recording = recording(Sampler::never());
    recording.run(|| (0..500).for_each(|_| drop(chat("not counted"))));
    assert_eq!(recording.spans(), []);
    assert_eq!(stats(&recording).started, 0);
    assert_eq!(recording.guard().usage().total().calls, 0);
}

#[test]
fn spans_below_one_that_is_not_recorded_are_not_either_wherever_they_run() {
    let recording = recording(Sampler::never());
    recording.run(|| (0..300).for_each(|_| drop(chat("warm"))));
    recording.run(|| {
        let root = chat("root");
        let (task, dispatch) = (root.in_scope(|| chat("task")), recording.dispatch());
        let (root_id, task_id) = (root.trace_id(), task.trace_id());
        drop(root);
        let ids = std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                let below = task.in_scope(|| chat("below"));
                let explicit = info_span!(parent: &below, "explicit", gen_ai.request.model = "m");
                [below.trace_id(), explicit.trace_id()]
            })
        });
        assert!(root_id.is_some());
        assert_eq!([task_id, root_id], ids.join().unwrap());
    });
    assert_eq!((recording.spans(), stats(&recording).started), (Vec::new(), 0));
}

/// Runs `body` in a trace of an agent with two calls, of which it gets the second.
fn agent(recording: &Recording, body: impl FnOnce(&Span)) {
    recording.run(|| {
        let root = info_span!("agent", llmtrace.kind = "agent");
        let _in_root = root.enter();
        chat("first").record_usage(Usage::new(1_000, 100));
        let second = chat("second");
        body(&second);
    });
}

#[test]
fn rules_decide_when_the_trace_is_whole() {
    let keep = |sampler: Sampler, is_kept: bool, body: fn(&Recording, &Span)| {
        let recording = recording(sampler);
        agent(&recording, |span| body(&recording, span));
        let expected: &[&str] = if is_kept { &["first", "second", "agent"] } else { &[] };
        assert_eq!(names(&recording.spans()), expected, "{sampler:?}");
        assert_eq!(sampled_out(&recording), if is_kept { 0 } else { 3 });
        assert_eq!(recording.guard().usage().total().calls, 2);
        assert_eq!(recording.guard().stats().held_bytes, 0);
    };
    let never = Sampler::never();
    keep(never.keep_errors(), true, |_, span| span.record_error("boom"));
    keep(never.keep_errors(), false, |_, _| {});
    keep(never.keep_slower_than(SECOND), true, |recording, _| recording.clock().advance(2 * SECOND));
    keep(never.keep_slower_than(SECOND), false, |recording, _| recording.clock().advance(SECOND));
    // 1000 at 0.15 and 100 at 0.60 USD a million, twice.
    let twice: fn(&Recording, &Span) = |_, span| span.record_usage(Usage::new(1_000, 100));
    keep(never.keep_costlier_than(0.000_419_9), true, twice);
    keep(never.keep_costlier_than(0.000_42), false, twice);
    keep(never.keep_costlier_than(f64::NAN).keep_errors(), false, twice);
    keep(Sampler::always().keep_errors(), true, |_, _| {});
}

#[test]
fn a_call_that_two_spans_record_costs_once() {
    let recording = recording(Sampler::never().keep_costlier_than(0.000_3));
    recording.run(|| {
        let outer = chat("outer");
        outer.in_scope(|| chat("inner").record_usage(Usage::new(1_000, 100)));
        outer.record_usage(Usage::new(1_000, 100));
    });
    assert_eq!((names(&recording.spans()), sampled_out(&recording)), (Vec::new(), 2));
}

#[test]
fn a_budget_counts_what_is_not_exported() {
    let budget = Budget::tokens(3_000);
    let recording = Recording::with(|builder| builder.sampler(Sampler::never()).budget(budget.clone()));
    agent(&recording, |span| span.record_usage(Usage::new(1_000, 100)));
    assert_eq!(budget.check().tokens(), Some(800));
    assert_eq!((recording.spans().len(), sampled_out(&recording)), (0, 3));
    assert_eq!(recording.guard().usage().total().calls, 2);
}

#[test]
fn what_outlives_the_root_belongs_to_its_trace() {
    let recording = recording(Sampler::never().keep_errors());
    recording.run(|| {
        let root = info_span!("agent", llmtrace.kind = "agent");
        let task = root.in_scope(|| chat("task"));
        drop(root);
        chat("other");
        let dispatch = recording.dispatch();
        let ended = std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                task.in_scope(|| chat("in the task"));
                task.record_error("late");
                drop(task);
            });
        });
        ended.join().unwrap();
    });
    assert_eq!(names(&recording.spans()), ["in the task", "task", "agent"]);
    assert_eq!(sampled_out(&recording), 1);
}

#[test]
fn each_local_root_of_a_trace_is_judged_for_itself() {
    let recording = recording(Sampler::never().keep_errors());
    recording.run(|| {
        let context = caller(9, "00");
        let request = |name| {
            let root = chat(name);
            root.set_parent_context(&context);
            root
        };
        let (good, bad) = (request("good"), request("bad"));
        good.in_scope(|| chat("good call"));
        bad.in_scope(|| chat("bad call").record_error("boom"));
        drop((good, bad));
    });
    assert_eq!(names(&recording.spans()), ["bad call", "bad"]);
    assert_eq!(sampled_out(&recording), 2);
}

#[test]
fn a_flush_judges_open_traces_by_what_is_known() {
    let check = |first_fails: bool, second_fails: bool, expected: &[&str], missing: Option<i64>| {
        let recording = recording(Sampler::never().keep_errors());
        let fail = |span: Span, fails| {
            if fails {
                span.record_error("boom");
            }
        };
        recording.run(|| {
            let root = info_span!("agent", llmtrace.kind = "agent");
            let _in_root = root.enter();
            fail(chat("first"), first_fails);
            let report = recording.guard().flush(30 * SECOND);
            assert!(report.is_complete && report.exporters[0].queued == 0, "{report:?}");
            assert_eq!(report.exporters[0].exported, u64::from(first_fails));
            fail(chat("second"), second_fails);
        });
        let spans = recording.spans();
        assert_eq!(names(&spans), expected);
        let stated = spans
            .iter()
            .find(|span| span.name == "agent")
            .and_then(|root| root.attributes.get("llmtrace.sampled_out").and_then(llmtrace::Value::as_count));
        assert_eq!(stated, missing.map(i64::unsigned_abs));
        assert_eq!(sampled_out(&recording), 3 - expected.len() as u64);
    };
    check(false, false, &[], None);
    check(true, false, &["first", "second", "agent"], None);
    // Kept from there on, and the root says what is missing.
    check(false, true, &["second", "agent"], Some(1));
    check(true, true, &["first", "second", "agent"], None);
}

#[test]
fn a_root_that_never_ends_is_judged_after_a_while() {
    let recording = recording(Sampler::never().keep_errors().hold_for(60 * SECOND));
    recording.run(|| {
        let root = info_span!("agent", llmtrace.kind = "agent");
        root.in_scope(|| chat("step").record_error("boom"));
        let exported = || stats(&recording).exported;
        recording.clock().advance(59 * SECOND);
        root.in_scope(|| chat("next step"));
        recording.guard().usage();
        assert_eq!((exported(), stats(&recording).queued), (0, 2));
        recording.clock().advance(60 * SECOND);
        let begin = std::time::Instant::now();
        while exported() < 2 && begin.elapsed() < 30 * SECOND {
            std::thread::yield_now();
        }
        assert_eq!(exported(), 2);
        // What follows is kept too, or it would leave its children behind.
        root.in_scope(|| chat("last step"));
    });
    assert_eq!(names(&recording.spans()), ["step", "next step", "last step", "agent"]);
}

#[test]
fn memory_is_bounded_however_many_traces_never_end() {
    let queue_bytes = 4 * 1024 * 1024;
    let sampler = Sampler::never().keep_errors();
    let recording = Recording::with(|builder: Builder| {
        builder.sampler(sampler).queue_bytes(queue_bytes).overflow(llmtrace::Overflow::Block(30 * SECOND))
    });
    recording.run(|| {
        let text = "x".repeat(2_000);
        let mut most = 0;
        let mut open = Vec::new();
        for n in 0..12_000_u32 {
            let root = info_span!("agent", llmtrace.kind = "agent");
            let call = root.in_scope(|| info_span!("chat", gen_ai.request.model = "m", text));
            if n.is_multiple_of(100) {
                call.record_error("boom");
            }
            drop(call);
            open.push(root);
            most = most.max(recording.guard().stats().held_bytes);
        }
        recording.guard().flush(30 * SECOND);
        assert!(most <= queue_bytes / 4 && most > queue_bytes / 8, "{most}");
        assert_eq!(stats(&recording).exported, 120);
        drop(open);
    });
    let spans = recording.spans();
    assert_eq!((spans.len(), sampled_out(&recording)), (240, 24_000 - 240));
}
