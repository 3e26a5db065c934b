//! What an exporter knows of the end, what it puts aside, and how losses are told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use llmtrace::testing::InMemory;
use llmtrace::{
    DropReason, ExportContext, ExportError, Exporter, ExporterStats, FlushError, Guard, Overflow, SpanRecord,
    Status, Value, semconv,
};
use llmtrace_tests::{Scripted, gated};
use tracing::{Dispatch, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

const LONG: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

/// What a shutdown may take longer than it was told.
const TOLERANCE: Duration = Duration::from_millis(100);

fn start(builder: llmtrace::Builder) -> (Dispatch, Guard) {
    let (layer, guard) = builder.quiet().build();
    (Dispatch::new(tracing_subscriber::registry().with(layer)), guard)
}

fn run(dispatch: &Dispatch, calls: usize) {
    tracing::dispatcher::with_default(dispatch, || {
        for _ in 0..calls {
            info_span!("chat", gen_ai.request.model = "m");
        }
    });
}

fn stats(guard: &Guard) -> ExporterStats {
    guard.stats().exporters.remove(0)
}

/// An exporter whose server is down until somebody says otherwise: it waits to try again, or keeps spans "on disk".
#[derive(Clone)]
struct Unlucky(Arc<Mutex<Luck>>);

struct Luck {
    context: ExportContext,
    is_up: bool,
    has_disk: bool,
    disk: u64,
    seen: Vec<SpanRecord>,
}

impl Unlucky {
    fn new(has_disk: bool) -> Self {
        let context = ExportContext::detached();
        let luck = Luck { context, is_up: false, has_disk, disk: 0, seen: Vec::new() };
        Self(Arc::new(Mutex::new(luck)))
    }

    fn recover(&self) {
        self.0.lock().unwrap().is_up = true;
    }

    fn on_disk(&self) -> u64 {
        self.0.lock().unwrap().disk
    }
}

impl Exporter for Unlucky {
    fn name(&self) -> &'static str {
        "unlucky"
    }

    fn start(&mut self, context: ExportContext) {
        self.0.lock().unwrap().context = context;
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        let mut luck = self.0.lock().unwrap();
        if luck.is_up {
            luck.seen.extend_from_slice(batch);
            return Ok(());
        }
        if luck.has_disk {
            luck.disk += batch.len() as u64;
            luck.context.spooled(batch.len() as u64);
            return Ok(());
        }
        let context = luck.context.clone();
        drop(luck);
        while context.deadline().is_none_or(|deadline| Instant::now() < deadline) {
            context.sleep(HOUR);
        }
        Err(ExportError::cut_short("503 Service Unavailable"))
    }

    fn idle(&mut self) -> Option<Duration> {
        let mut luck = self.0.lock().unwrap();
        if luck.is_up {
            let spans = std::mem::take(&mut luck.disk);
            luck.context.delivered(spans);
            luck.context.replayed(7);
        }
        None
    }
}

#[test]
fn an_exporter_that_tries_again_gives_up_in_time_and_each_span_is_counted() {
    let (dispatch, guard) = start(llmtrace::builder().exporter(Unlucky::new(false)).batch(2, LONG));
    run(&dispatch, 5);
    let (before, timeout) = (Instant::now(), Duration::from_millis(400));
    let Err(FlushError::TimedOut { undelivered, report }) = guard.shutdown(timeout) else {
        panic!("nothing was delivered");
    };
    assert!(before.elapsed() < timeout, "it gives up before the end: {:?}", before.elapsed());
    assert_eq!((undelivered, report.is_complete), (5, true));
    let stats = &report.exporters[0];
    assert_eq!((stats.started, stats.exported, stats.queued), (5, 0, 0));
    assert_eq!(stats.dropped, [(DropReason::ShutdownTimeout, 5)].into());
}

#[test]
fn what_is_on_disk_at_the_end_is_queued_and_safe() {
    let exporter = Unlucky::new(true);
    let (dispatch, guard) = start(llmtrace::builder().exporter(exporter.clone()).batch(2, LONG));
    run(&dispatch, 5);
    let report = guard.shutdown(LONG).unwrap();
    let stats = &report.exporters[0];
    assert_eq!((stats.started, stats.exported, stats.queued, stats.spooled), (5, 0, 5, 5));
    assert_eq!((exporter.on_disk(), stats.dropped_total()), (5, 0));
}

#[test]
fn what_was_on_disk_is_delivered_when_no_batch_comes() {
    let exporter = Unlucky::new(true);
    let (dispatch, guard) = start(llmtrace::builder().exporter(exporter.clone()));
    run(&dispatch, 5);
    assert!(guard.flush(LONG).is_complete);
    assert_eq!((stats(&guard).exported, stats(&guard).spooled), (0, 5));
    exporter.recover();
    // After a flush an exporter is called again; the second flush is behind that call.
    guard.flush(LONG);
    let deadline = Instant::now() + LONG;
    while stats(&guard).spooled > 0 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let stats = stats(&guard);
    assert_eq!((stats.started, stats.exported, stats.queued, stats.spooled), (5, 5, 0, 0));
    assert!(stats.replayed >= 7, "{stats:?}");
}

#[test]
fn a_shutdown_ends_in_time_whatever_hangs() {
    let memory = InMemory::default();
    let (stuck, mut gate) = gated("stuck");
    let builder = llmtrace::builder().exporter(stuck).exporter(memory.clone()).batch(1, LONG);
    let (dispatch, guard) = start(builder.overflow(Overflow::Block(LONG)));
    run(&dispatch, 9);
    let (before, timeout) = (Instant::now(), Duration::from_millis(300));
    let error = guard.shutdown(timeout).unwrap_err();
    assert!(before.elapsed() < timeout + TOLERANCE, "{:?}", before.elapsed());
    let FlushError::TimedOut { undelivered, report } = error else { panic!("{error}") };
    let stats = &report.exporters[0];
    // The span that it hangs on is on its way; the others never reached it.
    assert_eq!((undelivered, stats.queued, stats.exported), (9, 1, 0));
    assert_eq!(stats.dropped, [(DropReason::ShutdownTimeout, 8)].into());
    assert_eq!((report.exporters[1].exported, memory.spans().len()), (9, 9));
    gate.open();
}

#[test]
fn losses_are_told_in_band_once_an_exporter_works_again() {
    let memory = InMemory::default();
    let (mut calls, mut inner) = (0, memory.clone());
    let exporter = Scripted::new("moody", move |batch| {
        calls += 1;
        match calls {
            1 => Err(ExportError::permanent("refused")),
            2 => panic!("boom"),
            // The record of the losses is refused as well, and comes again.
            4 => Err(ExportError::permanent("not now")),
            _ => inner.export(batch),
        }
    });
    let (dispatch, guard) = start(llmtrace::builder().service_name("bot").exporter(exporter));
    for spans in [3, 2, 1, 1, 1] {
        run(&dispatch, spans);
        guard.flush(LONG);
    }
    let stats = stats(&guard);
    assert_eq!((stats.started, stats.exported, stats.dropped_total(), stats.queued), (8, 3, 5, 0));
    let spans = memory.spans();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["chat", "chat", "llmtrace.dropped", "chat"]);
    let told = &spans[2];
    let count = |key| told.attributes.get(key).and_then(Value::as_count);
    assert_eq!(count(semconv::DROPPED_SPANS), Some(5));
    assert_eq!(count(semconv::DROPPED_EXPORT_FAILED), Some(3));
    assert_eq!(count(semconv::DROPPED_EXPORTER_PANICKED), Some(2));
    assert_eq!(count(semconv::DROPPED_QUEUE_FULL), None);
    assert_eq!((told.resource.service_name(), &told.status), (Some("bot"), &Status::Unset));
    assert!(told.start < told.end && told.end <= spans[3].end);
    assert!(spans.iter().all(|span| span.trace_id != told.trace_id || span == told));
}

#[test]
fn a_record_of_losses_that_goes_to_disk_is_in_no_account() {
    /// Forwards all calls, and decides on each export.
    struct Decided<F>(Unlucky, F);
    impl<F: FnMut(&mut Unlucky) -> bool + Send + 'static> Exporter for Decided<F> {
        fn name(&self) -> &'static str {
            "decided"
        }
        fn start(&mut self, context: ExportContext) {
            self.0.start(context);
        }
        fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
            if (self.1)(&mut self.0) { self.0.export(batch) } else { Err(ExportError::permanent("refused")) }
        }
        fn idle(&mut self) -> Option<Duration> {
            self.0.idle()
        }
    }
    let exporter = Unlucky::new(true);
    let (inner, mut calls) = (exporter.clone(), 0);
    inner.recover();
    let decided = Decided(inner, move |unlucky: &mut Unlucky| {
        calls += 1;
        // The first batch is lost, the second arrives, the record of the loss goes to disk.
        unlucky.0.lock().unwrap().is_up = calls == 2;
        calls > 1
    });
    let (dispatch, guard) = start(llmtrace::builder().exporter(decided));
    for _ in 0..2 {
        run(&dispatch, 2);
        guard.flush(LONG);
    }
    assert_eq!(exporter.on_disk(), 1);
    let stats = stats(&guard);
    assert_eq!((stats.started, stats.exported, stats.dropped_total()), (4, 2, 2));
    assert_eq!((stats.queued, stats.spooled), (0, 0));
}
