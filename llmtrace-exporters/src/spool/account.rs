//! What became of spans.

use super::error::Refusal;

/// What came of a push.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// How many of the spans, from the first on, are on disk.
    pub(crate) stored: usize,
    /// Why the rest is not; nothing if all are.
    pub(crate) refused: Option<Refusal>,
}

/// Whose spans a batch held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// Spans that this spool took.
    pub(crate) settled: u64,
    /// Spans that another process left behind.
    pub(crate) replayed: u64,
}

/// What went wrong so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Spans that were not taken.
    pub(crate) refused: u64,
    /// Last lines without their end: what was being written when a process was killed.
    pub(crate) torn: u64,
    /// Lines that are not as they were written.
    pub(crate) corrupt: u64,
    /// Segments that were renamed because not all of them could be read.
    pub(crate) set_aside: u64,
}

/// A segment of this spool.
#[derive(Clone, Copy, Default)]
pub(super) struct Own {
    pub(super) taken: u64,
    pub(super) passed: u64,
}

impl Own {
    /// Spans that were taken and are not dealt with. Of a push that failed, more may be on disk than it took.
    pub(super) fn waiting(self) -> u64 {
        self.taken.saturating_sub(self.passed)
    }
}
