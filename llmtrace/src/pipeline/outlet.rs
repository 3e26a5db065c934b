//! One exporter: its queue, its thread, its accounts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::{Batch, Spent};
use super::drop_reason::{DropReason, REASONS};
use super::guarded::guarded;
use super::losses::{LossTime, Losses};
use super::room::Room;
use super::stats::ExporterStats;
use crate::export::{ExportContext, Notices};
use crate::sync::{Condvar, Mutex, deadline, lock, wait};
use crate::{ExportError, Exporter};

/// The way to one exporter.
#[derive(Debug)]
pub(super) struct Outlet {
    name: String,
    limit: usize,
    context: ExportContext,
    state: Mutex<State>,
    /// The exporter's thread waits here.
    wake: Condvar,
    /// Those who wait for room, a flush or the end wait here.
    advance: Condvar,
}

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct State {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
    flush_requested: u64,
    flushed: u64,
    is_closed: bool,
    is_stopped: bool,
    /// The time for the shutdown is up: what comes now is dropped.
    is_abandoned: bool,
    /// A wait for room was in vain; until room is made, nobody waits again.
    is_stalled: bool,
    exported: u64,
    dropped: [u64; REASONS],
    /// When spans were lost that the exporter was not told of.
    lost_at: Option<LossTime>,
}

/// Tells everybody when the exporter is gone, be it that its thread has ended or was never started.
#[derive(Debug)]
pub(super) struct Running(pub(super) Arc<Outlet>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.finish(|state| state.is_stopped = true);
    }
}

enum Job {
    Export(Arc<Batch>),
    Idle,
    Flush(u64),
    Stop,
}

impl Outlet {
    pub(super) fn new(name: &str, limit: usize, notices: Notices) -> Self {
        Self {
            name: name.to_owned(),
            limit,
            context: ExportContext::new(name, notices),
            state: Mutex::new(State::default()),
            wake: Condvar::new(),
            advance: Condvar::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a batch of this size would be taken or dropped at once.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let state = lock(&self.state);
        state.has_room(bytes, self.limit) || state.is_abandoned
    }

    /// Hands a batch over. Waits for room at most `patience`, unless an earlier wait was in vain; then the batch
    /// is counted as dropped.
    pub(super) fn offer(&self, batch: &Arc<Batch>, patience: Duration) {
        let mut state = lock(&self.state);
        let deadline = deadline(patience);
        while !state.has_room(batch.bytes, self.limit) && !state.is_abandoned {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.is_stalled {
                state.is_stalled = true;
                state.lose(DropReason::QueueFull, batch.spans.len() as u64);
                return;
            }
            state = wait(&self.advance, state, left);
        }
        if state.is_abandoned {
            state.lose(DropReason::ShutdownTimeout, batch.spans.len() as u64);
            return;
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

    /// Tells the exporter that a shutdown has begun, and by when it has to be done.
    pub(super) fn shut_down_by(&self, deadline: Instant) {
        self.context.shut_down_by(deadline);
    }

    /// The time for the shutdown is up: drops every batch that the exporter does not have yet.
    pub(super) fn abandon(&self) {
        let mut state = lock(&self.state);
        state.is_abandoned = true;
        let batches = std::mem::take(&mut state.batches);
        for batch in &batches {
            state.bytes = state.bytes.saturating_sub(batch.bytes);
            state.lose(DropReason::ShutdownTimeout, batch.spans.len() as u64);
        }
        drop(state);
        self.wake.notify_one();
        self.advance.notify_all();
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
        let ledger = self.context.ledger();
        let mut stats = ExporterStats {
            name: self.name.clone(),
            exported: state.exported + ledger.delivered,
            spooled: ledger.spooled,
            replayed: ledger.replayed,
            bytes: state.bytes,
            last_error: ledger.last_error,
            ..ExporterStats::default()
        };
        stats.add_dropped(with_given_up(state.dropped, ledger.given_up));
        stats
    }

    /// The exporter's thread. `upstream` says what was lost before the way to this exporter.
    pub(super) fn run(
        &self,
        mut exporter: Box<dyn Exporter>,
        spent: &Spent,
        room: &Room,
        upstream: impl Fn() -> [u64; REASONS],
    ) {
        let started = guarded(|| exporter.start(self.context.clone()));
        self.note(&started.map(Ok));
        let mut losses = Losses::default();
        let mut idle_at = Some(Instant::now());
        loop {
            match self.next_job(idle_at) {
                Job::Export(batch) => {
                    let outcome = guarded(|| exporter.export(&batch.spans));
                    if self.exported(&batch, &outcome) {
                        self.tell_losses(&mut *exporter, &mut losses, &batch, upstream());
                    }
                    spent.put(batch);
                    room.made();
                    idle_at = Some(Instant::now());
                }
                Job::Idle => {
                    let wish = guarded(|| exporter.idle());
                    idle_at = wish.as_ref().ok().copied().flatten().map(deadline);
                    self.note(&wish.map(|_| Ok(())));
                }
                Job::Flush(request) => {
                    self.note(&guarded(|| exporter.flush()));
                    self.finish(|state| state.flushed = request);
                    idle_at = Some(Instant::now());
                }
                Job::Stop => {
                    self.note(&guarded(|| exporter.shutdown()));
                    // Its files are closed before anybody hears of the end.
                    self.note(&guarded(move || drop(exporter)).map(Ok));
                    self.finish(|state| state.is_stopped = true);
                    return;
                }
            }
        }
    }

    fn next_job(&self, idle_at: Option<Instant>) -> Job {
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
            let left = idle_at.map(|idle_at| idle_at.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return Job::Idle,
                Some(left) => wait(&self.wake, state, left),
                None => self.wake.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner),
            };
        }
    }

    /// Accounts for a batch; `true` if all of it has arrived.
    fn exported(&self, batch: &Batch, outcome: &Outcome) -> bool {
        let spans = batch.spans.len() as u64;
        let mut state = lock(&self.state);
        state.bytes = state.bytes.saturating_sub(batch.bytes);
        state.is_stalled = false;
        let here = spans - self.context.settle_spooled(spans);
        let (lost, reason) = match outcome {
            Ok(Ok(())) => (0, DropReason::ExportFailed),
            Ok(Err(error)) if error.is_cut_short() => {
                (error.lost().unwrap_or(here), DropReason::ShutdownTimeout)
            }
            Ok(Err(error)) => (error.lost().unwrap_or(here), DropReason::ExportFailed),
            Err(_) => (here, DropReason::ExporterPanicked),
        };
        let lost = lost.min(here);
        state.exported += here - lost;
        state.lose(reason, lost);
        drop(state);
        self.advance.notify_all();
        self.note_lost(outcome, lost);
        here == spans && matches!(outcome, Ok(Ok(())))
    }

    /// Ships the record of what was lost, if there are losses that the exporter was not told of.
    fn tell_losses(
        &self,
        exporter: &mut dyn Exporter,
        losses: &mut Losses,
        batch: &Batch,
        upstream: [u64; REASONS],
    ) {
        let (dropped, time) = {
            let state = lock(&self.state);
            (with_given_up(state.dropped, self.context.ledger().given_up), state.lost_at)
        };
        let mut all = dropped;
        for (all, upstream) in all.iter_mut().zip(upstream) {
            *all += upstream;
        }
        let resource = batch.spans.last().map(|span| &span.resource);
        let Some(record) = losses.record(all, time, resource) else { return };
        let outcome = guarded(|| exporter.export(std::slice::from_ref(&record)));
        // The record is in no account, on disk neither.
        self.context.settle_spooled(0);
        if let Ok(Ok(())) = outcome {
            losses.told(all);
            let mut state = lock(&self.state);
            if state.dropped == dropped {
                state.lost_at = None;
            }
        } else {
            self.note_lost(&outcome, 0);
        }
    }

    fn note(&self, outcome: &Outcome) {
        self.note_lost(outcome, 0);
    }

    /// Keeps what went wrong, and says it.
    fn note_lost(&self, outcome: &Outcome, lost: u64) {
        let cause = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(message) => message.clone(),
        };
        let remedy = match lost {
            0 => "no span was lost by it".to_owned(),
            lost => format!("spans are dropped ({lost} now) and counted"),
        };
        self.context.failed(&cause, &remedy);
    }

    fn finish(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
        self.advance.notify_all();
    }
}

impl State {
    /// Whether a batch of this size fits; one that is larger than all the room comes alone.
    fn has_room(&self, bytes: usize, limit: usize) -> bool {
        self.bytes == 0 || self.bytes + bytes <= limit
    }

    fn lose(&mut self, reason: DropReason, spans: u64) {
        if spans > 0 {
            self.dropped[reason as usize] += spans;
            LossTime::note(&mut self.lost_at);
        }
    }
}

/// What an exporter returned; `Err` with what it panicked with.
type Outcome = Result<Result<(), ExportError>, String>;

/// Adds the spans that were on disk and are lost.
fn with_given_up(mut dropped: [u64; REASONS], given_up: u64) -> [u64; REASONS] {
    dropped[DropReason::ExportFailed as usize] += given_up;
    dropped
}

#[cfg(all(test, llmtrace_loom))]
mod loom_tests;
