//! What calls add up to, by what they have in common.

use llmtrace::Timestamp;
use rusqlite::Connection;

use super::error::StoreError;
use super::sums::Sums;

/// What calls are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum StatsBy {
    #[default]
    Model,
    Provider,
    Service,
    Session,
    User,
    /// The day on which they started, in UTC, as 2026-11-22.
    Day,
}

/// The calls of one group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatsGroup {
    /// `None` for the calls that name none.
    pub(crate) key: Option<String>,
    /// By session the percentiles are absent.
    pub(crate) sums: Sums,
}

/// Groups in an answer, at most.
pub(crate) const MAX_GROUPS: usize = 1_000;

/// All calls that started in a range of time, widened to whole hours, the dearest group first; days in their order.
///
/// Sessions are those whose last trace started in it, each with all its calls.
pub(crate) fn stats(
    _conn: &Connection,
    _by: StatsBy,
    _since: Option<Timestamp>,
    _until: Option<Timestamp>,
) -> Result<Vec<StatsGroup>, StoreError> {
    Ok(Vec::new())
}
