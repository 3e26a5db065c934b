//! What the tests share: exporters and servers that misbehave.

pub mod backend;
pub mod fault;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use llmtrace::{ExportError, Exporter, SpanRecord};

/// An exporter that does as it is told on each batch.
pub struct Scripted<F> {
    name: &'static str,
    script: F,
}

impl<F> Scripted<F>
where
    F: FnMut(&[SpanRecord]) -> Result<(), ExportError> + Send + 'static,
{
    /// An exporter that runs `script` on each batch.
    pub fn new(name: &'static str, script: F) -> Self {
        Self { name, script }
    }
}

impl<F> std::fmt::Debug for Scripted<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<F> Exporter for Scripted<F>
where
    F: FnMut(&[SpanRecord]) -> Result<(), ExportError> + Send + 'static,
{
    fn name(&self) -> &str {
        self.name
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        (self.script)(batch)
    }
}

/// An exporter that is stuck until its [`Gate`] opens.
pub fn gated(name: &'static str) -> (impl Exporter, Gate) {
    let (open, opened) = channel::<()>();
    let seen = Arc::new(Mutex::new(0));
    let gate = Gate { open: Some(open), seen: Arc::clone(&seen) };
    let opened: Mutex<Receiver<()>> = Mutex::new(opened);
    let exporter = Scripted::new(name, move |batch: &[SpanRecord]| {
        // Nothing is ever sent: this returns when the gate is dropped.
        if let Ok(opened) = opened.lock() {
            let _ = opened.recv();
        }
        if let Ok(mut seen) = seen.lock() {
            *seen += batch.iter().filter(|span| span.name != "llmtrace.dropped").count();
        }
        Ok(())
    });
    (exporter, gate)
}

/// Opens the exporter that it came with.
#[derive(Debug)]
pub struct Gate {
    open: Option<Sender<()>>,
    seen: Arc<Mutex<usize>>,
}

impl Gate {
    /// Lets the exporter go on.
    pub fn open(&mut self) {
        self.open = None;
    }

    /// Spans that have passed; records of losses are not counted.
    pub fn seen(&self) -> usize {
        self.seen.lock().map(|seen| *seen).unwrap_or_default()
    }
}
