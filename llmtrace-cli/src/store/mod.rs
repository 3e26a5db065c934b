//! The store: traces in one SQLite file.
//!
//! [`Store::write`] answers when the spans are on the disk. Reading goes through functions that take a connection:
//! [`list::list`], [`trace::load`], [`sessions::list`], [`dashboard::dashboard`], [`stats::stats`],
//! [`scores::of_trace`], [`facets::values`].

pub(crate) mod dashboard;
pub(crate) mod error;
pub(crate) mod facets;
pub(crate) mod filter;
pub(crate) mod histogram;
pub(crate) mod list;
pub(crate) mod options;
pub(crate) mod row;
pub(crate) mod scores;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod sums;
pub(crate) mod trace;
mod varint;

use std::path::Path;

use llmtrace::{SpanId, SpanRecord, TraceId};
use rusqlite::Connection;
use tokio::sync::watch;

use error::StoreError;
use options::StoreOptions;
use scores::NewScore;

/// A store that this process writes; it is shared by `Arc`.
#[derive(Debug)]
pub(crate) struct Store {
    live: watch::Sender<u64>,
}

/// What became of spans that were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// Spans that are new.
    pub(crate) new: u64,
    /// Spans that were there, and of which more is known now.
    pub(crate) merged: u64,
    /// Spans that were there already.
    pub(crate) repeated: u64,
    /// The number of the commit.
    pub(crate) commit: u64,
}

impl Store {
    /// Opens a file for writing, and makes it if there is none.
    pub(crate) fn open(_path: &Path, _options: StoreOptions) -> Result<Self, StoreError> {
        Ok(Self { live: watch::Sender::new(0) })
    }

    /// Writes spans, and returns when they are on the disk. It blocks; says busy at once where too much waits already.
    pub(crate) fn write(&self, _spans: Vec<SpanRecord>) -> Result<Receipt, StoreError> {
        Err(StoreError::Closed)
    }

    /// Adds a judgement to a span, and returns when it is on the disk.
    pub(crate) fn add_score(
        &self,
        _trace: TraceId,
        _span: SpanId,
        _score: NewScore,
    ) -> Result<Receipt, StoreError> {
        Err(StoreError::Closed)
    }

    /// Reads, on one of a few connections; waits for one to be free. It blocks.
    pub(crate) fn read<T>(
        &self,
        _read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        Err(StoreError::Closed)
    }

    /// The number of the last commit, and word of each further one.
    pub(crate) fn live(&self) -> watch::Receiver<u64> {
        self.live.subscribe()
    }

    /// Writes what waits, and ends; what is written after this is refused.
    pub(crate) fn close(&self) {}
}

/// Opens a file for reading only; another process may write it meanwhile.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    Connection::open(path).map_err(|error| StoreError::at(path, &error))
}
