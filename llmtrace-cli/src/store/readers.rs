//! A few connections that read.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use super::error::StoreError;
use super::open;

/// A few connections that read, each opened when it is first needed.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Idle>,
    returned: Condvar,
}

#[derive(Debug)]
struct Idle {
    connections: Vec<Connection>,
    /// How many more may be opened.
    more: usize,
}

impl Readers {
    pub(super) fn new(path: &Path, count: usize) -> Self {
        let idle = Idle { connections: Vec::new(), more: count.max(1) };
        Self { path: path.to_owned(), idle: Mutex::new(idle), returned: Condvar::new() }
    }

    /// Reads on a connection of its own, in one transaction: all of it sees the same state of the file.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let borrowed = Borrowed { conn: Some(self.take()?), readers: self };
        match &borrowed.conn {
            Some(conn) => transaction(conn, read),
            None => Err(StoreError::Closed),
        }
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(conn) = idle.connections.pop() {
                return Ok(conn);
            }
            if idle.more > 0 {
                idle.more -= 1;
                drop(idle);
                let opened = open::reader(&self.path);
                if opened.is_err() {
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).more += 1;
                    self.returned.notify_one();
                }
                return opened;
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A connection that is given back also after a panic.
#[derive(Debug)]
struct Borrowed<'a> {
    conn: Option<Connection>,
    readers: &'a Readers,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match self.conn.take() {
            // A transaction that a panic left open is over with its connection.
            Some(conn) if conn.is_autocommit() => idle.connections.push(conn),
            _ => idle.more += 1,
        }
        self.readers.returned.notify_one();
    }
}

/// Reads in one transaction.
fn transaction<T>(
    conn: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    conn.execute_batch("BEGIN")?;
    let done = read(conn);
    let ended = conn.execute_batch("COMMIT");
    let done = done?;
    ended?;
    Ok(done)
}
