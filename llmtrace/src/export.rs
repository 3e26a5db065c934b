//! The contract between the pipeline and whatever ships spans.

mod context;
mod notice;

use std::error::Error;
use std::fmt;
use std::time::Duration;

pub use context::{ExportContext, ShutdownBegan};
pub(crate) use notice::Notices;

use crate::SpanRecord;

/// Ships finished spans somewhere.
///
/// Each exporter runs on a thread of its own: it may block, and one exporter never waits for another. A panic
/// in any of these methods is caught and counted as a failed export.
///
/// ```
/// use llmtrace::{ExportError, Exporter, SpanRecord};
///
/// /// Counts errors.
/// struct ErrorCount(u64);
///
/// impl Exporter for ErrorCount {
///     fn name(&self) -> &str {
///         "error-count"
///     }
///
///     fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
///         self.0 += batch.iter().filter(|span| span.status.is_error()).count() as u64;
///         Ok(())
///     }
/// }
/// ```
pub trait Exporter: Send + 'static {
    /// A short name for `Guard::stats`.
    fn name(&self) -> &str;

    /// Called once on the exporter's own thread, before anything else. What waits, retries or puts spans aside keeps
    /// the context.
    fn start(&mut self, context: ExportContext) {
        drop(context);
    }

    /// Ships a batch. Spans of one trace come in the order in which they ended.
    ///
    /// # Errors
    ///
    /// Spans of a batch that fails are counted as dropped; an exporter that can retry does so itself.
    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError>;

    /// Called while no batch waits: a chance to work on what was put aside, a piece at a time. Says after how long it
    /// wants to be called again; `None` for not before the next batch or flush.
    fn idle(&mut self) -> Option<Duration> {
        None
    }

    /// Makes durable what was exported so far. Called on `Guard::flush`.
    ///
    /// # Errors
    ///
    /// The error is reported by `Guard::flush`.
    fn flush(&mut self) -> Result<(), ExportError> {
        Ok(())
    }

    /// Called once, last.
    ///
    /// # Errors
    ///
    /// The error is reported by `Guard::shutdown`.
    fn shutdown(&mut self) -> Result<(), ExportError> {
        self.flush()
    }
}

/// For exporters that are chosen while the program runs.
impl<E: Exporter + ?Sized> Exporter for Box<E> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn start(&mut self, context: ExportContext) {
        (**self).start(context);
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        (**self).export(batch)
    }

    fn idle(&mut self) -> Option<Duration> {
        (**self).idle()
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        (**self).flush()
    }

    fn shutdown(&mut self) -> Result<(), ExportError> {
        (**self).shutdown()
    }
}

/// Why a batch was not shipped.
///
/// ```
/// use llmtrace::ExportError;
///
/// let error = ExportError::retryable("503 Service Unavailable");
/// assert!(error.is_retryable());
/// assert_eq!(error.to_string(), "503 Service Unavailable");
/// ```
pub struct ExportError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    retryable: bool,
    cut_short: bool,
    lost: Option<u64>,
}

impl ExportError {
    /// A failure that trying again will not mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None, retryable: false, cut_short: false, lost: None }
    }

    /// A failure that may pass.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::permanent(message) }
    }

    /// A failure that may pass, if only the [deadline](ExportContext::deadline) of a shutdown left the time. Its spans
    /// are counted under [`DropReason::ShutdownTimeout`](crate::DropReason::ShutdownTimeout).
    pub fn cut_short(message: impl Into<String>) -> Self {
        Self { cut_short: true, ..Self::retryable(message) }
    }

    /// The same failure with what caused it.
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure for a batch of which only `lost` spans were not shipped; those that are
    /// [on disk](ExportContext::spooled) are not among them.
    pub fn with_lost(mut self, lost: u64) -> Self {
        self.lost = Some(lost);
        self
    }

    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// Whether the deadline of a shutdown left no time.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// How many spans of the batch were not shipped; `None` for all of them.
    pub fn lost(&self) -> Option<u64> {
        self.lost
    }
}

impl fmt::Debug for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportError")
            .field("message", &self.message)
            .field("retryable", &self.retryable)
            .field("cut_short", &self.cut_short)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ExportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<std::io::Error> for ExportError {
    fn from(error: std::io::Error) -> Self {
        Self::retryable(error.to_string()).with_source(error)
    }
}

#[cfg(all(test, not(llmtrace_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_boxed_exporter_is_asked_for_everything() {
        struct Told(std::sync::mpsc::Sender<&'static str>);

        impl Told {
            fn tell(&self, what: &'static str) {
                self.0.send(what).unwrap();
            }
        }

        impl Exporter for Told {
            fn name(&self) -> &'static str {
                "told"
            }

            fn start(&mut self, _: ExportContext) {
                self.tell("start");
            }

            fn export(&mut self, _: &[SpanRecord]) -> Result<(), ExportError> {
                self.tell("export");
                Ok(())
            }

            fn idle(&mut self) -> Option<Duration> {
                self.tell("idle");
                Some(Duration::ZERO)
            }

            fn flush(&mut self) -> Result<(), ExportError> {
                self.tell("flush");
                Ok(())
            }

            fn shutdown(&mut self) -> Result<(), ExportError> {
                self.tell("shutdown");
                Ok(())
            }
        }

        fn run(mut exporter: impl Exporter) {
            assert_eq!(exporter.name(), "told");
            exporter.start(ExportContext::detached());
            exporter.export(&[]).unwrap();
            assert_eq!(exporter.idle(), Some(Duration::ZERO));
            exporter.flush().unwrap();
            exporter.shutdown().unwrap();
        }

        let (tell, told) = std::sync::mpsc::channel();
        let exporter: Box<dyn Exporter> = Box::new(Told(tell));
        run(exporter);
        assert_eq!(told.iter().collect::<Vec<_>>(), ["start", "export", "idle", "flush", "shutdown"]);
    }
}
