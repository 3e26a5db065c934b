//! Looking after the file.

use std::path::Path;

use rusqlite::Connection;

use super::check::{self, Findings};
use super::error::StoreError;
use super::open::{self, Lock};

/// Checks a file; one of an older version is brought up to date first, unless another process writes it.
pub(crate) fn check(path: &Path) -> Result<Findings, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let (_lock, conn) = match Lock::take(path) {
        Ok(lock) => (Some(lock), open::writer(path)?),
        Err(StoreError::Locked(_)) => (None, open::reader(path)?),
        Err(error) => return Err(error),
    };
    check::check(&conn)
}

/// Makes a file as small as it can be; says how many bytes it had and has.
pub(crate) fn compact(path: &Path) -> Result<(u64, u64), StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let _lock = Lock::take(path)?;
    let conn = open::writer(path)?;
    let before = bytes(path);
    shrink(&conn).map_err(|error| StoreError::at(path, &error))?;
    Ok((before, bytes(path)))
}

fn shrink(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "BEGIN IMMEDIATE;
        DELETE FROM chunks WHERE id NOT IN (SELECT chunk FROM spans);
        CREATE TEMP TABLE used (id INTEGER PRIMARY KEY);
        INSERT OR IGNORE INTO used SELECT name FROM spans UNION SELECT service FROM spans
            UNION SELECT environment FROM spans UNION SELECT model FROM spans UNION SELECT provider FROM spans
            UNION SELECT session FROM spans UNION SELECT user FROM spans UNION SELECT value FROM facets
            UNION SELECT name FROM scores;
        DELETE FROM names WHERE id NOT IN (SELECT id FROM used);
        DROP TABLE used;
        INSERT INTO search (search) VALUES ('optimize');
        COMMIT;
        VACUUM;
        PRAGMA wal_checkpoint(TRUNCATE);",
    )
}

fn bytes(path: &Path) -> u64 {
    path.metadata().map_or(0, |data| data.len())
}
