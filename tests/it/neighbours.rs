//! Exporters that misbehave in every way, beside one that does not.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use llmtrace::testing::InMemory;
use llmtrace::{DropReason, ExportContext, ExportError, Exporter, SpanRecord};
use llmtrace_tests::Scripted;
use llmtrace_tests::backend::{LONG, Program};
use tracing::info_span;

/// Panics wherever it is called, with something that panics once more when it is dropped.
struct Bomb;

struct Splinter;

impl Drop for Splinter {
    fn drop(&mut self) {
        panic!("the panic panicked");
    }
}

impl Exporter for Bomb {
    fn name(&self) -> &str {
        panic!("no name")
    }
    fn start(&mut self, _: ExportContext) {
        panic_any(Splinter)
    }
    fn export(&mut self, _: &[SpanRecord]) -> Result<(), ExportError> {
        panic_any(Splinter)
    }
    fn idle(&mut self) -> Option<Duration> {
        panic_any(Splinter)
    }
    fn flush(&mut self) -> Result<(), ExportError> {
        panic_any(Splinter)
    }
    fn shutdown(&mut self) -> Result<(), ExportError> {
        panic_any(Splinter)
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("not even the end")
    }
}

#[test]
fn an_exporter_that_panics_everywhere_harms_nobody() {
    let memory = InMemory::default();
    let program = Program::start(llmtrace::builder().exporter(Bomb).exporter(memory.clone()));
    for _ in 0..3 {
        program.run(2);
        assert!(program.guard.flush(LONG).is_complete);
    }
    let report = program.guard.shutdown(LONG).unwrap();
    let bomb = &report.exporters[0];
    assert_eq!((bomb.started, bomb.exported, bomb.queued), (6, 0, 0), "{bomb:?}");
    assert_eq!(bomb.dropped, [(DropReason::ExporterPanicked, 6)].into());
    assert_eq!((report.exporters[1].exported, memory.spans().len()), (6, 6));
}

#[test]
fn a_name_may_hold_anything() {
    let odd = Scripted::new("a\0b\u{1b}[31m/..", |_| Ok(()));
    assert_eq!(Program::start(llmtrace::builder().exporter(odd)).deliver(1).exported, 1);
}

/// What an exporter does with each batch.
type Script = Box<dyn FnMut(&[SpanRecord]) -> Result<(), ExportError> + Send>;

/// Sends spans beside three broken exporters, at most `ahead` more than the healthy one has. Each of four exporters has
/// room for 64.
fn check(broken: [Script; 3], ahead: usize) {
    const SPANS: usize = 2_000;
    let begun = Instant::now();
    let (seen, slowest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let healthy = {
        let (seen, slowest) = (Arc::clone(&seen), Arc::clone(&slowest));
        Scripted::new("healthy", move |batch| {
            let now = usize::try_from(begun.elapsed().as_millis()).unwrap();
            for span in batch.iter().filter(|span| span.name != "llmtrace.dropped") {
                let ended = span.attributes.get_str("ended").unwrap().parse::<usize>().unwrap();
                slowest.fetch_max(now.saturating_sub(ended), Ordering::SeqCst);
                seen.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        })
    };
    let builder = llmtrace::builder().queue_bytes(4 << 20).batch(4, Duration::from_millis(5));
    let builder =
        broken.into_iter().fold(builder, |builder, script| builder.exporter(Scripted::new("broken", script)));
    let program = Program::start(builder.exporter(healthy));
    let text = "x".repeat(8_000);
    let wait_for = |spans: usize| {
        let deadline = Instant::now() + LONG;
        while seen.load(Ordering::SeqCst) < spans && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(200));
        }
    };
    program.enter(|| {
        for sent in 0..SPANS {
            wait_for(sent.saturating_sub(ahead));
            let ended = begun.elapsed().as_millis().to_string();
            info_span!("chat", gen_ai.request.model = "m", ended, text);
        }
    });
    wait_for(SPANS);
    let stats = program.guard.stats().exporters.remove(3);
    assert_eq!((stats.started, stats.exported, stats.dropped_total()), (2_000, 2_000, 0), "{stats:?}");
    let slowest = slowest.load(Ordering::SeqCst);
    assert!(slowest < 800, "a span reached the healthy exporter after {slowest} ms");
    drop(program.guard.shutdown(Duration::ZERO));
}

/// Never returns.
fn hang(_: &[SpanRecord]) -> Result<(), ExportError> {
    loop {
        std::thread::park();
    }
}

#[test]
fn a_healthy_exporter_beside_three_broken_ones_loses_nothing_and_waits_for_none() {
    let slow = |_: &[SpanRecord]| {
        std::thread::sleep(Duration::from_millis(20));
        Err(ExportError::retryable("503"))
    };
    let panicking = |_: &[SpanRecord]| -> Result<(), ExportError> { panic_any(()) };
    check([Box::new(hang), Box::new(slow), Box::new(panicking)], 40);
}

#[test]
fn a_healthy_exporter_that_is_full_beside_three_that_hang_is_the_one_that_is_waited_for() {
    check([Box::new(hang), Box::new(hang), Box::new(hang)], 130);
}
