//! Removing what is too old or too much, in small steps.

use std::time::{Duration, Instant};

use llmtrace::Timestamp;
use rusqlite::Connection;

use super::error::StoreError;
use super::fact::nanos;
use super::options::Retention;
use super::write::commit::State;

/// Removes what is too old or too much, a little at a time.
#[derive(Debug)]
pub(super) struct Sweep {
    retention: Retention,
    /// When it is looked for again.
    due: Option<Instant>,
    is_behind: bool,
}

/// Traces that are removed in one step.
const STEP: usize = 50;

/// Pages that are given back to the disk in one step.
const PAGES: u32 = 1_000;

/// How long nothing is looked for once nothing was found.
const PAUSE: Duration = Duration::from_secs(10);

impl Sweep {
    pub(super) fn new(retention: Retention) -> Self {
        Self { retention, due: None, is_behind: false }
    }

    /// Whether there is more to remove.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Removes some traces, if any are to be; says how many. What fails is tried again later.
    pub(super) fn step(&mut self, conn: &Connection, state: &mut State, now: Instant) -> usize {
        if self.retention == Retention::default() || self.due.is_some_and(|due| now < due) {
            return 0;
        }
        let removed = self.remove(conn, state).unwrap_or(0);
        self.is_behind = removed > 0;
        self.due = (removed == 0).then(|| now + PAUSE);
        removed
    }

    fn remove(&self, conn: &Connection, state: &mut State) -> Result<usize, StoreError> {
        let now = Timestamp::now();
        let oldest = match self.retention.keep {
            Some(keep) => nanos(now).saturating_sub(i64::try_from(keep.as_nanos()).unwrap_or(i64::MAX)),
            None => i64::MIN,
        };
        let is_full = match self.retention.max_bytes {
            Some(max) => used_bytes(conn)? > max,
            None => false,
        };
        let before = if is_full { i64::MAX } else { oldest };
        let is_due = "SELECT EXISTS (SELECT 1 FROM traces WHERE start < ?1)";
        let removed = if conn.prepare_cached(is_due)?.query_row([before], |row| row.get(0))? {
            state.commit(conn, nanos(now), |commit| commit.remove_before(before, STEP))?
        } else {
            0
        };
        // Each step of the statement gives one page back.
        let mut vacuum = conn.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
        Ok(removed)
    }
}

/// Bytes of the file that are in use.
pub(super) fn used_bytes(conn: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages.saturating_mul(pragma("page_size")?).unsigned_abs())
}
