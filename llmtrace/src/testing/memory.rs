//! An exporter that keeps spans in memory.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{ExportError, Exporter, SpanRecord};

/// An exporter that keeps spans in memory; clones share them.
///
/// ```
/// use llmtrace::testing::InMemory;
///
/// let memory = InMemory::default();
/// let (_layer, guard) = llmtrace::builder().exporter(memory.clone()).build::<tracing_subscriber::Registry>();
/// guard.flush(std::time::Duration::from_secs(5));
/// assert!(memory.spans().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct InMemory(Arc<Mutex<Vec<SpanRecord>>>);

impl InMemory {
    /// The spans exported so far, in the order of their ends within each trace.
    pub fn spans(&self) -> Vec<SpanRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets all spans.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Exporter for InMemory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(batch);
        Ok(())
    }
}
