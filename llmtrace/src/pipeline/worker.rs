//! The worker's thread: drains the queue, reads drafts into records, batches them, hands them on.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::nested::Nested;
use super::tail::{Ended, Verdicts};
use super::{Overflow, Pipeline, Tail};
use crate::enrich::Enricher;
use crate::layer::Draft;
use crate::sampler::Fate;
use crate::{SpanId, SpanRecord, Usd};

/// After this many drafts, or this many bytes of them, their room is given back to those who wait for it.
const RELEASE_EVERY: usize = 64;
const RELEASE_BYTES: usize = 256 * 1024;

/// How long the worker waits while no exporter has room, before the batch is dropped.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells everybody when the worker is gone, whatever made it go.
struct Leaving<'a>(&'a Pipeline);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.queue.close();
        self.0.queue.leave();
        drop(self.0.spent.close());
        for outlet in &self.0.outlets {
            outlet.close();
        }
    }
}

/// Runs until the shutdown.
pub(super) fn run(pipeline: &Pipeline, enricher: Enricher, tail: Tail) {
    let _leaving = Leaving(pipeline);
    let mut worker = Worker {
        pipeline,
        enricher,
        nested: Nested::default(),
        tail,
        batch: Vec::new(),
        batches: Vec::new(),
        bytes: 0,
        since: Instant::now(),
    };
    let mut drafts = Vec::new();
    worker.enricher.warm();
    loop {
        let order = pipeline.queue.wait_for_work(pipeline.limits.batch_delay);
        pipeline.queue.drain(&mut drafts);
        worker.reclaim(pipeline.spent.take());
        let is_idle = drafts.is_empty() && worker.batch.is_empty() && worker.tail.is_empty();
        worker.read(&mut drafts);
        worker.judge(order.is_shutdown || order.wants_flush);
        if order.is_shutdown || order.wants_flush || worker.since.elapsed() >= pipeline.limits.batch_delay {
            worker.hand_on();
        }
        if order.wants_flush {
            for outlet in &pipeline.outlets {
                outlet.request_flush(order.request);
            }
        }
        pipeline.queue.reach(order.request);
        if order.is_shutdown {
            return;
        }
        if is_idle {
            pipeline.queue.trim();
            pipeline.pool.trim();
            worker.reclaim(pipeline.spent.close());
            worker.trim();
            pipeline.queue.sleep_until_needed();
        }
    }
}

struct Worker<'a> {
    pipeline: &'a Pipeline,
    enricher: Enricher,
    nested: Nested,
    tail: Tail,
    batch: Vec<SpanRecord>,
    /// Emptied batches.
    batches: Vec<Vec<SpanRecord>>,
    bytes: usize,
    /// When the batch got its first span.
    since: Instant,
}

/// Most emptied batches that are kept.
const MAX_BATCHES: usize = 4;

impl Worker<'_> {
    /// Takes batches that were exported, and keeps what the next ones can use.
    fn reclaim(&mut self, batches: Vec<Batch>) {
        for Batch { mut spans, .. } in batches {
            self.enricher.recycle(&mut spans);
            if self.batches.len() < MAX_BATCHES {
                self.batches.push(spans);
            }
        }
    }

    /// Gives what was kept for the next batches back to the allocator.
    fn trim(&mut self) {
        self.enricher.trim();
        self.tail.trim();
        self.batches = Vec::new();
    }

    fn read(&mut self, drafts: &mut Vec<(u64, Box<Draft>)>) {
        self.enricher.tick();
        let mut room = 0;
        for (n, (_, draft)) in drafts.drain(..).enumerate() {
            room += draft.bytes();
            // A price source of the user's may panic.
            let record = panic::catch_unwind(AssertUnwindSafe(|| self.enricher.read(&draft)));
            let record = record.unwrap_or_else(|_| self.enricher.bare(&draft));
            let (root, fate) = (draft.root, draft.fate);
            self.pipeline.give_back(draft);
            self.add(record, root, fate);
            if n % RELEASE_EVERY == RELEASE_EVERY - 1 || room >= RELEASE_BYTES {
                self.pipeline.queue.release(std::mem::take(&mut room));
            }
        }
        self.pipeline.queue.release(room);
    }

    fn add(&mut self, record: SpanRecord, root: SpanId, fate: Fate) {
        let is_new = !self.nested.was_counted(&record);
        if is_new {
            self.pipeline.totals.add(&record);
            for budget in &self.pipeline.budgets {
                budget.spend(&record);
            }
        }
        if fate == Fate::Kept {
            self.keep(record);
        } else {
            let cost = record.cost().filter(|_| is_new).unwrap_or(Usd::ZERO);
            self.tail.take(Ended { record, root, cost });
            self.settle_verdicts();
        }
    }

    /// Judges traces that have waited too long, or all that are held.
    fn judge(&mut self, all: bool) {
        if all {
            self.tail.judge_all();
        } else {
            self.tail.expire();
        }
        self.settle_verdicts();
        self.pipeline.held_bytes.store(self.tail.bytes(), Ordering::Relaxed);
    }

    /// Hands on what was kept, and counts what was not.
    fn settle_verdicts(&mut self) {
        let Verdicts { mut kept, mut dropped } = std::mem::take(self.tail.verdicts());
        for record in kept.drain(..) {
            self.keep(record);
        }
        self.pipeline.sampled_out.fetch_add(dropped.len() as u64, Ordering::Release);
        self.enricher.recycle(&mut dropped);
        *self.tail.verdicts() = Verdicts { kept, dropped };
    }

    fn keep(&mut self, record: SpanRecord) {
        if self.batch.is_empty() {
            self.since = Instant::now();
        }
        self.bytes += record.estimated_bytes();
        self.batch.push(record);
        let Pipeline { limits, batch_bytes, .. } = self.pipeline;
        if self.batch.len() >= limits.batch_spans || self.bytes >= *batch_bytes {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let next = self.batches.pop().unwrap_or_else(|| Vec::with_capacity(self.batch.len()));
        let spans = std::mem::replace(&mut self.batch, next);
        let batch = Arc::new(Batch { spans, bytes: std::mem::take(&mut self.bytes) });
        let Pipeline { outlets, room, limits, .. } = self.pipeline;
        let patience = match limits.overflow {
            Overflow::Block(timeout) => timeout,
            // One exporter never waits for another: the first that has room ends the wait, and one that has none then
            // loses the batch.
            Overflow::DropNewest => {
                let has_room =
                    || outlets.is_empty() || outlets.iter().any(|outlet| outlet.has_room(batch.bytes));
                room.wait_until(has_room, PATIENCE);
                Duration::ZERO
            }
        };
        for outlet in outlets {
            outlet.offer(&batch, patience);
        }
    }
}
