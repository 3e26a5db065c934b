//! Calls over time.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use llmtrace::Timestamp;
use rusqlite::Connection;

use super::error::StoreError;
use super::fact::{nanos, timestamp};
use super::read_row::{name, number};
use super::sums::Sums;
use super::write::rollups::{LEVELS, USER_LEVELS};

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
pub(crate) fn dashboard(conn: &Connection, query: &DashboardQuery) -> Result<Dashboard, StoreError> {
    let is_by_user = query.by == DashboardBy::User;
    let frame = Frame::of(query, if is_by_user { &USER_LEVELS } else { &LEVELS });
    let Some(source) = Source::of(conn, query)? else { return Ok(frame.empty()) };
    let mut ranks: HashMap<i64, (i128, u64)> = HashMap::new();
    source.each(conn, &frame, &mut |_, key, sums| {
        let rank = ranks.entry(key).or_default();
        rank.0 += sums.pico_usd;
        rank.1 += sums.calls;
    })?;
    let mut keys: Vec<_> = ranks.into_iter().map(|(key, rank)| (Reverse(rank), key)).collect();
    keys.sort_unstable();
    let has_others = keys.len() > MAX_GROUPS;
    keys.truncate(MAX_GROUPS);
    let places: HashMap<i64, usize> = keys.iter().zip(0..).map(|((_, key), place)| (*key, place)).collect();
    let mut found = frame.empty();
    for (_, key) in &keys {
        let key = name(conn, *key)?.map_or(GroupKey::Unnamed, GroupKey::Named);
        found.groups.push(frame.group(key));
    }
    if has_others {
        found.groups.push(frame.group(GroupKey::Others));
    }
    source.each(conn, &frame, &mut |point, key, sums| {
        let place = places.get(&key).copied().unwrap_or(MAX_GROUPS);
        let group = found.groups.get_mut(place);
        for (points, total) in group
            .map(|group| (&mut group.points, &mut group.total))
            .into_iter()
            .chain([(&mut found.points, &mut found.total)])
        {
            total.merge(sums);
            if let Some(at) = points.get_mut(point) {
                at.merge(sums);
            }
        }
    })?;
    Ok(found)
}

/// The points of a time series, in seconds.
#[derive(Debug)]
struct Frame {
    level: i64,
    first: i64,
    step: i64,
    points: usize,
}

impl Frame {
    /// The finest points that are not too many.
    fn of(query: &DashboardQuery, levels: &[i64]) -> Self {
        let seconds = |time: Timestamp| nanos(time).div_euclid(1_000_000_000);
        let since = seconds(query.since);
        // The last moment that is in the range.
        let last = nanos(query.until).saturating_sub(1).div_euclid(1_000_000_000).max(since);
        let most = i64::try_from(MAX_POINTS - 1).unwrap_or(1);
        let fits = |level: &&i64| (last - since) / **level < most;
        let level = levels.iter().find(fits).or(levels.last()).copied().unwrap_or(1);
        let step = level * ((last - since) / level / most + 1);
        let first = since - since.rem_euclid(step);
        let points = usize::try_from((last - first) / step + 1).unwrap_or(1);
        Self { level, first, step, points }
    }

    fn empty(&self) -> Dashboard {
        Dashboard {
            first: timestamp(self.first.saturating_mul(1_000_000_000)),
            step: Duration::from_secs(self.step.unsigned_abs()),
            points: vec![Sums::default(); self.points],
            ..Dashboard::default()
        }
    }

    fn group(&self, key: GroupKey) -> DashboardGroup {
        DashboardGroup { key, total: Sums::default(), points: vec![Sums::default(); self.points] }
    }
}

/// Where the sums come from.
#[derive(Debug)]
struct Source {
    sql: String,
    conditions: Vec<i64>,
}

impl Source {
    /// `None` where a condition names what no call has.
    fn of(conn: &Connection, query: &DashboardQuery) -> Result<Option<Self>, StoreError> {
        let (table, key) = match query.by {
            DashboardBy::Model => ("rollups", "model"),
            DashboardBy::Provider => ("rollups", "provider"),
            DashboardBy::Service => ("rollups", "service"),
            DashboardBy::User => ("user_rollups", "user"),
        };
        let mut sql =
            format!("SELECT bucket, {key}, sums FROM {table} WHERE level = ? AND bucket >= ? AND bucket < ?");
        let mut conditions = Vec::new();
        let wanted = [("model", &query.model), ("provider", &query.provider), ("service", &query.service)];
        for (column, value) in wanted.into_iter().filter(|_| query.by != DashboardBy::User) {
            let Some(value) = value else { continue };
            let Some(value) = number(conn, value)? else { return Ok(None) };
            sql.extend([" AND ", column, " = ?"]);
            conditions.push(value);
        }
        Ok(Some(Self { sql, conditions }))
    }

    /// Hands over the point, the key and the sums of each row.
    fn each(
        &self,
        conn: &Connection,
        frame: &Frame,
        each: &mut dyn FnMut(usize, i64, &Sums),
    ) -> Result<(), StoreError> {
        let until = frame.first + frame.step * i64::try_from(frame.points).unwrap_or(0);
        let values = [frame.level, frame.first, until].into_iter().chain(self.conditions.iter().copied());
        let mut find = conn.prepare_cached(&self.sql)?;
        let mut rows = find.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let mut sums = Sums::default();
            let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            sums.merge_bytes(bytes).ok_or(rusqlite::Error::InvalidQuery)?;
            let point = (row.get::<_, i64>(0)? - frame.first) / frame.step;
            each(usize::try_from(point).unwrap_or(0), row.get(1)?, &sums);
        }
        Ok(())
    }
}
