//! The store: traces in one SQLite file.
//!
//! [`Store::write`] answers when the spans are on the disk. Reading goes through functions that take a connection:
//! [`list::list`], [`trace::load`], [`sessions::list`], [`dashboard::dashboard`], [`stats::stats`],
//! [`scores::of_trace`], [`facets::values`].

pub(crate) mod check;
mod chunk;
pub(crate) mod dashboard;
pub(crate) mod error;
pub(crate) mod facets;
mod fact;
pub(crate) mod filter;
pub(crate) mod histogram;
pub(crate) mod judged;
mod lines;
pub(crate) mod list;
mod open;
pub(crate) mod options;
pub(crate) mod over_time;
mod queue;
mod read_row;
mod readers;
mod retention;
pub(crate) mod row;
mod schema;
pub(crate) mod scores;
mod search;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod sums;
#[cfg(test)]
pub(crate) mod tests;
mod totals;
pub(crate) mod trace;
pub(crate) mod upkeep;
mod varint;
mod write;
mod writer;

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use llmtrace::{SpanId, SpanRecord, TraceId};
use rusqlite::Connection;
use tokio::sync::watch;

use error::StoreError;
use open::Lock;
use options::StoreOptions;
use queue::{Job, Queue, Work};
use readers::Readers;
use scores::NewScore;
use write::prepare::Prepared;
use writer::Writer;

/// A store that this process writes; it is shared by `Arc`, and closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Store {
    queue: Arc<Queue>,
    readers: Readers,
    live: watch::Receiver<u64>,
    writer: Mutex<Option<JoinHandle<()>>>,
    _lock: Lock,
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

/// Spans that are on their way to the disk.
#[derive(Debug)]
pub(crate) struct Ticket {
    done: Receiver<Result<Receipt, StoreError>>,
}

impl Store {
    /// Opens a file for writing, and makes it if there is none.
    pub(crate) fn open(path: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        let conn = open::writer(path)?;
        let queue = Arc::new(Queue::new(options.max_waiting_bytes));
        let (sender, live) = watch::channel(0);
        let writer = Writer::new(conn, Arc::clone(&queue), sender, options.retention)?;
        let thread = thread::Builder::new().name("llmtrace-store".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|error| StoreError::Other(error.to_string()))?;
        let readers = Readers::new(path, options.readers);
        Ok(Self { queue, readers, live, writer: Mutex::new(Some(thread)), _lock: lock })
    }

    /// Writes spans, and returns when they are on the disk. It blocks; says busy at once where too much waits already.
    pub(crate) fn write(&self, spans: Vec<SpanRecord>) -> Result<Receipt, StoreError> {
        self.submit(spans)?.wait()
    }

    /// Makes spans ready to be written, which takes this thread a while, and returns before they are on the disk.
    pub(crate) fn submit(&self, spans: Vec<SpanRecord>) -> Result<Ticket, StoreError> {
        // A span takes about as much memory while it waits as its lines.
        let expected = spans.len().saturating_mul(SPAN_BYTES);
        self.queue.reserve(expected)?;
        let traces = Prepared::all(spans);
        let bytes = traces.iter().map(Prepared::bytes).sum();
        self.queue.resize(expected, bytes);
        self.push(Work::Spans(traces), bytes)
    }

    /// Adds a judgement to a span, and returns when it is on the disk.
    pub(crate) fn add_score(
        &self,
        trace: TraceId,
        span: SpanId,
        score: NewScore,
    ) -> Result<Receipt, StoreError> {
        self.queue.reserve(SPAN_BYTES)?;
        self.push(Work::Score(trace, span, score), SPAN_BYTES)?.wait()
    }

    fn push(&self, work: Work, bytes: usize) -> Result<Ticket, StoreError> {
        let (sender, done) = sync_channel(1);
        self.queue.push(Job { work, bytes, done: sender })?;
        Ok(Ticket { done })
    }

    /// Reads, on one of a few connections and in one transaction; waits for a connection to be free. It blocks.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.read(read)
    }

    /// The number of the last commit, and word of each further one.
    pub(crate) fn live(&self) -> watch::Receiver<u64> {
        self.live.clone()
    }

    /// Writes what waits, and ends; what is written after this is refused.
    pub(crate) fn close(&self) {
        self.queue.close();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer was answered with `Closed`.
            drop(thread.join());
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

impl Ticket {
    /// Waits until the spans are on the disk.
    pub(crate) fn wait(self) -> Result<Receipt, StoreError> {
        self.done.recv().unwrap_or(Err(StoreError::Closed))
    }
}

/// Bytes that are set aside for a span before it is known how many it takes.
const SPAN_BYTES: usize = 1 << 10;

/// Opens a file for reading only; another process may write it meanwhile.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    open::reader(path)
}
