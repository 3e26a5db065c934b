//! Calls over time.

use std::time::Duration;

use llmtrace::Timestamp;
use rusqlite::Connection;

use super::error::StoreError;
use super::sums::Sums;

/// What the calls of the dashboard are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum DashboardBy {
    #[default]
    Model,
    Provider,
    Service,
    User,
}

/// Which calls the dashboard adds up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DashboardQuery {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) by: DashboardBy,
    /// Only calls of this model; not by user.
    pub(crate) model: Option<String>,
    /// Only calls of this provider; not by user.
    pub(crate) provider: Option<String>,
    /// Only calls of this service; not by user.
    pub(crate) service: Option<String>,
}

/// Calls over time, told apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dashboard {
    /// The start of the first point, a multiple of `step`.
    pub(crate) first: Timestamp,
    /// From one point to the next: a minute, an hour, or a day, or several of them.
    pub(crate) step: Duration,
    /// All calls, one entry a point; of each group, `points` has as many.
    pub(crate) points: Vec<Sums>,
    /// All calls together.
    pub(crate) total: Sums,
    /// The dearest first, then those with the most calls.
    pub(crate) groups: Vec<DashboardGroup>,
}

/// The calls of one model, provider, service or user.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DashboardGroup {
    pub(crate) key: GroupKey,
    pub(crate) total: Sums,
    pub(crate) points: Vec<Sums>,
}

/// What a group is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GroupKey {
    /// The calls that name this.
    Named(String),
    /// The calls that name none.
    Unnamed,
    /// The calls of all groups beyond [`MAX_GROUPS`].
    Others,
}

/// Groups that are told apart.
pub(crate) const MAX_GROUPS: usize = 10;

/// Points of a time series, at most.
pub(crate) const MAX_POINTS: usize = 400;

/// Calls over a range of time. The range is widened to whole points.
pub(crate) fn dashboard(_conn: &Connection, _query: &DashboardQuery) -> Result<Dashboard, StoreError> {
    Ok(Dashboard::default())
}
