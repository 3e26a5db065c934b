//! Spans that travel together, and the way back of their memory.

use std::sync::Arc;

use crate::SpanRecord;
use crate::sync::{Mutex, lock};

/// Spans that travel together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) spans: Vec<SpanRecord>,
    /// Estimated memory.
    pub(super) bytes: usize,
}

/// Batches that every exporter is done with, on their way back to the thread that made them: memory is freed where
/// it was allocated, because threads that free each other's memory wait for each other in the allocator.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Option<Vec<Batch>>>);

impl Spent {
    /// Takes a batch, if no other exporter has it any more and somebody fetches it.
    pub(super) fn put(&self, batch: Arc<Batch>) {
        if let Some(batch) = Arc::into_inner(batch)
            && let Some(batches) = &mut *lock(&self.0)
        {
            batches.push(batch);
        }
    }

    /// Worker: the batches so far; from now on they are kept for the next call.
    pub(super) fn take(&self) -> Vec<Batch> {
        lock(&self.0).replace(Vec::new()).unwrap_or_default()
    }

    /// Worker: the batches so far; from now on they are freed where they are.
    pub(super) fn close(&self) -> Vec<Batch> {
        lock(&self.0).take().unwrap_or_default()
    }
}
