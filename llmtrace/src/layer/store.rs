//! The open spans of one layer, by the subscriber's span number.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::draft::{Draft, Role};
use crate::identity::Identity;
use crate::{SpanId, TraceId};

/// Locks over which the open spans are spread.
const SHARDS: usize = 64;

/// The open spans. No code of the user's runs under these locks.
#[derive(Debug)]
pub(crate) struct Store {
    shards: Box<[Shard]>,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(Mutex<HashMap<u64, Box<Draft>, BuildHasherDefault<SpreadHasher>>>);

/// What a child needs to know of its parent.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) role: Role,
    pub(crate) parent_key: u64,
    pub(crate) identity: Identity,
}

impl Default for Store {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }
}

impl Store {
    #[inline]
    fn shard(&self, key: u64) -> MutexGuard<'_, HashMap<u64, Box<Draft>, BuildHasherDefault<SpreadHasher>>> {
        let Shard(shard) = &self.shards[(spread(key) >> 58) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn insert(&self, key: u64, draft: Box<Draft>) {
        self.shard(key).insert(key, draft);
    }

    #[inline]
    pub(crate) fn remove(&self, key: u64) -> Option<Box<Draft>> {
        self.shard(key).remove(&key)
    }

    /// Runs `change` on an open span, under its lock.
    #[inline]
    pub(crate) fn with<R>(&self, key: u64, change: impl FnOnce(&mut Draft) -> R) -> Option<R> {
        self.shard(key).get_mut(&key).map(|draft| change(draft))
    }

    #[inline]
    pub(crate) fn relation(&self, key: u64) -> Option<Relation> {
        self.with(key, |draft| Relation::to(draft))
    }

    /// The relation to a span that is kept open by one thing more.
    #[inline]
    pub(crate) fn hold(&self, key: u64) -> Option<Relation> {
        self.with(key, |draft| {
            draft.handles += 1;
            Relation::to(draft)
        })
    }

    /// The span, if the last thing that kept it open is gone.
    #[inline]
    pub(crate) fn release(&self, key: u64) -> Option<Box<Draft>> {
        let mut shard = self.shard(key);
        let Entry::Occupied(mut entry) = shard.entry(key) else { return None };
        let draft = entry.get_mut();
        draft.handles = draft.handles.saturating_sub(1);
        (draft.handles == 0).then(|| entry.remove())
    }

    /// How many spans are open.
    pub(crate) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|Shard(shard)| shard.lock().unwrap_or_else(PoisonError::into_inner).len())
            .sum()
    }
}

impl Relation {
    #[inline]
    fn to(draft: &Draft) -> Self {
        Self {
            trace_id: draft.trace_id,
            span_id: draft.span_id,
            role: draft.role,
            parent_key: draft.parent_key,
            identity: draft.identity.clone(),
        }
    }
}

/// Spreads the subscriber's numbers, which are small, over all bits (Fibonacci hashing, Knuth 6.4).
#[inline]
fn spread(key: u64) -> u64 {
    key.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// A hasher for keys that only need spreading.
#[derive(Debug, Default)]
struct SpreadHasher(u64);

impl Hasher for SpreadHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = spread(self.0 ^ u64::from(byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, key: u64) {
        // The table takes its slot from the low bits and its tag from the high ones.
        self.0 = spread(key).rotate_left(32);
    }
}
