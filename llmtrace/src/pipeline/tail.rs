//! Traces that are not sampled by their id: held until they are whole, then judged by the rules of the sampler.
//!
//! A span's children end before it does, as they keep it open, and all spans of a trace come in the order of their ends.
//! So a trace is whole when its local root comes; and whatever is dropped of one that is not, no span that comes later
//! has its parent there.

mod early;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use crate::clock::Clock;
use crate::sampler::{Findings, Sampler};
use crate::{SpanId, SpanRecord, Timestamp, TraceId, Usd, semconv};
use early::Early;

/// Holds the spans of traces until they are judged.
#[derive(Debug)]
pub(crate) struct Tail {
    sampler: Sampler,
    clock: Clock,
    /// Most memory that held spans take, in bytes.
    limit: usize,
    held: HashMap<Part, Held>,
    /// The held ones, the one longest without a new span first.
    order: BTreeMap<u64, Part>,
    /// Spans held so far.
    turns: u64,
    bytes: usize,
    early: Early,
    verdicts: Verdicts,
}

/// The part of a trace that is below one local root: the trace, and that root.
pub(super) type Part = (TraceId, SpanId);

/// What is known of a part so far.
#[derive(Debug)]
struct Held {
    spans: Vec<SpanRecord>,
    bytes: usize,
    findings: Findings,
    start: Timestamp,
    end: Timestamp,
    /// Its place in the order.
    turn: u64,
    /// When the last span came, in monotonic nanoseconds.
    since: u64,
}

/// A span that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) record: SpanRecord,
    pub(super) root: SpanId,
    /// What it cost, unless that was counted with another span.
    pub(super) cost: Usd,
}

/// Spans that were judged, in the order in which they ended.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub(super) kept: Vec<SpanRecord>,
    pub(super) dropped: Vec<SpanRecord>,
}

/// Most parts that are held.
const MAX_PARTS: usize = 10_000;

/// A part that takes more than this share of the memory for all of them is judged before it is whole.
const LARGEST_SHARE: usize = 4;

impl Tail {
    /// Of `queue_bytes`, a quarter is for held spans, if any are ever held.
    pub(crate) fn new(sampler: Sampler, clock: Clock, queue_bytes: usize) -> Self {
        Self {
            sampler,
            clock,
            limit: if sampler.has_rules() { queue_bytes / 4 } else { 0 },
            held: HashMap::new(),
            order: BTreeMap::new(),
            turns: 0,
            bytes: 0,
            early: Early::default(),
            verdicts: Verdicts::default(),
        }
    }

    /// Most memory that held spans take, in bytes.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Memory that held spans take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Spans that were judged since the last call are to be taken from here.
    pub(super) fn verdicts(&mut self) -> &mut Verdicts {
        &mut self.verdicts
    }

    /// Takes a span of a trace that is not sampled by its id.
    pub(super) fn take(&mut self, ended: Ended) {
        if !self.sampler.has_rules() {
            self.verdicts.dropped.push(ended.record);
            return;
        }
        let part = (ended.record.trace_id, ended.root);
        let is_whole = ended.record.span_id == ended.root;
        let now = self.clock.now();
        if self.early.keeps(part, now) {
            self.verdicts.kept.push(ended.record);
            if is_whole {
                self.end(part);
            }
            return;
        }
        self.hold(part, ended, now);
        if is_whole {
            self.judge_whole(part);
        } else if self.held.get(&part).is_some_and(|held| held.bytes > self.limit / LARGEST_SHARE) {
            self.judge_early(part);
        }
        while self.bytes > self.limit || self.held.len() > MAX_PARTS {
            let Some((_, &oldest)) = self.order.first_key_value() else { break };
            self.judge_early(oldest);
        }
    }

    /// Judges what has waited too long.
    pub(super) fn expire(&mut self) {
        let longest = u64::try_from(self.sampler.longest_hold().as_nanos()).unwrap_or(u64::MAX);
        while let Some((_, &oldest)) = self.order.first_key_value() {
            let now = self.clock.now();
            if self.held.get(&oldest).is_some_and(|held| now.saturating_sub(held.since) < longest) {
                return;
            }
            self.judge_early(oldest);
        }
    }

    /// Judges all that is held, by what is known of it.
    pub(super) fn judge_all(&mut self) {
        while let Some((_, &oldest)) = self.order.first_key_value() {
            self.judge_early(oldest);
        }
    }

    /// Gives room that an idle program does not need back to the allocator.
    pub(super) fn trim(&mut self) {
        if self.held.is_empty() {
            self.held = HashMap::new();
            self.verdicts = Verdicts::default();
        }
    }

    fn hold(&mut self, part: Part, ended: Ended, now: u64) {
        let Ended { record, cost, .. } = ended;
        let bytes = record.estimated_bytes();
        let held = self.held.entry(part).or_insert_with(|| Held {
            spans: Vec::new(),
            bytes: 0,
            findings: Findings::default(),
            start: record.start,
            end: record.end,
            turn: self.turns,
            since: now,
        });
        self.order.remove(&held.turn);
        held.turn = self.turns;
        held.since = now;
        held.bytes += bytes;
        held.start = held.start.min(record.start);
        held.end = held.end.max(record.end);
        held.findings.has_error |= record.status.is_error();
        held.findings.duration = held.end.since(held.start);
        held.findings.cost += cost;
        held.spans.push(record);
        self.order.insert(self.turns, part);
        self.turns += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, part: Part) -> Option<Held> {
        let held = self.held.remove(&part)?;
        self.order.remove(&held.turn);
        self.bytes = self.bytes.saturating_sub(held.bytes);
        Some(held)
    }

    /// Judges a part whose root has come.
    fn judge_whole(&mut self, part: Part) {
        let Some(mut held) = self.remove(part) else { return };
        if self.sampler.keeps(&held.findings) {
            self.verdicts.kept.append(&mut held.spans);
        } else {
            self.verdicts.dropped.append(&mut held.spans);
        }
        self.end(part);
    }

    /// Judges a part whose root is still open, as far as is known.
    fn judge_early(&mut self, part: Part) {
        let Some(mut held) = self.remove(part) else { return };
        let now = self.clock.now();
        if self.sampler.keeps(&held.findings) && self.early.keep(part, now, self.sampler.longest_hold()) {
            self.verdicts.kept.append(&mut held.spans);
        } else {
            self.early.miss(part, held.spans.len() as u64);
            self.verdicts.dropped.append(&mut held.spans);
        }
    }

    /// Nothing comes of this part any more: its root, which came last, says how much of it is missing.
    fn end(&mut self, part: Part) {
        let missing = self.early.end(part);
        if missing > 0
            && let Some(root) = self.verdicts.kept.last_mut().filter(|root| root.span_id == part.1)
        {
            root.attributes.set(semconv::SAMPLED_OUT, missing);
        }
    }
}
