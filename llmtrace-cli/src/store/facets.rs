//! What traces can be filtered by, for menus.

use rusqlite::Connection;

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
pub(crate) fn values(
    _conn: &Connection,
    _facet: Facet,
    _limit: usize,
) -> Result<Vec<FacetValue>, StoreError> {
    Ok(Vec::new())
}
