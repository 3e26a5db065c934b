//! What was decided of traces before they were whole.

use std::collections::HashMap;
use std::mem;
use std::time::Duration;

use super::Part;

/// What was decided of traces whose root is still open.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// Kept: what follows is kept too, or it would leave its children behind. When the last span came, in monotonic
    /// nanoseconds.
    kept: HashMap<Part, u64>,
    /// Spans that were dropped. Nothing depends on them; those of before are forgotten when there are too many.
    missing: HashMap<Part, u64>,
    old_missing: HashMap<Part, u64>,
}

/// Traces that are remembered of each kind: 640 KiB, and twice that for those with missing spans.
pub(super) const MAX_PARTS: usize = 16_384;

impl Early {
    /// Whether the trace was kept already.
    pub(super) fn keeps(&mut self, part: Part, now: u64) -> bool {
        self.kept.get_mut(&part).map(|since| *since = now).is_some()
    }

    /// Keeps a trace from now on. `false`: too many are kept already, none of which has gone without a span for
    /// `longest`; those that have are taken for lost.
    pub(super) fn keep(&mut self, part: Part, now: u64, longest: Duration) -> bool {
        if self.kept.len() >= MAX_PARTS {
            self.kept.retain(|_, since| u128::from(now.saturating_sub(*since)) < longest.as_nanos());
        }
        let has_room = self.kept.len() < MAX_PARTS;
        if has_room {
            self.kept.insert(part, now);
        }
        has_room
    }

    /// Notes that so many spans of a trace were dropped.
    pub(super) fn miss(&mut self, part: Part, spans: u64) {
        if self.missing.len() >= MAX_PARTS {
            self.old_missing.clear();
            mem::swap(&mut self.missing, &mut self.old_missing);
        }
        *self.missing.entry(part).or_default() += spans;
    }

    /// Forgets a trace whose root has come, and says how many of its spans were dropped.
    pub(super) fn end(&mut self, part: Part) -> u64 {
        self.kept.remove(&part);
        let maps = [&mut self.missing, &mut self.old_missing];
        maps.into_iter().filter_map(|missing| missing.remove(&part)).sum()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.len() + self.missing.len() + self.old_missing.len()
    }
}
