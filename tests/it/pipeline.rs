//! Accounts, bounds, flush and shutdown.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use llmtrace::testing::InMemory;
use llmtrace::{
    Budget, DropReason, ExportError, ExporterStats, FlushError, Guard, Overflow, SpanExt as _, Usage,
};
use llmtrace_tests::{Scripted, gated};
use tracing::{Dispatch, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

const LONG: Duration = Duration::from_secs(30);

fn start(builder: llmtrace::Builder) -> (Dispatch, Guard) {
    let (layer, guard) = builder.build();
    (Dispatch::new(tracing_subscriber::registry().with(layer)), guard)
}

fn chat(text: &str) {
    info_span!("chat", gen_ai.request.model = "m", text);
}

fn run(dispatch: &Dispatch, calls: usize) {
    tracing::dispatcher::with_default(dispatch, || (0..calls).for_each(|_| chat("")));
}

fn assert_balanced(stats: &ExporterStats) {
    assert_eq!(stats.started, stats.exported + stats.dropped_total() + stats.queued, "{stats:?}");
}

#[test]
fn accounts_are_exact_while_spans_end_on_many_threads() {
    let memory = InMemory::default();
    let (dispatch, guard) = start(llmtrace::builder().exporter(memory.clone()));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| run(&dispatch, 5_000))).collect();
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_balanced(&guard.stats().exporters[0]);
            }
        });
        for worker in workers {
            worker.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
    });
    let report = guard.flush(LONG);
    assert!(report.is_complete);
    assert_eq!((report.exporters[0].exported, report.exporters[0].queued), (20_000, 0));
    assert_eq!(memory.spans().len(), 20_000);
}

#[test]
fn one_exporter_never_waits_for_another() {
    let memory = InMemory::default();
    let (stuck, gate) = gated("stuck");
    let (dispatch, guard) = start(llmtrace::builder().exporter(stuck).exporter(memory.clone()));
    run(&dispatch, 100);
    let report = guard.flush(Duration::from_millis(300));
    assert!(!report.is_complete);
    assert_eq!(memory.spans().len(), 100);
    assert_eq!((report.exporters[0].exported, report.exporters[0].queued), (0, 100));
    drop(gate);
    assert!(guard.flush(LONG).is_complete);
}

#[test]
fn exporters_that_fail_or_panic_are_counted_and_called_again() {
    let mut calls = 0;
    let exporter = Scripted::new("moody", move |_| {
        calls += 1;
        match calls {
            1 => Err(ExportError::permanent("refused")),
            2 => panic!("boom"),
            3 => Err(ExportError::retryable("half").with_lost(1)),
            _ => Ok(()),
        }
    });
    let (dispatch, guard) = start(llmtrace::builder().exporter(exporter));
    for _ in 0..4 {
        run(&dispatch, 3);
        guard.flush(LONG);
    }
    let stats = guard.stats().exporters.remove(0);
    assert_balanced(&stats);
    assert_eq!((stats.started, stats.exported, stats.queued), (12, 5, 0));
    assert_eq!(stats.dropped[&DropReason::ExportFailed], 4);
    assert_eq!(stats.dropped[&DropReason::ExporterPanicked], 3);
    assert_eq!(stats.last_error.as_deref(), Some("half"));
}

#[test]
fn memory_is_bounded_and_what_does_not_fit_is_counted() {
    let (stuck, mut gate) = gated("stuck");
    let bytes = 1024 * 1024;
    let (dispatch, guard) = start(llmtrace::builder().exporter(stuck).queue_bytes(bytes));
    let text = "x".repeat(10_000);
    tracing::dispatcher::with_default(&dispatch, || (0..2_000).for_each(|_| chat(&text)));
    let stats = guard.stats();
    let exporter = &stats.exporters[0];
    assert!(stats.queue_bytes + exporter.bytes <= bytes + 2 * 1024 * 1024, "{stats:?}");
    assert!(exporter.dropped[&DropReason::QueueFull] > 1_000, "{stats:?}");
    assert_balanced(exporter);
    gate.open();
    assert!(guard.flush(LONG).is_complete);
    let exporter = guard.stats().exporters.remove(0);
    assert_eq!((exporter.queued, exporter.exported), (0, gate.seen() as u64));
    assert_balanced(&exporter);
}

#[test]
fn a_queue_that_may_push_back_loses_nothing() {
    let memory = InMemory::default();
    let builder =
        llmtrace::builder().exporter(memory.clone()).queue_bytes(64 * 1024).overflow(Overflow::Block(LONG));
    let (dispatch, guard) = start(builder);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| run(&dispatch, 20_000));
        }
    });
    assert!(guard.flush(LONG).is_complete);
    assert_eq!(memory.spans().len(), 40_000);
}

#[test]
fn flush_covers_every_span_that_ended_before_it() {
    let memory = InMemory::default();
    let (dispatch, guard) = start(llmtrace::builder().exporter(memory.clone()).batch(1_000, LONG));
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50 {
                run(&dispatch, 7);
                barrier.wait();
                barrier.wait();
            }
        });
        for round in 1..=50 {
            barrier.wait();
            assert!(guard.flush(LONG).is_complete);
            assert_eq!(memory.spans().len(), round * 7);
            barrier.wait();
        }
    });
}

#[test]
fn after_the_shutdown_spans_are_counted_and_nothing_breaks() {
    let memory = InMemory::default();
    let (dispatch, guard) = start(llmtrace::builder().exporter(memory.clone()));
    run(&dispatch, 2);
    assert!(guard.shutdown(LONG).unwrap().is_complete);
    run(&dispatch, 3);
    assert_eq!(guard.shutdown(LONG).unwrap_err(), FlushError::AlreadyShutDown);
    assert!(guard.flush(Duration::from_millis(50)).exporters[0].queued == 0);
    let stats = guard.stats().exporters.remove(0);
    assert_balanced(&stats);
    assert_eq!((stats.started, stats.exported, stats.dropped[&DropReason::Shutdown]), (5, 2, 3));
    assert_eq!(memory.spans().len(), 2);
}

#[test]
fn shutdown_and_drop_end_in_time_although_an_exporter_hangs() {
    let (stuck, gate) = gated("stuck");
    let (dispatch, guard) = start(llmtrace::builder().exporter(stuck));
    run(&dispatch, 1);
    let before = Instant::now();
    let error = guard.shutdown(Duration::from_millis(200)).unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(5));
    assert!(error.to_string().starts_with("1 spans were not delivered in time"), "{error}");
    drop(guard);
    drop(gate);
}

#[test]
fn dropping_the_guard_delivers() {
    let memory = InMemory::default();
    let (dispatch, guard) = start(llmtrace::builder().exporter(memory.clone()));
    run(&dispatch, 3);
    drop(guard);
    assert_eq!(memory.spans().len(), 3);
}

#[test]
fn spans_that_end_while_the_thread_unwinds_are_kept() {
    let memory = InMemory::default();
    let (dispatch, guard) = start(llmtrace::builder().exporter(memory.clone()));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        tracing::dispatcher::with_default(&dispatch, || {
            let _span = info_span!("chat", gen_ai.request.model = "m").entered();
            panic!("boom");
        });
    }));
    assert!(outcome.is_err());
    guard.flush(LONG);
    assert_eq!(memory.spans().len(), 1);
}

#[test]
fn a_price_source_that_panics_costs_the_price_and_not_the_span() {
    #[derive(Debug)]
    struct Bomb;
    impl llmtrace::PriceSource for Bomb {
        fn price(&self, _: &llmtrace::PriceQuery<'_>) -> Result<llmtrace::Cost, llmtrace::Unpriced> {
            panic!("boom")
        }
    }
    let memory = InMemory::default();
    let (dispatch, guard) = start(llmtrace::builder().exporter(memory.clone()).prices(Bomb));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("chat", gen_ai.request.model = "m").record_usage(Usage::new(1, 1));
    });
    guard.flush(LONG);
    assert_eq!(memory.spans()[0].name, "chat");
}

#[test]
fn budgets_know_what_has_been_spent_as_soon_as_a_call_ends() {
    let (tokens, usd) = (Budget::tokens(100), Budget::usd(0.001));
    let per_session = Budget::tokens(50).per_session();
    let budgets = [tokens.clone(), usd.clone(), per_session.clone()];
    let builder = budgets.into_iter().fold(llmtrace::builder(), llmtrace::Builder::budget);
    let (dispatch, _guard) = start(builder);
    let call = |session: &str| {
        tracing::dispatcher::with_default(&dispatch, || {
            let span =
                info_span!("chat", gen_ai.request.model = "gpt-4o-mini", gen_ai.provider.name = "openai");
            span.set_session(session);
            span.record_usage(Usage::new(40, 20));
        });
    };
    call("a");
    assert_eq!((tokens.check().tokens(), tokens.check().is_exhausted()), (Some(40), false));
    assert!(per_session.check_session("a").is_exhausted());
    assert!(!per_session.check_session("b").is_exhausted());
    call("b");
    assert!(tokens.check().is_exhausted());
    assert_eq!(tokens.check().tokens(), Some(0));
    // 80 at 0.15 and 40 at 0.60 USD a million.
    assert_eq!(usd.check().spent_usd().to_string(), "0.000036");
    assert_eq!(usd.check().unpriced_calls(), 0);
}

#[test]
fn spans_that_outlive_the_guard_do_no_harm() {
    let memory = InMemory::default();
    let (dispatch, guard) = start(llmtrace::builder().exporter(memory.clone()));
    let span =
        tracing::dispatcher::with_default(&dispatch, || info_span!("chat", gen_ai.request.model = "m"));
    drop(guard);
    span.set_attribute("late", 1);
    drop(span);
    assert!(memory.spans().is_empty());
}
