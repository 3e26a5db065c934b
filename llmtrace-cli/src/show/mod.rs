//! `llmtrace show`: traces as trees.

mod arrival;
mod follow;
mod index;

use std::path::PathBuf;

use clap::Args;

use crate::arguments::filled;
use crate::failure::Failure;
use crate::filter::{Filter, trace_prefix};
use crate::spans::{self, Source};
use crate::terminal::{COLOR, Color};
use arrival::Arrival;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Draws traces as trees with time, tokens and cost", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Files of spans, or stores; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only the trace with this id, or those whose id starts so
    #[arg(long, value_name = "ID", value_parser = trace_prefix)]
    trace: Option<String>,
    /// Only traces with a span that failed
    #[arg(long)]
    errors: bool,
    /// Only traces of this session
    #[arg(long, value_name = "ID", value_parser = filled)]
    session: Option<String>,
    /// Go on as the files grow, and draw each trace when it is complete
    #[arg(short, long)]
    follow: bool,
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", help = COLOR)]
    color: Color,
}

const ABOUT: &str = "\
Draws traces as trees with time, tokens and cost.

Reads JSON Lines files, one span a line, as llmtrace writes them, and stores of
llmtrace serve. All files together are one set, such as app.jsonl and
app.jsonl.1. Files may be larger than memory.

Prints one tree a trace, in the order in which the traces started, and a line
about the trace below it. Σ marks a sum over the calls below, ≥ a figure that is
not known in full, ~ an estimate. Lines that are no spans are skipped, and
counted on standard error.

With --follow, or from standard input, a trace is drawn when its root has ended,
or when nothing more has come of it for ten seconds. --follow reads what is
there, then what is appended, also after a rotation, and says once if a line is
no span; end it with Ctrl-C.

Returns 0 when done, 1 if no trace matched, 2 if a file cannot be read or an
option is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace show traces.jsonl
  llmtrace show app.jsonl app.jsonl.1 --errors
  llmtrace show traces.jsonl --color always | less -R
  llmtrace show --follow traces.jsonl";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let filter = Filter::new(options.trace.clone(), options.errors, options.session.clone());
    if options.follow {
        return follow::run(&options.files, filter, options.color.choice());
    }
    let sources = Source::open_all(&options.files)?;
    let (tally, drawn) = if sources.iter().all(Source::can_seek) {
        index::run(&sources, &filter, options.color.choice())?
    } else {
        let mut arrival = Arrival::new(filter, options.color.choice());
        let tally = spans::read(&sources, |_, span| arrival.add(&span))?;
        arrival.finish()?;
        (tally, arrival.drawn())
    };
    if drawn == 0 {
        return Err(tally.nothing(&sources, |spans| format!("no trace matches, of {spans} spans read")));
    }
    tally.report();
    Ok(())
}
