//! One exporter: its queue, its thread, its accounts.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::drop_reason::{DropReason, REASONS};
use crate::sync::{Condvar, Mutex, deadline, lock, wait};
use crate::{ExportError, Exporter, SpanRecord};

/// Spans that travel together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) spans: Vec<SpanRecord>,
    /// Estimated memory.
    pub(super) bytes: usize,
}

/// Batches that every exporter is done with, on their way back to the thread that made them: memory is freed where
/// it was allocated, because threads that free each other's memory wait for each other in the allocator.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Option<Vec<Batch>>>);

impl Spent {
    /// Takes a batch, if no other exporter has it any more and somebody fetches it.
    fn put(&self, batch: Arc<Batch>) {
        if let Some(batch) = Arc::into_inner(batch)
            && let Some(batches) = &mut *lock(&self.0)
        {
            batches.push(batch);
        }
    }

    /// Worker: the batches so far; from now on they are kept for the next call.
    pub(super) fn take(&self) -> Vec<Batch> {
        lock(&self.0).replace(Vec::new()).unwrap_or_default()
    }

    /// Worker: the batches so far; from now on they are freed where they are.
    pub(super) fn close(&self) -> Vec<Batch> {
        lock(&self.0).take().unwrap_or_default()
    }
}

/// How one exporter stands: `started = exported + dropped + queued`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExporterStats {
    /// The exporter's name.
    pub name: String,
    /// Spans that have ended.
    pub started: u64,
    /// Spans that the exporter accepted.
    pub exported: u64,
    /// Spans that were lost, by reason; reasons without a loss are absent.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Spans on their way.
    pub queued: u64,
    /// Estimated bytes that wait for this exporter.
    pub bytes: usize,
    /// What the exporter failed with last.
    pub last_error: Option<String>,
}

/// The way to one exporter.
#[derive(Debug)]
pub(super) struct Outlet {
    name: String,
    limit: usize,
    state: Mutex<State>,
    /// The exporter's thread waits here.
    wake: Condvar,
    /// Those who wait for room, a flush or the end wait here.
    advance: Condvar,
}

#[derive(Debug, Default)]
struct State {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
    flush_requested: u64,
    flushed: u64,
    is_closed: bool,
    is_stopped: bool,
    /// A wait for room was in vain; until room is made, nobody waits again.
    is_stalled: bool,
    exported: u64,
    dropped: [u64; REASONS],
    last_error: Option<String>,
}

enum Job {
    Export(Arc<Batch>),
    Flush(u64),
    Stop,
}

impl Outlet {
    pub(super) fn new(name: &str, limit: usize) -> Self {
        Self {
            name: name.to_owned(),
            limit,
            state: Mutex::new(State::default()),
            wake: Condvar::new(),
            advance: Condvar::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_full(&self) -> bool {
        lock(&self.state).bytes >= self.limit
    }

    /// Hands a batch over. Waits for room at most `patience`, unless an earlier wait was in vain; then the batch
    /// is counted as dropped.
    pub(super) fn offer(&self, batch: &Arc<Batch>, patience: Duration) {
        let mut state = lock(&self.state);
        let deadline = deadline(patience);
        while state.bytes >= self.limit {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.is_stalled {
                state.is_stalled = true;
                state.dropped[DropReason::QueueFull as usize] += batch.spans.len() as u64;
                return;
            }
            state = wait(&self.advance, state, left);
        }
        state.bytes += batch.bytes;
        state.batches.push_back(Arc::clone(batch));
        drop(state);
        self.wake.notify_one();
    }

    pub(super) fn request_flush(&self, request: u64) {
        lock(&self.state).flush_requested = request;
        self.wake.notify_one();
    }

    /// No batch comes after this.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.wake.notify_one();
    }

    pub(super) fn wait_until_flushed(&self, request: u64, timeout: Duration) -> bool {
        self.wait_until(timeout, |state| state.flushed >= request || state.is_stopped)
    }

    pub(super) fn wait_until_stopped(&self, timeout: Duration) -> bool {
        self.wait_until(timeout, |state| state.is_stopped)
    }

    fn wait_until(&self, timeout: Duration, is_reached: impl Fn(&State) -> bool) -> bool {
        let deadline = deadline(timeout);
        let mut state = lock(&self.state);
        while !is_reached(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = wait(&self.advance, state, left);
        }
        true
    }

    pub(super) fn stats(&self) -> ExporterStats {
        let state = lock(&self.state);
        let mut stats = ExporterStats {
            name: self.name.clone(),
            exported: state.exported,
            bytes: state.bytes,
            last_error: state.last_error.clone(),
            ..ExporterStats::default()
        };
        stats.add_dropped(state.dropped);
        stats
    }

    /// The exporter's thread.
    pub(super) fn run(&self, mut exporter: Box<dyn Exporter>, spent: &Spent) {
        loop {
            match self.next_job() {
                Job::Export(batch) => {
                    let outcome = guarded(|| exporter.export(&batch.spans));
                    self.exported(&batch, outcome);
                    spent.put(batch);
                }
                Job::Flush(request) => {
                    let outcome = guarded(|| exporter.flush());
                    self.finish(outcome, |state| state.flushed = request);
                }
                Job::Stop => {
                    let outcome = guarded(|| exporter.shutdown());
                    self.finish(outcome, |state| state.is_stopped = true);
                    return;
                }
            }
        }
    }

    fn next_job(&self) -> Job {
        let mut state = lock(&self.state);
        loop {
            if let Some(batch) = state.batches.pop_front() {
                return Job::Export(batch);
            }
            if state.flushed < state.flush_requested {
                return Job::Flush(state.flush_requested);
            }
            if state.is_closed {
                return Job::Stop;
            }
            state = self.wake.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn exported(&self, batch: &Batch, outcome: Outcome) {
        let spans = batch.spans.len() as u64;
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(batch.bytes);
        state.is_stalled = false;
        match outcome {
            Outcome::Done => state.exported += spans,
            Outcome::Failed(error) => {
                let lost = error.lost().unwrap_or(spans).min(spans);
                state.exported += spans - lost;
                state.dropped[DropReason::ExportFailed as usize] += lost;
                state.last_error = Some(error.to_string());
            }
            Outcome::Panicked(message) => {
                state.dropped[DropReason::ExporterPanicked as usize] += spans;
                state.last_error = Some(message);
            }
        }
        drop(state);
        self.advance.notify_all();
    }

    fn finish(&self, outcome: Outcome, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        match outcome {
            Outcome::Done => {}
            Outcome::Failed(error) => state.last_error = Some(error.to_string()),
            Outcome::Panicked(message) => state.last_error = Some(message),
        }
        change(&mut state);
        drop(state);
        self.advance.notify_all();
    }
}

enum Outcome {
    Done,
    Failed(ExportError),
    Panicked(String),
}

/// Calls an exporter; a panic becomes an outcome.
fn guarded(call: impl FnOnce() -> Result<(), ExportError>) -> Outcome {
    match panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => Outcome::Done,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            Outcome::Panicked(format!("the exporter panicked: {}", text.unwrap_or("no message")))
        }
    }
}

impl ExporterStats {
    /// All spans that were lost.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    fn add_dropped(&mut self, dropped: [u64; REASONS]) {
        for (reason, count) in DropReason::ALL.into_iter().zip(dropped) {
            if count > 0 {
                *self.dropped.entry(reason).or_default() += count;
            }
        }
    }

    /// Adds what was lost before the way to this exporter, and what is on its way.
    pub(super) fn complete(&mut self, started: u64, dropped: [u64; REASONS]) {
        self.add_dropped(dropped);
        self.started = started;
        self.queued = started.saturating_sub(self.exported + self.dropped_total());
    }
}

#[cfg(all(test, llmtrace_loom))]
mod loom_tests {
    use loom::thread;

    use super::*;
    use crate::{ObservationKind, SpanId, Timestamp, TraceId};

    const HOUR: Duration = Duration::from_secs(3600);

    /// Panics on the first batch.
    struct Fragile(bool);

    impl Exporter for Fragile {
        fn name(&self) -> &str {
            "fragile"
        }

        fn export(&mut self, _: &[SpanRecord]) -> Result<(), ExportError> {
            assert!(std::mem::replace(&mut self.0, true), "the first batch");
            Ok(())
        }
    }

    fn batch() -> Arc<Batch> {
        let at = Timestamp::from_unix_nanos(1);
        let (trace, span) = (TraceId::sequential(1), SpanId::sequential(1));
        let spans = vec![SpanRecord::new(trace, span, "chat", ObservationKind::Generation, at, at)];
        Arc::new(Batch { spans, bytes: 1 })
    }

    #[test]
    fn every_batch_is_accounted_for_at_flush_and_at_the_end() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let outlet = Arc::new(Outlet::new("fragile", 1));
            let exporter = {
                let outlet = Arc::clone(&outlet);
                thread::spawn(move || outlet.run(Box::new(Fragile(false)), &Spent::default()))
            };
            outlet.offer(&batch(), HOUR);
            // There is room for one batch only: this one waits for the first to be done.
            outlet.offer(&batch(), HOUR);
            outlet.request_flush(1);
            assert!(outlet.wait_until_flushed(1, HOUR));
            let stats = outlet.stats();
            assert_eq!((stats.exported, stats.dropped_total()), (1, 1));
            outlet.close();
            assert!(outlet.wait_until_stopped(HOUR));
            exporter.join().unwrap();
        });
    }
}
