//! Sessions: conversations over their traces.

use llmtrace::{Timestamp, Usd};
use rusqlite::Connection;

use super::error::StoreError;
use super::filter::Cursor;
use super::row::{Tokens, TraceRow};

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
    _conn: &Connection,
    _after: Option<Cursor>,
    _limit: usize,
) -> Result<SessionPage, StoreError> {
    Ok(SessionPage::default())
}

/// One session; `None` if there is none of this name.
pub(crate) fn load(_conn: &Connection, _session: &str) -> Result<Option<SessionRow>, StoreError> {
    Ok(None)
}

/// The traces of a session in the order in which they started, from a cursor on.
pub(crate) fn traces(
    _conn: &Connection,
    _session: &str,
    _after: Option<Cursor>,
    _limit: usize,
) -> Result<(Vec<TraceRow>, Option<Cursor>), StoreError> {
    Ok((Vec::new(), None))
}
