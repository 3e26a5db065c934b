//! One transaction: what changes is gathered, and written where it belongs at its end.

use rusqlite::Connection;

use super::facets::FacetCounts;
use super::names::Names;
use super::rollups::Rollups;
use super::search::NewTexts;
use super::sessions::Sessions;
use crate::store::error::StoreError;

/// What the writer remembers from one transaction to the next.
#[derive(Debug)]
pub(in crate::store) struct State {
    pub(super) names: Names,
    /// The number of the next trace.
    pub(super) next_trace: i64,
    /// The number of the last commit.
    pub(in crate::store) commit: i64,
}

/// One transaction, while it is open.
#[derive(Debug)]
pub(in crate::store) struct Commit<'a> {
    pub(super) conn: &'a Connection,
    pub(super) state: &'a mut State,
    /// Nanoseconds since 1970.
    pub(super) now: i64,
    pub(super) texts: NewTexts,
    pub(super) rollups: Rollups,
    pub(super) sessions: Sessions,
    pub(super) facet_counts: FacetCounts,
}

impl State {
    /// What a file says.
    pub(in crate::store) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let newest =
            conn.query_row("SELECT ifnull(max(id), 0) FROM traces", [], |row| row.get::<_, i64>(0))?;
        let commit = "SELECT ifnull((SELECT value FROM meta WHERE key = 'commit'), 0)";
        let commit = conn.query_row(commit, [], |row| row.get(0))?;
        Ok(Self { names: Names::default(), next_trace: newest + 1, commit })
    }

    /// Runs a transaction; what it did is on the disk when this returns, or nothing of it is.
    pub(in crate::store) fn commit<T>(
        &mut self,
        conn: &Connection,
        now: i64,
        work: impl FnOnce(&mut Commit<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let before = self.commit;
        self.commit += 1;
        let mut commit = Commit {
            conn,
            now,
            texts: NewTexts::default(),
            rollups: Rollups::default(),
            sessions: Sessions::default(),
            facet_counts: FacetCounts::default(),
            state: self,
        };
        let done = work(&mut commit).and_then(|done| commit.finish().map(|()| done));
        let done = done.and_then(|done| Ok(conn.execute_batch("COMMIT").map(|()| done)?));
        if done.is_err() {
            self.commit = before;
            self.names.forget();
            // Where the transaction is gone already there is nothing to roll back.
            drop(conn.execute_batch("ROLLBACK"));
        }
        done
    }
}

impl Commit<'_> {
    /// The number that the transaction will have.
    pub(in crate::store) fn number(&self) -> u64 {
        self.state.commit.unsigned_abs()
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        self.texts.write(self.conn)?;
        self.rollups.write(self.conn)?;
        self.sessions.write(self.conn)?;
        self.facet_counts.write(self.conn)?;
        let write = "INSERT OR REPLACE INTO meta (key, value) VALUES ('commit', ?1)";
        self.conn.prepare_cached(write)?.execute([self.state.commit])?;
        Ok(())
    }
}
