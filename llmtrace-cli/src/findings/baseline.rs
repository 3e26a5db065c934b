//! What is usual: learned from summaries of spans, in bounded memory.

use std::collections::{BTreeMap, HashMap, HashSet};

#[cfg(test)]
use llmtrace::SpanRecord;
use llmtrace::{SpanId, Timestamp, TraceId};

use super::bins::Bins;
use super::counted;
use super::sessions::Sessions;
use super::summary::{Gap, Key, Metric, SpanSummary};
use super::timeline::{Bucket, Clock, Timeline};

/// What is usual for spans that are alike, and how they went over time.
///
/// Its memory is bounded: [`MAX_GROUPS`] groups of spans, [`MAX_BUCKETS`](super::timeline::MAX_BUCKETS) stretches of time over all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baseline {
    groups: HashMap<Key, Group>,
    clock: Clock,
    sessions: Sessions,
    spans: u64,
}

/// Spans that are alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    /// How each figure is spread, in the order of [`Metric`].
    figures: [Bins; Metric::ALL.len()],
    /// How they went over time.
    pub(super) timeline: Timeline,
    /// Calls of which nobody knows the cost, by the reason.
    pub(super) gaps: BTreeMap<Gap, Unknown>,
    /// Calls that count.
    pub(super) calls: u64,
    /// The service that they came from first.
    pub(super) service: Option<Box<str>>,
}

/// Calls of which nobody knows the cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unknown {
    pub(super) count: u64,
    /// The first of them.
    pub(super) first: Seen,
}

/// A span to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(super) time: Timestamp,
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
}

/// Groups that are told apart; spans of further ones are not judged by their figures.
const MAX_GROUPS: usize = 4_096;

impl Baseline {
    /// Learns the spans of one trace.
    pub(crate) fn learn(&mut self, trace: &[SpanSummary]) {
        let mut ids = HashSet::with_capacity(trace.len());
        let trace: Vec<&SpanSummary> = trace.iter().rev().filter(|span| ids.insert(span.span_id())).collect();
        let links: Vec<_> = trace.iter().map(|span| span.link).collect();
        let tree = counted::tree(&links);
        // Groups and buckets in which a span of this trace failed already.
        let mut failing = HashSet::new();
        for (span, is_counted) in trace.iter().zip(&tree.counted) {
            if span.link.is_call && !is_counted {
                continue;
            }
            self.spans += 1;
            let number = self.clock.number(span.start);
            let Some(group) = self.group(&span.key) else { continue };
            let is_new = group.learn(span, number, |bucket| failing.insert((span.key.clone(), bucket)));
            self.clock.count(is_new);
        }
        let calls = trace.iter().zip(&tree.counted).filter(|(_, is_counted)| **is_counted);
        self.sessions.learn(calls.map(|(span, _)| *span));
        self.make_room();
    }

    /// Learns the spans of one trace.
    #[cfg(test)]
    pub(crate) fn learn_spans(&mut self, trace: &[SpanRecord]) {
        self.learn(&trace.iter().map(SpanSummary::of).collect::<Vec<_>>());
    }

    /// Spans that were learned.
    pub(crate) fn spans(&self) -> u64 {
        self.spans
    }

    /// How a figure of spans that are alike is spread.
    pub(super) fn bins(&self, key: &Key, metric: Metric) -> Option<&Bins> {
        self.groups.get(key)?.figures.get(metric as usize)
    }

    /// All groups, in order of their keys.
    pub(super) fn groups(&self) -> Vec<(&Key, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_unstable_by_key(|(key, _)| *key);
        groups
    }

    /// When a bucket began.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    fn group(&mut self, key: &Key) -> Option<&mut Group> {
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(key) {
            return None;
        }
        Some(self.groups.entry(key.clone()).or_default())
    }

    fn make_room(&mut self) {
        while self.clock.is_full() {
            self.coarsen();
        }
    }

    /// Makes each stretch of time twice as long.
    fn coarsen(&mut self) {
        let mut left = 0;
        for group in self.groups.values_mut() {
            group.timeline.coarsen();
            left += group.timeline.len();
        }
        self.clock.coarsen(left);
    }
}

impl Group {
    /// Learns a span of the bucket `number`, and says whether that is new.
    fn learn(&mut self, span: &SpanSummary, number: u64, fails_first: impl FnOnce(u64) -> bool) -> bool {
        for (bins, figure) in self.figures.iter_mut().zip(span.figures) {
            if let Some(figure) = figure {
                bins.add(figure);
            }
        }
        if self.service.is_none() {
            self.service.clone_from(&span.service);
        }
        self.calls += u64::from(span.link.is_call);
        let seen = Seen { time: span.start, trace_id: span.trace_id, span_id: span.span_id() };
        if let Some(gap) = span.gap {
            let unknown = self.gaps.entry(gap).or_insert(Unknown { count: 0, first: seen });
            unknown.count += 1;
            unknown.first = unknown.first.min(seen);
        }
        let mut bucket = Bucket { spans: 1, ..Bucket::default() };
        if span.failed {
            bucket.failed(seen, fails_first(number));
        }
        if let Some(part) = span.cached {
            bucket.cached(seen, part);
        }
        self.timeline.add(number, &bucket)
    }
}
