//! Sessions: conversations over their traces.

use llmtrace::{Timestamp, Usd};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::StoreError;
use super::fact::timestamp;
use super::filter::Cursor;
use super::list::MAX_LIMIT;
use super::read_row::{name, number};
use super::row::{Tokens, TraceRow};
use super::sums::Sums;

/// What is known of a session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SessionRow {
    pub(crate) session: String,
    pub(crate) traces: u64,
    /// The start of its first trace.
    pub(crate) first: Timestamp,
    /// The start of its last trace.
    pub(crate) last: Timestamp,
    /// Spans that failed.
    pub(crate) errors: u64,
    pub(crate) calls: u64,
    pub(crate) tokens: Tokens,
    pub(crate) cost: Option<Usd>,
    pub(crate) unpriced: u64,
    pub(crate) is_cost_lower_bound: bool,
    /// The user of its last trace.
    pub(crate) user: Option<String>,
    /// What went into its first trace.
    pub(crate) input: Option<String>,
    /// What came out of its last trace.
    pub(crate) output: Option<String>,
}

/// A page of sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SessionPage {
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) after: Option<Cursor>,
}

/// The sessions, the one whose last trace started latest first.
pub(crate) fn list(
    conn: &Connection,
    after: Option<Cursor>,
    limit: usize,
) -> Result<SessionPage, StoreError> {
    let limit = limit.clamp(1, MAX_LIMIT);
    let Cursor { key, id } = after.unwrap_or(Cursor { key: i64::MAX, id: i64::MAX });
    let find = "SELECT last, session FROM sessions WHERE (last, session) < (?1, ?2)
        ORDER BY last DESC, session DESC LIMIT ?3";
    let mut find = conn.prepare_cached(find)?;
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| Ok(Cursor { key: row.get(0)?, id: row.get(1)? });
    let mut found: Vec<Cursor> =
        find.query_map(params![key, id, wanted], read)?.collect::<rusqlite::Result<_>>()?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let rows = found.iter().map(|cursor| row(conn, cursor.id));
    let sessions = rows.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(SessionPage { sessions, after: found.last().copied().filter(|_| is_more) })
}

/// One session; `None` if there is none of this name.
pub(crate) fn load(conn: &Connection, session: &str) -> Result<Option<SessionRow>, StoreError> {
    match number(conn, session)? {
        Some(session) => row(conn, session),
        None => Ok(None),
    }
}

/// The traces of a session in the order in which they started, from a cursor on.
pub(crate) fn traces(
    conn: &Connection,
    session: &str,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<TraceRow>, Option<Cursor>), StoreError> {
    let limit = limit.clamp(1, MAX_LIMIT);
    let Cursor { key, id } = after.unwrap_or(Cursor { key: i64::MIN, id: i64::MIN });
    let find = "SELECT start, id FROM traces INDEXED BY traces_by_session WHERE session = ?1 AND session <> 0 AND (start, id) > (?2, ?3)
        ORDER BY start, id LIMIT ?4";
    let mut find = conn.prepare_cached(find)?;
    let number = number(conn, session)?.unwrap_or(0);
    let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| Ok(Cursor { key: row.get(0)?, id: row.get(1)? });
    let mut found: Vec<Cursor> =
        find.query_map(params![number, key, id, wanted], read)?.collect::<rusqlite::Result<_>>()?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let rows = found.iter().map(|cursor| TraceRow::load(conn, cursor.id));
    let rows = rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?;
    Ok((rows, found.last().copied().filter(|_| is_more)))
}

fn row(conn: &Connection, session: i64) -> Result<Option<SessionRow>, StoreError> {
    let find = "SELECT first, last, traces, errors, sums FROM sessions WHERE session = ?1";
    let read = |row: &Row<'_>| {
        let mut sums = Sums::default();
        sums.merge_bytes(row.get_ref(4)?.as_blob()?).ok_or(rusqlite::Error::InvalidQuery)?;
        Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, sums))
    };
    let found = conn.prepare_cached(find)?.query_row([session], read).optional()?;
    let Some((first, last, traces, errors, sums)) = found else { return Ok(None) };
    let earliest = "SELECT input FROM traces INDEXED BY traces_by_session WHERE session = ?1 AND session <> 0 ORDER BY start, id LIMIT 1";
    let input = conn.prepare_cached(earliest)?.query_row([session], |row| row.get(0)).optional()?;
    let latest = "SELECT output, user FROM traces INDEXED BY traces_by_session WHERE session = ?1 AND session <> 0 ORDER BY start DESC, id DESC LIMIT 1";
    let latest =
        conn.prepare_cached(latest)?.query_row([session], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (output, user) = latest.unwrap_or((None, 0));
    Ok(Some(SessionRow {
        session: name(conn, session)?.unwrap_or_default(),
        traces: traces.unsigned_abs(),
        first: timestamp(first),
        last: timestamp(last),
        errors: errors.unsigned_abs(),
        calls: sums.calls,
        tokens: sums.tokens(),
        cost: sums.cost(),
        unpriced: sums.unpriced(),
        is_cost_lower_bound: sums.is_cost_lower_bound(),
        user: name(conn, user)?,
        input: input.flatten(),
        output,
    }))
}
