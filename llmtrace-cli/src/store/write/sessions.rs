//! What the traces of a session add up to.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::rollups::Change;
use crate::store::sums::Sums;
use crate::store::totals::Totals;

/// What changes of sessions, by the number of their name.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: BTreeMap<i64, SessionChange>,
}

#[derive(Debug, Default)]
struct SessionChange {
    sums: Change,
    traces: i64,
    errors: i64,
}

impl Sessions {
    /// Counts a trace that is new or changed, and takes back what it was.
    pub(super) fn change(&mut self, before: Option<&Totals>, after: Option<&Totals>) {
        if let Some(before) = before {
            self.each(before, -1, |change| &mut change.less);
        }
        if let Some(after) = after {
            self.each(after, 1, |change| &mut change.more);
        }
    }

    fn each(&mut self, totals: &Totals, sign: i64, sums: fn(&mut Change) -> &mut Sums) {
        if totals.labels.session == 0 {
            return;
        }
        let change = self.all.entry(totals.labels.session).or_default();
        change.traces += sign;
        change.errors += sign * totals.errors;
        let sums = sums(&mut change.sums);
        for call in &totals.calls {
            call.add_to(sums);
        }
    }

    /// Writes the sessions that changed; their traces are written already.
    pub(super) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        for (session, change) in std::mem::take(&mut self.all) {
            let mut find =
                conn.prepare_cached("SELECT traces, errors, sums FROM sessions WHERE session = ?1")?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let found: Option<(i64, i64, Vec<u8>)> = find.query_row([session], read).optional()?;
            let (traces, errors, written) =
                found.map_or((0, 0, None), |(traces, errors, sums)| (traces, errors, Some(sums)));
            if traces + change.traces <= 0 {
                conn.prepare_cached("DELETE FROM sessions WHERE session = ?1")?.execute([session])?;
                continue;
            }
            let sums = change.sums.apply(written.as_deref()).ok_or(rusqlite::Error::InvalidQuery)?;
            let write =
                "INSERT OR REPLACE INTO sessions (session, first, last, traces, errors, sums) VALUES (?1,
                (SELECT min(start) FROM traces INDEXED BY traces_by_session WHERE session = ?1 AND session <> 0),
                (SELECT max(start) FROM traces INDEXED BY traces_by_session WHERE session = ?1 AND session <> 0), ?2, ?3, ?4)";
            let (traces, errors) = (traces + change.traces, errors + change.errors);
            conn.prepare_cached(write)?.execute(params![session, traces, errors, sums.to_bytes()])?;
        }
        Ok(())
    }
}
