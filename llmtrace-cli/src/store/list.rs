//! The list of traces.

use rusqlite::Connection;

use super::error::StoreError;
use super::filter::{Cursor, Sort, TraceFilter};
use super::row::TraceRow;

/// A page of the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) traces: Vec<TraceRow>,
    /// Where the next page starts; `None` on the last one.
    pub(crate) after: Option<Cursor>,
    /// Whether the search matched more than was looked at.
    pub(crate) is_cut: bool,
}

/// Traces on a page, at most.
pub(crate) const MAX_LIMIT: usize = 500;

/// Matches of a search that are looked at: the newest.
pub(crate) const MAX_MATCHES: usize = 10_000;

/// The traces that a filter lets through, in an order, from a cursor on.
pub(crate) fn list(
    _conn: &Connection,
    _filter: &TraceFilter,
    _sort: Sort,
    _after: Option<Cursor>,
    _limit: usize,
) -> Result<Page, StoreError> {
    Ok(Page::default())
}
