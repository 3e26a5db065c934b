//! What is decided when a span is opened: its trace, and whether that is recorded.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::open::Open;
use super::store::Relation;
use super::unrecorded::{Marks, Unrecorded};
use crate::id::random_bits;
use crate::sampler::{Fate, Sampler};
use crate::{SpanId, TraceId, propagate};

/// Decides by trace id, and tells the spans that are not recorded.
#[derive(Debug)]
pub(crate) struct Head {
    sampler: Sampler,
    /// Spans of traces that are not sampled are recorded too.
    records_all: bool,
    pub(super) marks: Marks,
    /// A span was made the child of one in another process.
    is_following: AtomicBool,
    /// Traces so far that were not sampled and whose first span was recorded all the same.
    tried: AtomicUsize,
}

/// So many traces that are not sampled have their first span recorded, because it may turn out to follow another
/// process.
const TRIALS: usize = 256;

/// The span that a new one is opened in.
#[derive(Debug)]
pub(super) enum Parent {
    Recorded(u64, Relation),
    Unrecorded(Unrecorded),
}

/// Where a new span stands that is recorded.
#[derive(Debug)]
pub(super) struct Place {
    /// Monotonic nanoseconds.
    pub(super) start: u64,
    pub(super) trace_id: TraceId,
    pub(super) fate: Fate,
    pub(super) parent: Option<(u64, Relation)>,
}

impl Head {
    pub(crate) fn new(sampler: Sampler, records_all: bool, marks: Marks) -> Self {
        Self { sampler, records_all, marks, is_following: AtomicBool::new(false), tried: AtomicUsize::new(0) }
    }

    #[inline]
    pub(super) fn fate(&self, is_sampled: bool) -> Fate {
        match is_sampled {
            true => Fate::Kept,
            false if self.records_all => Fate::Judged,
            false => Fate::Forgotten,
        }
    }

    /// Notes that this process goes on with the traces of others.
    pub(super) fn follow(&self) {
        self.is_following.store(true, Ordering::Relaxed);
    }

    /// Whether the first span of a trace that is not sampled may yet follow one that is.
    fn may_follow(&self) -> bool {
        self.is_following.load(Ordering::Relaxed)
            || propagate::has_extracted()
            || (self.tried.load(Ordering::Relaxed) < TRIALS
                && self.tried.fetch_add(1, Ordering::Relaxed) < TRIALS)
    }
}

impl Open {
    /// Where a new span stands, or where it has its ids from if it is not recorded.
    #[inline]
    pub(super) fn place(&self, parent: Option<Parent>) -> Result<Place, Unrecorded> {
        let (key, relation) = match parent {
            Some(Parent::Recorded(key, relation)) => (key, relation),
            Some(Parent::Unrecorded(origin)) => return Err(origin),
            None => return self.new_trace(),
        };
        if relation.fate == Fate::Forgotten {
            return Err(Unrecorded::Below(key));
        }
        let (trace_id, fate) = (relation.trace_id, relation.fate);
        Ok(Place { start: self.settings.clock.now(), trace_id, fate, parent: Some((key, relation)) })
    }

    #[inline]
    fn new_trace(&self) -> Result<Place, Unrecorded> {
        let low = self.ids.trace_bits();
        let fate = self.head.fate(self.head.sampler.samples_bits(random_bits(low)));
        if fate == Fate::Forgotten && !self.head.may_follow() {
            return Err(Unrecorded::Random(random_bits(low)));
        }
        let start = self.settings.clock.now();
        Ok(Place { start, trace_id: self.ids.trace_id(self.unix_ms(start), low), fate, parent: None })
    }

    /// An open span, as the parent of another one.
    #[inline]
    pub(super) fn parent(&self, key: u64) -> Option<Parent> {
        if let Some(origin) = self.head.marks.find(key) {
            return Some(Parent::Unrecorded(origin));
        }
        Some(Parent::Recorded(key, self.store.relation(key)?))
    }

    /// [`parent`](Self::parent) of a child that keeps it open.
    #[inline]
    pub(super) fn hold(&self, key: u64) -> Option<Parent> {
        let Some(origin) = self.head.marks.find(key) else {
            return Some(Parent::Recorded(key, self.store.hold(key)?));
        };
        if let Unrecorded::Below(key) = origin {
            self.store.hold(key)?;
        }
        Some(Parent::Unrecorded(origin))
    }

    /// The span whose handles a handle of this one counts among; `None` where nobody counts.
    #[inline]
    pub(super) fn counted(&self, key: u64) -> Option<u64> {
        match self.head.marks.find(key) {
            None => Some(key),
            Some(Unrecorded::Below(key)) => Some(key),
            Some(Unrecorded::Random(_)) => None,
        }
    }

    /// Whether what is said of an open span is written down.
    #[inline]
    pub(crate) fn is_recorded(&self, key: u64) -> bool {
        self.head.marks.find(key).is_none()
    }

    /// The ids of an open span.
    pub(crate) fn ids(&self, key: u64) -> Option<(TraceId, SpanId)> {
        match self.head.marks.find(key) {
            Some(Unrecorded::Random(random)) => {
                Some((TraceId::from_random_bits(self.unix_ms(0), random), SpanId::from_random_bits(random)))
            }
            _ => self.store.with(self.counted(key)?, |draft| (draft.trace_id, draft.span_id)),
        }
    }

    /// What an open span hands on to other processes beside its ids.
    pub(crate) fn relation(&self, key: u64) -> Option<Relation> {
        self.store.relation(self.counted(key)?)
    }
}
