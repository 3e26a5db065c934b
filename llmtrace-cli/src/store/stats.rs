//! What calls add up to, by what they have in common.

use std::cmp::Reverse;
use std::collections::HashMap;

use llmtrace::Timestamp;
use rusqlite::Connection;

use super::error::StoreError;
use super::fact::{nanos, timestamp};
use super::read_row::name;
use super::sums::Sums;
use super::write::rollups::bucket;

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
    pub(crate) sums: Sums,
}

/// Groups in an answer, at most.
pub(crate) const MAX_GROUPS: usize = 1_000;

/// All calls that started in a range of time, the dearest group first; days in their order.
///
/// The range is widened to whole hours, and where it is longer than sixty days or has no end to whole days. Sessions
/// are those whose last trace started in it, each with all its calls.
pub(crate) fn stats(
    conn: &Connection,
    by: StatsBy,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Vec<StatsGroup>, StoreError> {
    let (first, end) = (since.map_or(0, nanos), until.map_or(i64::MAX, nanos));
    let is_long = end.saturating_sub(first) / 1_000_000_000 > 60 * DAY;
    let level = if is_long || by == StatsBy::Day { DAY } else { HOUR };
    let seconds = |nanos: i64| nanos.div_euclid(1_000_000_000);
    let (sql, values) = match by {
        StatsBy::Session => {
            ("SELECT session, sums FROM sessions WHERE last >= ?1 AND last < ?2".to_owned(), vec![first, end])
        }
        by => {
            let (table, key) = match by {
                StatsBy::Provider => ("rollups", "provider"),
                StatsBy::Service => ("rollups", "service"),
                StatsBy::User => ("user_rollups", "user"),
                StatsBy::Day => ("rollups", "bucket"),
                StatsBy::Model | StatsBy::Session => ("rollups", "model"),
            };
            let sql =
                format!("SELECT {key}, sums FROM {table} WHERE level = ?3 AND bucket >= ?1 AND bucket < ?2");
            (sql, vec![bucket(level, first), seconds(end.saturating_sub(1)) + 1, level])
        }
    };
    let mut groups: HashMap<i64, Sums> = HashMap::new();
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let sums = groups.entry(row.get(0)?).or_default();
        sums.merge_bytes(bytes).ok_or(rusqlite::Error::InvalidQuery)?;
    }
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, sums)| sums.calls > 0).collect();
    groups.sort_unstable_by_key(|(key, sums)| {
        let size = if by == StatsBy::Day { (0, 0) } else { (sums.pico_usd, sums.calls) };
        (Reverse(size), *key)
    });
    groups.truncate(MAX_GROUPS);
    let named = groups.into_iter().map(|(key, sums)| {
        let key = if by == StatsBy::Day { day(key) } else { name(conn, key)? };
        Ok(StatsGroup { key, sums })
    });
    named.collect()
}

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The date of the start of a day, in seconds.
fn day(seconds: i64) -> Option<String> {
    timestamp(seconds.saturating_mul(1_000_000_000)).to_string().get(..10).map(str::to_owned)
}
