//! What traces can be filtered by, for menus.

use rusqlite::{Connection, params};

use super::error::StoreError;

/// What traces can be filtered by. The numbers stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Facet {
    Model = 1,
    Provider = 2,
    Service = 3,
    Session = 4,
    User = 5,
    Tag = 6,
    Environment = 7,
    Kind = 8,
    Status = 9,
    /// The names of spans.
    Name = 10,
    /// The names of scores.
    Score = 11,
}

/// A value, and how many traces have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FacetValue {
    pub(crate) value: String,
    pub(crate) traces: u64,
}

/// The values of a facet that most traces have; at most `limit`.
pub(crate) fn values(conn: &Connection, facet: Facet, limit: usize) -> Result<Vec<FacetValue>, StoreError> {
    let find = "SELECT n.text, c.traces FROM facet_counts AS c INDEXED BY facet_counts_by_traces
        CROSS JOIN names AS n ON n.id = c.value WHERE c.facet = ?1 ORDER BY c.traces DESC LIMIT ?2";
    let mut find = conn.prepare_cached(find)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = find.query_map(params![facet as u8, limit], |row| {
        Ok(FacetValue { value: row.get(0)?, traces: row.get::<_, i64>(1)?.unsigned_abs() })
    })?;
    Ok(values.collect::<rusqlite::Result<_>>()?)
}
