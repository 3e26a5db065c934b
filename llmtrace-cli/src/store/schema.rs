//! The schema of the file, and its versions.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::error::StoreError;

/// What makes each version out of the one before it. A file says its version in `user_version`.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema.sql"), include_str!("views.sql"), include_str!("errors.sql")];

/// The version that this program writes.
pub(super) const VERSION: i64 = 3;
const _: () = assert!(VERSION.unsigned_abs() == MIGRATIONS.len() as u64);

/// What a file of ours says in `application_id`: `llmt`.
const APPLICATION: i64 = 0x6c6c_6d74;

/// Which version a file is of; 0 for an empty one.
pub(super) fn version(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::at(path, &error);
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let held = conn.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |row| row.get::<_, i64>(0));
    let is_empty = held.optional().map_err(failed)?.is_none();
    match (application, version) {
        (0, 0) if is_empty => Ok(0),
        (APPLICATION, version) if version > VERSION => Err(StoreError::Newer(path.to_owned(), version)),
        (APPLICATION, version) if version > 0 => Ok(version),
        _ => Err(StoreError::Foreign(path.to_owned(), "it is an SQLite file of another program")),
    }
}

/// Brings a file to the version that this program writes.
pub(super) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    migrate_to(conn, path, VERSION)
}

/// Brings a file to a version.
pub(super) fn migrate_to(conn: &mut Connection, path: &Path, target: i64) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::at(path, &error);
    if version(conn, path)? == 0 {
        // Before the first table there is, or it has no effect.
        conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").map_err(failed)?;
    }
    for (number, migration) in (1..=target).zip(MIGRATIONS) {
        if version(conn, path)? < number {
            let step = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
            step.execute_batch(migration).map_err(failed)?;
            step.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
            step.pragma_update(None, "user_version", number).map_err(failed)?;
            step.commit().map_err(failed)?;
        }
    }
    Ok(())
}
