//! Where llmtrace sends traces: each exporter takes finished spans on a thread of its own, and none waits for
//! another. What an exporter cannot ship it counts, and tells the pipeline.
//!
//! | exporter | sends spans to |
//! |---|---|
//! | [`Stdout::tree`] | the terminal, one tree a trace |
//! | [`Stdout::json`] | standard output, one line of JSON a span |
//! | [`JsonLines`] | a file, one line of JSON a span; [`JsonLinesReader`] reads it back |
//! | [`Otlp`] | whatever takes OTLP over HTTP: the `OpenTelemetry` Collector, Phoenix, MLflow, ... |
//! | [`Langfuse`] | Langfuse, with scores and links to prompts |
//! | [`Webhook`] | a URL of your own, as signed JSON |
//!
//! [`install`] sets everything up as a file or the environment says, [`Config`] says which keys and variables there are.
//!
//! For programs that send spans their own way: [`write_otlp`] writes them as an OTLP request under the names of a
//! [`Profile`], and [`PartialSuccess`] reads the answer.
//!
//! For programs that receive spans: [`read_otlp`] reads the OTLP request of any sender, whichever conventions it follows.
//!
//! For programs that show traces themselves: [`TraceTree`] and [`PendingTraces`] draw what [`Stdout::tree`] draws,
//! [`figures`] and [`text`] are how it writes numbers and makes text safe to print.
//!
//! ```
//! use llmtrace::{Exporter as _, ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};
//! use llmtrace_exporters::{JsonLines, JsonLinesReader};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("traces.jsonl");
//! let (Some(trace), Some(span)) = (TraceId::from_bytes([1; 16]), SpanId::from_bytes([2; 8])) else { return Ok(()) };
//! let (start, end) = (Timestamp::from_unix_nanos(0), Timestamp::from_unix_nanos(1_240_000_000));
//! let record = SpanRecord::new(trace, span, "chat gpt-4o-mini", ObservationKind::Generation, start, end);
//!
//! let mut exporter = JsonLines::create(&path)?;
//! exporter.export(std::slice::from_ref(&record))?;
//! assert_eq!(JsonLinesReader::open(&path)?.collect::<Vec<_>>(), [record]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod env;
#[cfg(feature = "http")]
mod http;
mod jsonl;
#[cfg(feature = "http")]
mod langfuse;
mod otlp;
#[cfg(feature = "http")]
mod spool;
mod stdout;
#[cfg(test)]
mod testing;
#[cfg(feature = "http")]
mod webhook;

pub use config::error::{ConfigError, ConfigProblem};
pub use config::{Config, install};
#[cfg(feature = "http")]
pub use http::certificates::CertificateError;
#[cfg(feature = "http")]
pub use http::endpoint::{Endpoint, EndpointError};
pub use jsonl::line::{LineError, read_line, write_line};
pub use jsonl::lines::{Line, Lines, MAX_LINE_BYTES};
pub use jsonl::open::OpenError;
pub use jsonl::read::JsonLinesReader;
pub use jsonl::sync::Sync;
pub use jsonl::write::JsonLines;
#[cfg(feature = "http")]
pub use langfuse::Langfuse;
pub use otlp::answer::PartialSuccess;
pub use otlp::encode::write_otlp;
#[cfg(feature = "http")]
pub use otlp::exporter::Otlp;
pub use otlp::profile::{ParseProfileError, Profile};
pub use otlp::protocol::{ParseProtocolError, Protocol};
pub use otlp::read::{OtlpReadError, OtlpSpans, RejectedSpan, read_otlp};
#[cfg(feature = "http")]
pub use spool::error::SpoolError;
pub use stdout::trace_tree::{PendingTraces, TraceTree};
pub use stdout::{ColorChoice, Stdout, figures, text};
#[cfg(feature = "http")]
pub use webhook::Webhook;
