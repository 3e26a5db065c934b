//! What calls add up to over time.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};

use crate::store::sums::Sums;
use crate::store::totals::CountedCall;

/// Seconds of a bucket, by service, provider and model.
pub(in crate::store) const LEVELS: [i64; 3] = [60, 3_600, 86_400];

/// Seconds of a bucket, by user.
pub(in crate::store) const USER_LEVELS: [i64; 2] = [3_600, 86_400];

/// What changes of the sums, by where they stand: level, bucket, service, provider and model.
#[derive(Debug, Default)]
pub(super) struct Rollups {
    all: BTreeMap<[i64; 5], Change>,
    /// By level, bucket and user.
    users: BTreeMap<[i64; 3], Change>,
}

/// What is added to sums, and what is taken back.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) more: Sums,
    pub(super) less: Sums,
}

impl Change {
    pub(super) fn is_nothing(&self) -> bool {
        self.more == self.less
    }

    /// The sums after the change; `None` if `written` is damaged.
    pub(super) fn apply(&self, written: Option<&[u8]>) -> Option<Sums> {
        let mut sums = Sums::default();
        if let Some(written) = written {
            sums.merge_bytes(written)?;
        }
        sums.merge(&self.more);
        sums.subtract(&self.less);
        Some(sums)
    }
}

impl Rollups {
    /// Counts the calls of a trace that are new, and takes those back that are no more.
    pub(super) fn change(&mut self, before: &[CountedCall], after: &[CountedCall]) {
        let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
        // Both are in the order of their spans.
        loop {
            match (before.peek(), after.peek()) {
                (Some(old), Some(new)) if old == new => {
                    before.next();
                    after.next();
                }
                (Some(old), new)
                    if new.is_none_or(|new| old.span_id.to_bytes() <= new.span_id.to_bytes()) =>
                {
                    self.each(old, |change| &mut change.less);
                    before.next();
                }
                (_, Some(new)) => {
                    self.each(new, |change| &mut change.more);
                    after.next();
                }
                (_, None) => return,
            }
        }
    }

    fn each(&mut self, call: &CountedCall, sums: fn(&mut Change) -> &mut Sums) {
        let labels = &call.labels;
        for level in LEVELS {
            let key = [level, bucket(level, call.start), labels.service, labels.provider, labels.model];
            call.add_to(sums(self.all.entry(key).or_default()));
        }
        if labels.user != 0 {
            for level in USER_LEVELS {
                let key = [level, bucket(level, call.start), labels.user];
                call.add_to(sums(self.users.entry(key).or_default()));
            }
        }
    }

    /// Writes the sums that changed.
    pub(super) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let condition = "level = ?1 AND bucket = ?2 AND service = ?3 AND provider = ?4 AND model = ?5";
        let insert = "INSERT OR REPLACE INTO rollups (level, bucket, service, provider, model, sums)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for (key, change) in std::mem::take(&mut self.all) {
            write(conn, "rollups", condition, insert, &key, &change)?;
        }
        let condition = "level = ?1 AND bucket = ?2 AND user = ?3";
        let insert =
            "INSERT OR REPLACE INTO user_rollups (level, bucket, user, sums) VALUES (?1, ?2, ?3, ?4)";
        for (key, change) in std::mem::take(&mut self.users) {
            write(conn, "user_rollups", condition, insert, &key, &change)?;
        }
        Ok(())
    }
}

fn write(
    conn: &Connection,
    table: &str,
    condition: &str,
    insert: &str,
    key: &[i64],
    change: &Change,
) -> rusqlite::Result<()> {
    if change.is_nothing() {
        return Ok(());
    }
    let values = || rusqlite::params_from_iter(key);
    let mut find = conn.prepare_cached(&format!("SELECT sums FROM {table} WHERE {condition}"))?;
    let written: Option<Vec<u8>> = find.query_row(values(), |row| row.get(0)).optional()?;
    let sums = change.apply(written.as_deref()).ok_or(rusqlite::Error::InvalidQuery)?;
    if sums.calls == 0 {
        conn.prepare_cached(&format!("DELETE FROM {table} WHERE {condition}"))?.execute(values())?;
        return Ok(());
    }
    let key = key.iter().map(|number| Value::Integer(*number));
    let row = key.chain([Value::Blob(sums.to_bytes())]);
    conn.prepare_cached(insert)?.execute(rusqlite::params_from_iter(row))?;
    Ok(())
}

/// The bucket of a level that a time lies in.
pub(in crate::store) fn bucket(level: i64, nanos: i64) -> i64 {
    let seconds = nanos.div_euclid(1_000_000_000);
    seconds - seconds.rem_euclid(level)
}
