//! Strings that repeat, by number.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

/// The numbers of the names that were seen last.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: HashMap<Box<str>, i64>,
}

/// Names that are kept in memory.
const MAX_KNOWN: usize = 50_000;

impl Names {
    /// The number of a name, a new one where it has none; 0 for none.
    pub(super) fn number(&mut self, conn: &Connection, name: Option<&str>) -> rusqlite::Result<i64> {
        let Some(name) = name else { return Ok(0) };
        if let Some(number) = self.known.get(name) {
            return Ok(*number);
        }
        let mut find = conn.prepare_cached("SELECT id FROM names WHERE text = ?1")?;
        let found = find.query_row([name], |row| row.get(0)).optional()?;
        let number = if let Some(number) = found {
            number
        } else {
            conn.prepare_cached("INSERT INTO names (text) VALUES (?1)")?.execute([name])?;
            conn.last_insert_rowid()
        };
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(name.into(), number);
        Ok(number)
    }

    /// Forgets all numbers, as after a transaction that was rolled back.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}
