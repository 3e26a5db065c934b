//! The handle that a program keeps while it traces.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::layer::Open;
use crate::pipeline::{ExporterStats, FlushReport, Pipeline, Stats, UsageTotals};
use crate::{FlushError, InstallError};

/// Keeps tracing alive: flush, shut down, look at the accounts. Dropping it flushes, within five seconds.
///
/// ```
/// use std::time::Duration;
///
/// let tracing = llmtrace::builder().install()?;
/// // ... the program ...
/// tracing.shutdown(Duration::from_secs(5))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "tracing ends when the guard is dropped"]
pub struct Guard {
    pipeline: Arc<Pipeline>,
    open: Arc<Open>,
    start_error: Option<InstallError>,
    is_shut_down: AtomicBool,
}

/// How long dropping a [`Guard`] waits for the exporters.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long [`Guard::usage`] waits for the worker to read the calls that have ended.
const SETTLE: Duration = Duration::from_secs(1);

impl Guard {
    pub(crate) fn new(pipeline: Arc<Pipeline>, open: Arc<Open>, start_error: Option<InstallError>) -> Self {
        Self { pipeline, open, start_error, is_shut_down: AtomicBool::new(false) }
    }

    pub(crate) fn take_start_error(&mut self) -> Option<InstallError> {
        self.start_error.take()
    }

    /// Delivers every span that has ended. When it returns with `is_complete`, each of them was exported, counted as
    /// dropped, or is safe on disk. Waits at most `timeout`.
    ///
    /// Where a [`Sampler`](crate::Sampler) waits for the end of traces, those that are open are judged by what is known of
    /// them now: flush between traces rather than within them.
    pub fn flush(&self, timeout: Duration) -> FlushReport {
        self.pipeline.flush(timeout)
    }

    /// Delivers every span that has ended, stops the exporters and refuses what comes after. Waits at most
    /// `timeout`. What no exporter took until then is on its disk, or is counted as dropped.
    ///
    /// # Errors
    ///
    /// If the time was up before every exporter was done, so that spans were dropped or an exporter still hangs; or if
    /// it was shut down before.
    pub fn shutdown(&self, timeout: Duration) -> Result<FlushReport, FlushError> {
        if self.is_shut_down.swap(true, Ordering::AcqRel) {
            return Err(FlushError::AlreadyShutDown);
        }
        let report = self.pipeline.shutdown(timeout);
        let undelivered = report.exporters.iter().map(ExporterStats::undelivered).max().unwrap_or(0);
        if report.is_complete && undelivered == 0 {
            return Ok(report);
        }
        Err(FlushError::TimedOut { undelivered, report })
    }

    /// How the pipeline stands now.
    pub fn stats(&self) -> Stats {
        Stats {
            exporters: self.pipeline.exporter_stats(),
            open_spans: self.open.len(),
            queue_bytes: self.pipeline.queue_bytes(),
            held_bytes: self.pipeline.held_bytes(),
        }
    }

    /// What the process has used so far, by model; a call that two spans record, one within the other, counts once.
    /// Waits until the calls that have ended are counted, at most a
    /// second. With a [`Sampler`](crate::Sampler) that has no `keep_` rule, and without a [`Budget`](crate::Budget), only
    /// sampled traces are counted.
    pub fn usage(&self) -> UsageTotals {
        self.pipeline.settle(SETTLE);
        self.pipeline.usage()
    }

    /// Why no span can be delivered, if the threads could not be started by [`Builder::build`](crate::Builder::build).
    pub fn start_error(&self) -> Option<&InstallError> {
        self.start_error.as_ref()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_shut_down.swap(true, Ordering::AcqRel) {
            self.pipeline.shutdown(DROP_TIMEOUT);
        }
    }
}
