//! Words that can be searched.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, params};

/// Texts that are to be searched, by the number of their row.
#[derive(Debug, Default)]
pub(super) struct NewTexts {
    rows: Vec<(i64, String)>,
}

/// Rows of `search` and chunks that a trace has at most: 2 to this power.
pub(in crate::store) const TRACE_BITS: u32 = 20;

/// Hashes of texts that are kept of a trace; what comes after them may be found twice.
const MAX_HASHES: usize = 4_096;

impl NewTexts {
    /// Takes the texts that a trace does not hold yet.
    pub(super) fn add(
        &mut self,
        conn: &Connection,
        trace: i64,
        texts: &[(u64, String)],
        is_new: bool,
    ) -> rusqlite::Result<()> {
        let (rows, mut hashes) = if is_new { (0, Vec::new()) } else { known(conn, trace)? };
        let seen: HashSet<[u8; 8]> = hashes.as_chunks().0.iter().copied().collect();
        let mut text = String::new();
        for (hash, piece) in texts {
            let hash = hash.to_le_bytes();
            if !seen.contains(&hash) {
                text.push_str(piece);
                text.push('\n');
                if hashes.len() < MAX_HASHES * 8 {
                    hashes.extend_from_slice(&hash);
                }
            }
        }
        if text.is_empty() || rows >= 1 << TRACE_BITS {
            return Ok(());
        }
        self.rows.push(((trace << TRACE_BITS) + rows, text));
        let write = "INSERT OR REPLACE INTO texts (trace, rows, hashes) VALUES (?1, ?2, ?3)";
        conn.prepare_cached(write)?.execute(params![trace, rows + 1, hashes])?;
        Ok(())
    }

    /// Writes them in the order of their rows, which the index takes fastest.
    pub(super) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.rows.sort_unstable_by_key(|(row, _)| *row);
        let mut insert = conn.prepare_cached("INSERT INTO search (rowid, text) VALUES (?1, ?2)")?;
        for (row, text) in self.rows.drain(..) {
            insert.execute(params![row, text])?;
        }
        Ok(())
    }
}

/// Removes what is searched of a trace.
pub(super) fn remove(conn: &Connection, trace: i64) -> rusqlite::Result<()> {
    let (rows, _) = known(conn, trace)?;
    let mut delete = conn.prepare_cached("DELETE FROM search WHERE rowid = ?1")?;
    for row in 0..rows {
        delete.execute([(trace << TRACE_BITS) + row])?;
    }
    conn.prepare_cached("DELETE FROM texts WHERE trace = ?1")?.execute([trace])?;
    Ok(())
}

fn known(conn: &Connection, trace: i64) -> rusqlite::Result<(i64, Vec<u8>)> {
    let mut find = conn.prepare_cached("SELECT rows, hashes FROM texts WHERE trace = ?1")?;
    let found = find.query_row([trace], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.unwrap_or_default())
}
