//! How spans that are alike went over time.

use std::collections::BTreeMap;

use llmtrace::Timestamp;

use super::baseline::Seen;

/// What happened in each stretch of time in which something did, by its number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline(BTreeMap<u64, Bucket>);

/// What happened in one stretch of time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    pub(super) spans: u64,
    pub(super) errors: u64,
    /// Traces with an error, each once.
    pub(super) failing_traces: u64,
    /// The first that failed.
    pub(super) first_error: Option<Seen>,
    /// Calls that say how much of their input a cache held.
    pub(super) cacheable: u64,
    /// The sum of those parts, and of their squares.
    pub(super) cached_sum: f64,
    pub(super) cached_squares: f64,
    /// The call of which the least was cached.
    pub(super) least_cached: Option<(f64, Seen)>,
}

/// How long a stretch of time is, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// In nanoseconds.
    width: u64,
    buckets: usize,
}

/// Stretches of time over all groups; with more, each becomes twice as long.
pub(crate) const MAX_BUCKETS: usize = 200_000;

/// The shortest stretch of time: 15 s.
const FIRST_WIDTH_NANOS: u64 = 15_000_000_000;

/// The longest: 2^50 ns, 13 days.
const MAX_WIDTH_NANOS: u64 = 1 << 50;

impl Default for Clock {
    fn default() -> Self {
        Self { width: FIRST_WIDTH_NANOS, buckets: 0 }
    }
}

impl Clock {
    /// The number of the stretch in which a moment lies.
    pub(super) fn number(self, at: Timestamp) -> u64 {
        at.unix_nanos() / self.width
    }

    /// When a stretch begins.
    pub(super) fn start(self, number: u64) -> Timestamp {
        Timestamp::from_unix_nanos(number.saturating_mul(self.width))
    }

    /// Nanoseconds of so many stretches.
    pub(super) fn nanos(self, buckets: u64) -> u64 {
        buckets.saturating_mul(self.width)
    }

    pub(super) fn count(&mut self, is_new: bool) {
        self.buckets += usize::from(is_new);
    }

    pub(super) fn is_full(self) -> bool {
        self.buckets > MAX_BUCKETS && self.width < MAX_WIDTH_NANOS
    }

    pub(super) fn coarsen(&mut self, left: usize) {
        self.width *= 2;
        self.buckets = left;
    }
}

impl Timeline {
    /// Adds to a stretch of time, and says whether nothing was known of it.
    pub(super) fn add(&mut self, number: u64, bucket: &Bucket) -> bool {
        let mut is_new = false;
        let known = self.0.entry(number).or_insert_with(|| {
            is_new = true;
            Bucket::default()
        });
        known.add(bucket);
        is_new
    }

    /// Makes each stretch twice as long.
    pub(super) fn coarsen(&mut self) {
        for (number, bucket) in std::mem::take(&mut self.0) {
            self.add(number / 2, &bucket);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The stretches in order of time.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (u64, &Bucket)> {
        self.0.iter().map(|(number, bucket)| (*number, bucket))
    }
}

impl Bucket {
    /// A span failed; of its trace it is the first or not.
    pub(super) fn failed(&mut self, seen: Seen, is_first_of_trace: bool) {
        self.errors += 1;
        self.failing_traces += u64::from(is_first_of_trace);
        self.first_error = Some(seen);
    }

    /// So much of a call's input was cached.
    pub(super) fn cached(&mut self, seen: Seen, part: f64) {
        self.cacheable += 1;
        self.cached_sum += part;
        self.cached_squares += part * part;
        self.least_cached = Some((part, seen));
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.spans += other.spans;
        self.errors += other.errors;
        self.failing_traces += other.failing_traces;
        self.first_error = match (self.first_error, other.first_error) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.cacheable += other.cacheable;
        self.cached_sum += other.cached_sum;
        self.cached_squares += other.cached_squares;
        self.least_cached = match (self.least_cached, other.least_cached) {
            (Some(a), Some(b)) => {
                Some(if (b.0.total_cmp(&a.0), b.1) < (std::cmp::Ordering::Equal, a.1) { b } else { a })
            }
            (a, b) => a.or(b),
        };
    }
}
