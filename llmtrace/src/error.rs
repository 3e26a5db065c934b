//! What may fail at start and at the end.

use std::fmt;
use std::io;

use crate::FlushReport;

/// Why [`Builder::install`](crate::Builder::install) failed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The process has a global `tracing` subscriber already.
    #[error(
        "a global tracing subscriber is already set: use `build()` and add the layer to that subscriber, or install llmtrace first"
    )]
    AlreadySet,
    /// The operating system gave no thread.
    #[error("no thread could be started for the exporters: {0}")]
    Thread(#[source] io::Error),
}

impl fmt::Debug for InstallError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why [`Guard::shutdown`](crate::Guard::shutdown) did not deliver everything.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The time was up before every exporter was done.
    #[error("{undelivered} spans were not delivered in time{}", failures(report))]
    TimedOut {
        /// Spans that some exporter did not take in time: they were dropped for it, or are still on their way to it.
        undelivered: u64,
        /// How each exporter stood.
        report: FlushReport,
    },
    /// It was shut down before.
    #[error("llmtrace was shut down before")]
    AlreadyShutDown,
}

impl fmt::Debug for FlushError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn failures(report: &FlushReport) -> String {
    let failed = report.exporters.iter().filter_map(|stats| Some((stats, stats.last_error.as_ref()?)));
    failed.fold(String::new(), |all, (stats, error)| all + "; " + &stats.name + ": " + error)
}
