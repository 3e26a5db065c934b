//! What is told of an exporter.

use std::collections::BTreeMap;

use super::drop_reason::{DropReason, REASONS};

/// How one exporter stands: `started = exported + dropped + queued`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ExporterStats {
    /// The exporter's name.
    pub name: String,
    /// Spans that have ended.
    pub started: u64,
    /// Spans that the exporter accepted.
    pub exported: u64,
    /// Spans that were lost, by reason; reasons without a loss are absent.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Spans on their way.
    pub queued: u64,
    /// Those of the queued spans that are safe on disk, to be delivered later.
    pub spooled: u64,
    /// Spans of an earlier process that were on disk and are delivered now; no part of `started`.
    pub replayed: u64,
    /// Estimated bytes that wait for this exporter.
    pub bytes: usize,
    /// What the exporter failed with last.
    pub last_error: Option<String>,
}

impl ExporterStats {
    /// All spans that were lost.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Whether every span was exported, counted as dropped, or is safe on disk.
    pub(super) fn is_settled(&self) -> bool {
        self.queued <= self.spooled
    }

    /// Spans that a shutdown left no time for.
    pub(crate) fn undelivered(&self) -> u64 {
        let dropped = self.dropped.get(&DropReason::ShutdownTimeout);
        self.queued.saturating_sub(self.spooled) + dropped.copied().unwrap_or_default()
    }

    pub(super) fn add_dropped(&mut self, dropped: [u64; REASONS]) {
        for (reason, count) in DropReason::ALL.iter().copied().zip(dropped) {
            if count > 0 {
                *self.dropped.entry(reason).or_default() += count;
            }
        }
    }

    /// Adds what was lost before the way to this exporter, and what is on its way.
    pub(super) fn complete(&mut self, started: u64, dropped: [u64; REASONS]) {
        self.add_dropped(dropped);
        self.started = started;
        self.queued = started.saturating_sub(self.exported + self.dropped_total());
    }
}
