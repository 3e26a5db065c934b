//! From ended spans to exporters: one bounded queue, one worker that reads drafts into records, one thread per
//! exporter.

mod batch;
mod drop_reason;
mod guarded;
mod losses;
mod nested;
mod outlet;
mod pool;
mod queue;
mod room;
mod stats;
mod tail;
mod totals;
mod worker;

use std::cell::Cell;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub use drop_reason::DropReason;
pub use stats::ExporterStats;
pub use totals::{ModelUsage, UsageTotals};

use crate::enrich::Enricher;
use crate::export::Notices;
use crate::layer::Draft;
use crate::sync::deadline;
use crate::{Budget, Exporter};
use batch::Spent;
use guarded::guarded;
use outlet::{Outlet, Running};
pub(crate) use pool::Home;
use pool::Pool;
use queue::Queue;
use room::Room;
pub(crate) use tail::Tail;
use totals::Totals;

/// What happens to a span that ends while the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// It is dropped and counted. While the worker makes room, the thread that ends it first pauses, at most
    /// 50 ms, so that a burst costs a moment instead of spans; while nothing moves, it never pauses.
    #[default]
    DropNewest,
    /// The thread that ends it waits for room, at most this long; then the span is dropped and counted. So does the
    /// worker for each exporter: one that is stuck holds up the others.
    Block(Duration),
}

/// Bounds of the pipeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Memory for spans on their way, in bytes.
    pub(crate) queue_bytes: usize,
    pub(crate) overflow: Overflow,
    /// Most spans in a batch.
    pub(crate) batch_spans: usize,
    /// Longest time that a span waits for its batch.
    pub(crate) batch_delay: Duration,
    /// Whether failures are said on standard error.
    pub(crate) notices: Notices,
}

/// The carrying side.
pub(crate) struct Pipeline {
    queue: Queue<Box<Draft>>,
    pool: Pool<Box<Draft>>,
    outlets: Box<[Arc<Outlet>]>,
    spent: Spent,
    /// A batch is handed on when it holds this many bytes, however few spans.
    batch_bytes: usize,
    room: Room,
    totals: Totals,
    budgets: Box<[Budget]>,
    limits: Limits,
    /// Spans that were read and then not kept.
    sampled_out: AtomicU64,
    /// Bytes of spans whose trace is not judged yet.
    held_bytes: AtomicUsize,
}

/// What became of a flush or a shutdown.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Whether every span that had ended before the call was exported, counted as dropped, or safe on disk when it
    /// returned.
    pub is_complete: bool,
    /// How each exporter stands.
    pub exporters: Vec<ExporterStats>,
}

/// How the pipeline stands. For each exporter `started = exported + dropped + queued` holds at any time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// How each exporter stands.
    pub exporters: Vec<ExporterStats>,
    /// Spans that are open now, save those that are not recorded.
    pub open_spans: usize,
    /// Bytes that wait for the worker now.
    pub queue_bytes: usize,
    /// Estimated bytes of spans that wait for the end of their trace ([`Sampler`](crate::Sampler)).
    pub held_bytes: usize,
}

/// Most bytes of a batch.
const MAX_BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Full batches for which an exporter has room.
const BATCHES: usize = 4;

/// How long before the end of a shutdown the exporters have to be done, so that what they give up is counted in
/// time; a quarter of the time, where that is shorter.
const MARGIN: Duration = Duration::from_millis(250);

/// How much longer than it was told a shutdown waits, so that what was dropped in the end is counted.
const LINGER: Duration = Duration::from_millis(50);

impl Pipeline {
    /// Starts the threads.
    pub(crate) fn start(
        exporters: Vec<Box<dyn Exporter>>,
        enricher: Enricher,
        tail: Tail,
        budgets: Vec<Budget>,
        limits: Limits,
    ) -> (Arc<Self>, io::Result<()>) {
        let cores = std::thread::available_parallelism().map_or(4, usize::from);
        // An eighth for recycled drafts, three for those that wait, and the half for the exporters: of that, the room of
        // two batches for the one in the making and those on their way back.
        let (eighth, half) = (limits.queue_bytes / 8, limits.queue_bytes / 2);
        let batch_bytes = MAX_BATCH_BYTES.min(eighth / 2);
        let share = half.saturating_sub(tail.limit() + 2 * batch_bytes) / exporters.len().max(1);
        let outlet = |name: &str| Arc::new(Outlet::new(name, share, limits.notices));
        let outlets: Vec<_> = exporters.iter().map(|exporter| outlet(&name_of(&**exporter))).collect();
        let pipeline = Arc::new(Self {
            queue: Queue::new((4 * cores).next_power_of_two().clamp(8, 64), 3 * eighth, limits.overflow),
            pool: Pool::new((2 * cores).next_power_of_two().clamp(4, 64), eighth),
            outlets: outlets.into(),
            spent: Spent::default(),
            batch_bytes: batch_bytes.min(share / BATCHES),
            room: Room::default(),
            totals: Totals::default(),
            budgets: budgets.into(),
            limits,
            sampled_out: AtomicU64::new(0),
            held_bytes: AtomicUsize::new(0),
        });
        for budget in &pipeline.budgets {
            budget.attach(&pipeline);
        }
        let started = pipeline.spawn(exporters, enricher, tail);
        if started.is_err() {
            // There is no worker that would say so.
            pipeline.queue.close();
            pipeline.queue.leave();
            for outlet in &pipeline.outlets {
                outlet.close();
            }
        }
        (pipeline, started)
    }

    fn spawn(
        self: &Arc<Self>,
        exporters: Vec<Box<dyn Exporter>>,
        enricher: Enricher,
        tail: Tail,
    ) -> io::Result<()> {
        // Those that are not started, because an earlier one could not be, count as stopped.
        let running: Vec<_> = self.outlets.iter().map(|outlet| Running(Arc::clone(outlet))).collect();
        for (running, exporter) in running.into_iter().zip(exporters) {
            let pipeline = Arc::clone(self);
            let name = format!("llmtrace-{}", running.0.name().replace('\0', ""));
            std::thread::Builder::new().name(name).spawn(move || {
                InPipeline::set();
                running.0.run(exporter, &pipeline.spent, &pipeline.room, || pipeline.queue.losses());
            })?;
        }
        let pipeline = Arc::clone(self);
        std::thread::Builder::new().name("llmtrace-worker".to_owned()).spawn(move || {
            InPipeline::set();
            worker::run(&pipeline, enricher, tail);
        })?;
        Ok(())
    }

    /// A draft for a span that this thread opens: a recycled one, else a new one.
    #[inline]
    pub(crate) fn take(&self, new: impl FnOnce() -> Draft) -> Box<Draft> {
        let home = Home::of_this_thread();
        let mut draft = self.pool.take(home).unwrap_or_else(|| Box::new(new()));
        draft.home = home;
        draft
    }

    /// Takes back a draft whose span is done with.
    pub(crate) fn give_back(&self, mut draft: Box<Draft>) {
        draft.recycle();
        self.pool.give_back(draft.home, draft.bytes(), draft);
    }

    /// Queues an ended span.
    #[inline]
    pub(crate) fn push(&self, draft: Box<Draft>) {
        if let Err(draft) = self.queue.push(draft.trace_id.low_bits(), draft.bytes(), draft) {
            self.give_back(draft);
        }
    }

    /// Waits until the worker has read every span that ended before the call; `false` if it did not in time.
    pub(crate) fn settle(&self, timeout: Duration) -> bool {
        let request = self.queue.request(false);
        self.queue.wait_until_reached(request, timeout)
    }

    /// See `Guard::flush`.
    pub(crate) fn flush(&self, timeout: Duration) -> FlushReport {
        let deadline = deadline(timeout);
        let request = self.queue.request(true);
        let left = || deadline.saturating_duration_since(Instant::now());
        let mut is_complete = self.queue.wait_until_reached(request, left());
        for outlet in &self.outlets {
            is_complete &= outlet.wait_until_flushed(request, left());
        }
        let exporters = self.exporter_stats();
        // After a shutdown there is no worker to ask, and nothing left to deliver.
        is_complete |= exporters.iter().all(ExporterStats::is_settled);
        FlushReport { is_complete, exporters }
    }

    /// See `Guard::shutdown`.
    pub(crate) fn shutdown(&self, timeout: Duration) -> FlushReport {
        let end = deadline(timeout);
        let margin = (timeout / 4).min(MARGIN);
        for outlet in &self.outlets {
            outlet.shut_down_by(end.checked_sub(margin).unwrap_or(end));
        }
        self.queue.close();
        let mut is_stopped = self.wait_until_stopped(end);
        if !is_stopped {
            for outlet in &self.outlets {
                outlet.abandon();
            }
            self.room.made();
            let end = deadline(LINGER);
            self.queue.wait_until_left(LINGER);
            is_stopped = self.wait_until_stopped(end);
        }
        let exporters = self.exporter_stats();
        FlushReport { is_complete: is_stopped && exporters.iter().all(ExporterStats::is_settled), exporters }
    }

    fn wait_until_stopped(&self, end: Instant) -> bool {
        let left = || end.saturating_duration_since(Instant::now());
        self.outlets.iter().all(|outlet| outlet.wait_until_stopped(left()))
    }

    pub(crate) fn exporter_stats(&self) -> Vec<ExporterStats> {
        // Exported and dropped first, started last: what ends in between counts as queued.
        let mut stats: Vec<_> = self.outlets.iter().map(|outlet| outlet.stats()).collect();
        let sampled_out = self.sampled_out.load(Ordering::Acquire);
        let (started, mut dropped) = self.queue.counts();
        dropped[DropReason::SampledOut as usize] += sampled_out;
        for stats in &mut stats {
            stats.complete(started, dropped);
        }
        stats
    }

    pub(crate) fn queue_bytes(&self) -> usize {
        self.queue.bytes()
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn usage(&self) -> UsageTotals {
        self.totals.get()
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("queue_bytes", &self.queue.bytes()).finish_non_exhaustive()
    }
}

/// The exporter's name, whatever it does when it is asked for it.
fn name_of(exporter: &dyn Exporter) -> String {
    guarded(|| exporter.name().to_owned()).unwrap_or_else(|_| "unnamed".to_owned())
}

thread_local! {
    static IN_PIPELINE: Cell<bool> = const { Cell::new(false) };
}

/// Marks the pipeline's own threads: what they do is never traced, or tracing would feed itself.
pub(crate) struct InPipeline;

impl InPipeline {
    fn set() {
        IN_PIPELINE.set(true);
    }

    #[inline]
    pub(crate) fn is_set() -> bool {
        IN_PIPELINE.get()
    }
}
