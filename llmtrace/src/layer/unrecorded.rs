//! Spans of traces that are not sampled: nothing is kept of them but where their ids come from.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Callsite, Level, Metadata};

/// Where a span that is not recorded has its ids from. Those below it share them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrecorded {
    /// From the random bits of the trace id.
    Random(u64),
    /// From an open span above, by its number.
    Below(u64),
}

/// How spans that are not recorded are told from others.
#[derive(Debug)]
pub(crate) enum Marks {
    /// By their numbers, which are llmtrace's own.
    InNumbers,
    /// By a table: another subscriber numbers them.
    InTable(Table),
}

/// In a number: the span is not recorded.
const UNRECORDED: u64 = 1 << 63;

/// In such a number: what is below is the number of an open span.
const BELOW: u64 = 1 << 62;

impl Unrecorded {
    /// The number that says it all; several spans may have the same.
    #[inline]
    pub(super) fn to_number(self) -> u64 {
        match self {
            Self::Random(random) => UNRECORDED | random,
            Self::Below(key) => UNRECORDED | BELOW | key,
        }
    }

    #[inline]
    fn from_number(number: u64) -> Option<Self> {
        let payload = number & !(UNRECORDED | BELOW);
        let origin = if number & BELOW == 0 { Self::Random(payload) } else { Self::Below(payload) };
        (number & UNRECORDED != 0).then_some(origin)
    }
}

impl Marks {
    /// Where the span has its ids from, if it is not recorded.
    #[inline]
    pub(super) fn find(&self, key: u64) -> Option<Unrecorded> {
        match self {
            Self::InNumbers => Unrecorded::from_number(key),
            Self::InTable(table) => table.find(key),
        }
    }

    /// Says that a span that another subscriber numbered is not recorded.
    pub(super) fn insert(&self, key: u64, origin: Unrecorded) {
        if let Self::InTable(table) = self {
            table.insert(key, origin);
        }
    }

    /// Forgets a span; whether it was marked.
    pub(super) fn remove(&self, key: u64) -> bool {
        match self {
            Self::InNumbers => false,
            Self::InTable(table) => table.remove(key),
        }
    }
}

/// Open spans that are not recorded, without a lock as long as there are not too many.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Box<[Slot]>,
    /// Whether there ever was one.
    is_used: AtomicBool,
    /// Those that found no slot.
    rest: Mutex<HashMap<u64, Unrecorded>>,
    rest_len: AtomicUsize,
}

/// A span's number is known to others only when its slot is filled, and its slot is emptied when the number is of no more
/// use: whoever finds the number finds what belongs to it.
#[derive(Debug, Default)]
struct Slot {
    key: AtomicU64,
    random: AtomicU64,
    below: AtomicU64,
}

/// Open spans that are found without a lock, at most: 48 KiB.
const SLOTS: usize = 2_048;

/// Slots in which a span may stand.
const PROBES: usize = 8;

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            is_used: AtomicBool::new(false),
            rest: Mutex::default(),
            rest_len: AtomicUsize::new(0),
        }
    }

    #[inline]
    fn probe(&self, key: u64) -> impl Iterator<Item = &Slot> {
        let start = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
        (0..PROBES).map(move |step| &self.slots[(start + step) % SLOTS])
    }

    #[inline]
    fn find(&self, key: u64) -> Option<Unrecorded> {
        if !self.is_used.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(slot) = self.probe(key).find(|slot| slot.key.load(Ordering::Relaxed) == key) {
            let below = slot.below.load(Ordering::Relaxed);
            let random = Unrecorded::Random(slot.random.load(Ordering::Relaxed));
            return Some(if below == 0 { random } else { Unrecorded::Below(below) });
        }
        let has_rest = self.rest_len.load(Ordering::Relaxed) > 0;
        has_rest.then(|| self.rest().get(&key).copied())?
    }

    fn rest(&self) -> MutexGuard<'_, HashMap<u64, Unrecorded>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, key: u64, origin: Unrecorded) {
        self.is_used.store(true, Ordering::Relaxed);
        let (random, below) = match origin {
            Unrecorded::Random(random) => (random, 0),
            Unrecorded::Below(below) => (0, below),
        };
        for slot in self.probe(key) {
            if slot.key.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                slot.random.store(random, Ordering::Relaxed);
                slot.below.store(below, Ordering::Relaxed);
                return;
            }
        }
        let mut rest = self.rest();
        rest.insert(key, origin);
        self.rest_len.store(rest.len(), Ordering::Relaxed);
    }

    fn remove(&self, key: u64) -> bool {
        if !self.is_used.load(Ordering::Relaxed) {
            return false;
        }
        if let Some(slot) = self.probe(key).find(|slot| slot.key.load(Ordering::Relaxed) == key) {
            slot.key.store(0, Ordering::Relaxed);
            return true;
        }
        if self.rest_len.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let mut rest = self.rest();
        let was_marked = rest.remove(&key).is_some();
        self.rest_len.store(rest.len(), Ordering::Relaxed);
        was_marked
    }
}

/// What the current span says of itself where it is not recorded: its own callsite is not remembered.
pub(super) static METADATA: Metadata<'static> = Metadata::new(
    "unsampled",
    "llmtrace",
    Level::INFO,
    None,
    None,
    None,
    FieldSet::new(&[], tracing_core::identify_callsite!(&Unsampled)),
    Kind::SPAN,
);

struct Unsampled;

impl Callsite for Unsampled {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_where_the_ids_come_from() {
        for origin in [Unrecorded::Random((1 << 56) - 1), Unrecorded::Random(0), Unrecorded::Below(77)] {
            assert_eq!(Unrecorded::from_number(origin.to_number()), Some(origin));
        }
        assert_eq!(Unrecorded::from_number(77), None);
    }

    #[test]
    fn a_table_keeps_more_than_it_has_slots_for() {
        let table = Table::new();
        assert!(!table.remove(1));
        let origin =
            |key: u64| if key.is_multiple_of(2) { Unrecorded::Random(key) } else { Unrecorded::Below(key) };
        let keys = 1..=3 * SLOTS as u64;
        for key in keys.clone() {
            assert_eq!(table.find(key), None);
            table.insert(key, origin(key));
        }
        assert!(table.rest_len.load(Ordering::Relaxed) >= 2 * SLOTS);
        for key in keys.clone() {
            assert_eq!(table.find(key), Some(origin(key)));
        }
        for key in keys {
            assert!(table.remove(key) && !table.remove(key));
            assert_eq!(table.find(key), None);
        }
        assert_eq!(table.rest_len.load(Ordering::Relaxed), 0);
    }
}
