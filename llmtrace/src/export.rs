//! The contract between the pipeline and whatever ships spans.

use std::error::Error;
use std::fmt;

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

    /// Ships a batch. Spans of one trace come in the order in which they ended.
    ///
    /// # Errors
    ///
    /// Spans of a batch that fails are counted as dropped; an exporter that can retry does so itself.
    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError>;

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
    lost: Option<u64>,
}

impl ExportError {
    /// A failure that trying again will not mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None, retryable: false, lost: None }
    }

    /// A failure that may pass.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::permanent(message) }
    }

    /// The same failure with what caused it.
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure for a batch of which only `lost` spans were not shipped.
    pub fn with_lost(mut self, lost: u64) -> Self {
        self.lost = Some(lost);
        self
    }

    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        self.retryable
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
