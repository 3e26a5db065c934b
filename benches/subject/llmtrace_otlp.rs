//! llmtrace sending OTLP.

use llmtrace_exporters::Otlp;

use super::{Delivery, Sink, Subject, plain};
use crate::Result;

/// Plain fields, `Builder::install`, `Otlp` with its defaults.
pub(super) const OTLP: Subject =
    Subject { name: "llmtrace-otlp", start, call: plain::call, hold: plain::hold };

/// The same, compressed.
pub(super) const OTLP_GZIP: Subject =
    Subject { name: "llmtrace-otlp-gzip", start: start_gzip, call: plain::call, hold: plain::hold };

fn start_gzip(sink: Sink) -> Result<Box<dyn Delivery>> {
    Ok(Box::new(llmtrace::builder().exporter(Otlp::new(&sink.url()?)?.gzip()).install()?))
}

fn start(sink: Sink) -> Result<Box<dyn Delivery>> {
    Ok(Box::new(llmtrace::builder().exporter(Otlp::new(&sink.url()?)?).install()?))
}
