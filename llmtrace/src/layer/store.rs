//! The open spans of one layer, by the subscriber's span number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::draft::{Draft, Role};
use crate::identity::Identity;
use crate::sampler::Fate;
use crate::{SpanId, TraceId};

/// Locks over which the open spans are spread. With fewer open spans than this, a shard holds one or none, and
/// finding it is one comparison; with a hundred thousand, a search takes some hundred nanoseconds.
const SHARDS: usize = 256;

/// The open spans. No code of the user's runs under these locks.
#[derive(Debug)]
pub(crate) struct Store {
    shards: Box<[Shard]>,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(Mutex<Drafts>);

/// The open spans of a shard, the newest last.
type Drafts = Vec<(u64, Box<Draft>)>;

/// What a child needs to know of its parent.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) role: Role,
    pub(crate) parent_key: u64,
    pub(crate) identity: Identity,
    pub(crate) root: SpanId,
    pub(crate) fate: Fate,
    pub(crate) trace_state: Option<Arc<str>>,
}

impl Default for Store {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }
}

impl Store {
    #[inline]
    fn shard(&self, key: u64) -> MutexGuard<'_, Drafts> {
        // The high bits of the product depend on all bits of the key (Fibonacci hashing, Knuth 6.4).
        let spread = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
        let Shard(shard) = &self.shards[spread as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn insert(&self, key: u64, draft: Box<Draft>) {
        self.shard(key).push((key, draft));
    }

    #[inline]
    pub(crate) fn remove(&self, key: u64) -> Option<Box<Draft>> {
        let mut shard = self.shard(key);
        let at = shard.iter().rposition(|(known, _)| *known == key)?;
        Some(shard.swap_remove(at).1)
    }

    /// Runs `change` on an open span, under its lock.
    #[inline]
    pub(crate) fn with<R>(&self, key: u64, change: impl FnOnce(&mut Draft) -> R) -> Option<R> {
        let mut shard = self.shard(key);
        let (_, draft) = shard.iter_mut().rfind(|(known, _)| *known == key)?;
        Some(change(draft))
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
        let at = shard.iter().rposition(|(known, _)| *known == key)?;
        let (_, draft) = &mut shard[at];
        draft.handles = draft.handles.saturating_sub(1);
        let is_last = draft.handles == 0;
        is_last.then(|| shard.swap_remove(at).1)
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
            root: draft.root,
            fate: draft.fate,
            trace_state: draft.trace_state.clone(),
        }
    }
}
