//! Connections to the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::schema;

/// How long a connection waits for another, at most.
const BUSY: Duration = Duration::from_secs(10);

/// Memory for pages that the writer keeps, in KiB.
const WRITER_CACHE: i64 = 32 << 10;

/// Memory for pages that a reader keeps, in KiB.
const READER_CACHE: i64 = 8 << 10;

/// Pages of the log that make it be written back: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4_096;

/// Bytes that the log is cut to once it was written back.
const LOG_BYTES: i64 = 32 << 20;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 128;

/// What lets one process write a file at a time; it lies beside the file, with `.lock` after its name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let failed = |error: std::io::Error| StoreError::Other(format!("{}: {error}", lock.display()));
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// The connection that writes; it makes the file if there is none, and brings it to the newest version.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::at(path, &error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.busy_timeout(BUSY).map_err(failed)?;
    schema::version(&conn, path)?;
    schema::migrate(&mut conn, path)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(failed)?;
    conn.pragma_update(None, "journal_size_limit", LOG_BYTES).map_err(failed)?;
    tune(&conn, WRITER_CACHE).map_err(failed)?;
    Ok(conn)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::at(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    conn.busy_timeout(BUSY).map_err(failed)?;
    match schema::version(&conn, path)? {
        schema::VERSION => {}
        0 => return Err(StoreError::Foreign(path.to_owned(), "it is empty")),
        older => return Err(StoreError::Older(path.to_owned(), older)),
    }
    conn.pragma_update(None, "query_only", true).map_err(failed)?;
    tune(&conn, READER_CACHE).map_err(failed)?;
    Ok(conn)
}

fn tune(conn: &Connection, cache: i64) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "cache_size", -cache)?;
    conn.pragma_update(None, "trusted_schema", false)
}
