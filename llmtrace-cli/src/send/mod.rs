//! `llmtrace send`: a trace file into a backend, with the exporters themselves.

mod sender;
mod target;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use llmtrace::{SpanRecord, TraceId};
use llmtrace_exporters::Profile;

use crate::arguments::filled;
use crate::failure::{Failure, is_stdin};
use crate::filter::{Filter, Met, trace_prefix};
use crate::spans::{self, Source};
use sender::Sender;
use target::{Backend, Target};

/// The options of the command.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
#[command(about = "Sends traces to a backend", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Files of spans; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What takes the spans
    #[arg(long, value_enum, value_name = "BACKEND")]
    to: Backend,
    /// Where it is; without it, see above
    #[arg(long, value_name = "URL", value_parser = filled)]
    endpoint: Option<String>,
    /// In which names spans go to OTLP; standard, phoenix, mlflow, langsmith, ...
    #[arg(long, value_name = "NAME")]
    profile: Option<Profile>,
    /// A header of every request; may be given again
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// Compress requests
    #[arg(long)]
    gzip: bool,
    /// The public key of the Langfuse project
    #[arg(long, value_name = "KEY", value_parser = filled, requires_all = ["secret_key", "endpoint"])]
    public_key: Option<String>,
    /// The secret key of the project, or what a webhook is signed with
    #[arg(long, value_name = "KEY", value_parser = filled)]
    secret_key: Option<String>,
    /// Send over plain http to another computer
    #[arg(long)]
    allow_http: bool,
    /// How long to try again when the backend does not take spans now
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    retry_for: u32,
    /// Only the trace with this id, or those whose id starts so
    #[arg(long, value_name = "ID", value_parser = trace_prefix)]
    trace: Option<String>,
    /// Only traces with a span that failed
    #[arg(long)]
    errors: bool,
    /// Only traces of this session
    #[arg(long, value_name = "ID", value_parser = filled)]
    session: Option<String>,
    /// Send nothing, and say what would be sent
    #[arg(long)]
    dry_run: bool,
}

const ABOUT: &str = "\
Sends traces to a backend: the spans of a file, as the program that wrote it
would have sent them.

Reads JSON Lines files, one span a line, as llmtrace writes them, one after the
other and in little memory. Lines that are no spans are skipped, and counted on
standard error. Spans keep their ids: what is sent again replaces itself in most
backends.

--to otlp       whatever takes OTLP over HTTP, such as the OpenTelemetry
                Collector, Phoenix, MLflow. Without --endpoint, where
                OTEL_EXPORTER_OTLP_ENDPOINT and its like say, with their
                headers, else http://localhost:4318.
--to langfuse   Langfuse, with scores. Without keys, those of
                LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY; without --endpoint,
                where LANGFUSE_BASE_URL says, else https://cloud.langfuse.com.
--to webhook    a URL of your own, as JSON, signed with --secret-key.

Keys on the command line can be seen by other users of this computer; those of
the environment cannot.

Prints nothing; when it is done, one line on standard error says how many spans
of how many traces were sent where, and how many were refused.

Returns 0 when done, 1 if no trace matched, if spans or scores were refused or
could not be delivered, 2 if a file cannot be read or an option is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace send a.jsonl --to otlp --endpoint http://localhost:6006 --profile phoenix
  llmtrace send app.jsonl.1 app.jsonl --to langfuse --errors
  llmtrace send a.jsonl --to otlp --header authorization='Bearer ...' --gzip
  llmtrace send - --to webhook --endpoint https://example.com/in < traces.jsonl";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let target = Target::new(options)?;
    let filter = Filter::new(options.trace.clone(), options.errors, options.session.clone());
    let mut sources = Source::open_all(&options.files)?;
    let mut chosen = None;
    if options.errors || options.session.is_some() {
        chosen = Some(matching(&options.files, &sources, &filter)?);
        sources = Source::open_all(&options.files)?;
    }
    let is_chosen = |span: &SpanRecord| match &chosen {
        Some(chosen) => chosen.contains_key(&span.trace_id),
        None => filter.covers(span.trace_id),
    };
    let mut sender = Sender::new(target, options.dry_run);
    let tally =
        spans::read(
            &sources,
            |place, span| {
                if is_chosen(&span) { sender.add(span, place.length) } else { Ok(()) }
            },
        )?;
    sender.send()?;
    if sender.is_unused() {
        return Err(tally.nothing(&sources, |spans| format!("no trace matches, of {spans} spans read")));
    }
    tally.report();
    sender.finish()
}

/// The traces that match: what one span says holds for the others of its trace, which may stand before it.
fn matching(
    files: &[PathBuf],
    sources: &[Source],
    filter: &Filter,
) -> Result<HashMap<TraceId, Met>, Failure> {
    let is_file = |path: &PathBuf| !is_stdin(path) && path.metadata().is_ok_and(|data| data.is_file());
    if let Some(path) = files.iter().find(|path| !is_file(path)) {
        let shown = crate::failure::shown(path);
        let why = "--errors and --session read the files twice, so";
        return Err(Failure::Wrong(format!("{why} {shown} must be a file; write it to one first")));
    }
    let mut traces: HashMap<TraceId, Met> = HashMap::new();
    spans::read(sources, |_, span| {
        if filter.covers(span.trace_id) {
            filter.note(traces.entry(span.trace_id).or_default(), &span);
        }
        Ok(())
    })?;
    traces.retain(|_, met| filter.is_met(*met));
    Ok(traces)
}

impl Options {
    fn retry_for(&self) -> Duration {
        Duration::from_secs(self.retry_for.into())
    }
}
