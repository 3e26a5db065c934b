//! What is measured: llmtrace in each of its forms, and its peers.

mod fastrace;
mod llmtrace;
mod llmtrace_jsonl;
mod llmtrace_macro;
mod llmtrace_otlp;
mod opentelemetry;
mod plain;

use crate::Result;
use crate::workload::Call;

/// A way to trace an LLM call.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The name on the command line and in the tables.
    pub name: &'static str,
    /// Sets up the process.
    pub start: fn(Sink) -> Result<Box<dyn Delivery>>,
    /// Traces one call.
    pub call: fn(&Call),
    /// Opens a span and runs the work with a function that polls it once.
    pub hold: fn(&mut Work<'_>),
}

/// Work that gets a function which polls an open span once.
pub type Work<'a> = dyn FnMut(&dyn Fn()) + 'a;

/// What the exporter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Nothing.
    Noop,
    /// Formats every span.
    Format,
    /// Sends every span to this port of this computer, for subjects that send.
    Port(u16),
}

impl Sink {
    /// Where to send spans.
    fn url(self) -> Result<String> {
        match self {
            Self::Port(port) => Ok(format!("http://127.0.0.1:{port}/v1/traces")),
            Self::Noop | Self::Format => Err("this subject sends: it needs a port".into()),
        }
    }
}

/// The way of finished spans out of a subject.
pub trait Delivery {
    /// Delivers what has ended.
    fn settle(&self);

    /// What became of the spans; `None` for a subject that delivers none.
    fn counts(&self) -> Option<Counts>;
}

/// What became of the spans that ended.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Spans that ended, as the subject itself counts them.
    pub started: Option<u64>,
    /// Spans that the exporter was given.
    pub exported: u64,
    /// Spans that were lost, by reason, as the subject itself counts them.
    pub dropped: Vec<(String, u64)>,
}

/// Every subject, the cheapest first.
pub const SUBJECTS: &[Subject] = &[
    plain::NONE,
    llmtrace::UNSAMPLED_INSTALL,
    plain::REGISTRY,
    llmtrace::UNSAMPLED_BUILD,
    llmtrace::FIELDS_INSTALL,
    llmtrace::FIELDS_BUILD,
    llmtrace::SPAN_EXT,
    llmtrace_macro::MACRO,
    opentelemetry::SUBJECT,
    fastrace::SUBJECT,
];

/// A subscriber that wants nothing below `INFO`: what a disabled callsite is compared with.
pub const INFO_ONLY: Subject = plain::INFO_ONLY;

/// llmtrace with an exporter that writes files: for floods.
pub const JSON_LINES: Subject = llmtrace_jsonl::JSON_LINES;

/// llmtrace with its OTLP exporter.
pub const OTLP: Subject = llmtrace_otlp::OTLP;

/// The same, compressed.
pub const OTLP_GZIP: Subject = llmtrace_otlp::OTLP_GZIP;

/// `tracing-opentelemetry` with `opentelemetry-otlp`.
pub const OPENTELEMETRY_OTLP: Subject = opentelemetry::OTLP;

/// The same with a queue that is long enough for a busy program.
pub const OPENTELEMETRY_OTLP_LONG: Subject = opentelemetry::OTLP_LONG;

pub use llmtrace_jsonl::directory as json_lines_directory;

/// The subject of a name.
pub fn find(name: &str) -> Result<Subject> {
    let others = [&INFO_ONLY, &JSON_LINES, &OTLP, &OTLP_GZIP, &OPENTELEMETRY_OTLP, &OPENTELEMETRY_OTLP_LONG];
    let all = || SUBJECTS.iter().chain(others);
    let found = all().find(|subject| subject.name == name).copied();
    found.ok_or_else(|| {
        let names: Vec<_> = all().map(|subject| subject.name).collect();
        format!("unknown subject {name:?}: expected one of {}", names.join(", ")).into()
    })
}

/// The delivery of a subject that delivers nothing.
#[derive(Debug)]
struct Nowhere;

impl Delivery for Nowhere {
    fn settle(&self) {}

    fn counts(&self) -> Option<Counts> {
        None
    }
}
