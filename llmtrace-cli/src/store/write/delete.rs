//! Removing traces.

use rusqlite::{OptionalExtension as _, params};

use super::commit::Commit;
use super::facets::{FacetSet, from_bytes};
use super::search::{self, TRACE_BITS};
use crate::store::error::StoreError;
use crate::store::fact::Fact;
use crate::store::totals::Totals;

impl Commit<'_> {
    /// Removes a trace, and all that it counts for.
    pub(super) fn remove(&mut self, trace: i64) -> Result<(), StoreError> {
        let mut find = self.conn.prepare_cached("SELECT facets FROM traces WHERE id = ?1")?;
        let Some(facets) = find.query_row([trace], |row| row.get::<_, Vec<u8>>(0)).optional()? else {
            return Ok(());
        };
        let totals = Totals::of(&Fact::of_trace(self.conn, trace)?);
        let set = from_bytes(&facets);
        self.write_facets(trace, (totals.start, &set), (totals.start, &FacetSet::new()))?;
        self.rollups.change(&totals.calls, &[]);
        self.sessions.change(Some(&totals), None);
        search::remove(self.conn, trace)?;
        let range = [trace << TRACE_BITS, (trace + 1) << TRACE_BITS];
        self.conn.prepare_cached("DELETE FROM chunks WHERE id >= ?1 AND id < ?2")?.execute(range)?;
        for statement in [
            "DELETE FROM spans WHERE trace = ?1",
            "DELETE FROM scores WHERE trace = ?1",
            "DELETE FROM traces WHERE id = ?1",
        ] {
            self.conn.prepare_cached(statement)?.execute([trace])?;
        }
        Ok(())
    }

    /// Removes the traces that started before a time, some at once; says how many.
    pub(in crate::store) fn remove_before(&mut self, start: i64, limit: usize) -> Result<usize, StoreError> {
        let find = "SELECT id FROM traces WHERE start < ?1 ORDER BY start, id LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut find = self.conn.prepare_cached(find)?;
        let ids: Vec<i64> =
            find.query_map(params![start, limit], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            self.remove(*id)?;
        }
        Ok(ids.len())
    }
}
