//! What waits for the writer.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use llmtrace::{SpanId, TraceId};

use super::Receipt;
use super::error::StoreError;
use super::scores::NewScore;
use super::write::prepare::Prepared;

/// What is to be done in a transaction.
#[derive(Debug)]
pub(super) enum Work {
    Spans(Vec<Prepared>),
    Score(TraceId, SpanId, NewScore),
}

/// Work, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    /// Roughly the memory that it takes.
    pub(super) bytes: usize,
    pub(super) done: SyncSender<Result<Receipt, StoreError>>,
}

/// What waits for the writer, bounded in bytes.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    is_closed: bool,
}

/// What the writer is to do next.
#[derive(Debug)]
pub(super) enum Next {
    Jobs(Vec<Job>),
    /// Nothing came for a while.
    Idle,
    /// All is done, and nothing more comes.
    Closed,
}

/// Bytes of work that are done in one transaction, save for the last job.
const TRANSACTION_BYTES: usize = 8 << 20;

impl Queue {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), max_bytes }
    }

    /// Sets memory aside for work that is being made ready; a single piece of any size is taken when nothing waits.
    pub(super) fn reserve(&self, bytes: usize) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err(StoreError::Closed);
        }
        if waiting.bytes > 0 && waiting.bytes.saturating_add(bytes) > self.max_bytes {
            return Err(StoreError::Busy);
        }
        waiting.bytes += bytes;
        Ok(())
    }

    /// Sets aside what work takes, now that it is known, in place of what was expected.
    pub(super) fn resize(&self, expected: usize, bytes: usize) {
        let mut waiting = self.lock();
        waiting.bytes = waiting.bytes.saturating_sub(expected).saturating_add(bytes);
    }

    /// Puts work in line, for which memory is set aside.
    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.is_closed {
            waiting.bytes = waiting.bytes.saturating_sub(job.bytes);
            return Err(StoreError::Closed);
        }
        waiting.jobs.push_back(job);
        self.changed.notify_all();
        Ok(())
    }

    /// Says that work is done, and its memory free.
    pub(super) fn release(&self, bytes: usize) {
        let mut waiting = self.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
    }

    /// Waits for work, for a while at most.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let has_news = |waiting: &mut Waiting| waiting.jobs.is_empty() && !waiting.is_closed;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, has_news);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        let (mut jobs, mut bytes) = (Vec::new(), 0);
        while bytes < TRANSACTION_BYTES
            && let Some(job) = waiting.jobs.pop_front()
        {
            bytes += job.bytes;
            jobs.push(job);
        }
        match jobs.is_empty() {
            false => Next::Jobs(jobs),
            true if waiting.is_closed => Next::Closed,
            true => Next::Idle,
        }
    }

    /// Takes nothing more in; what waits is still done.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Refuses what waits and what comes, as nobody is there to write it.
    pub(super) fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        // Whoever waits for an answer is told by the end of the channel.
        waiting.jobs.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
