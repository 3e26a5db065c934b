//! `llmtrace stats`: what the calls of a set of files add up to.

pub(crate) mod call;
mod group;
mod json;
mod named;
mod quantiles;
mod report;
mod table;
pub(crate) mod window;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use llmtrace::SpanRecord;

use crate::failure::Failure;
use crate::prices;
use crate::spans::{self, Source};
use crate::terminal::{self, COLOR, Color};
use call::Call;
use group::Groups;
use window::Window;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Adds up calls, errors, tokens, cost and latency", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Files of spans, or stores; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the calls are told apart by
    #[arg(long, value_enum, default_value_t = By::Model)]
    by: By,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Price the stored tokens anew, each call at the time it started
    #[arg(long)]
    reprice: bool,
    /// A file of prices of your own, asked before the bundled ones
    #[arg(long, value_name = "FILE", requires = "reprice")]
    prices: Option<PathBuf>,
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", help = COLOR)]
    color: Color,
}

/// What the calls are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The model that answered, else the one that was asked for.
    #[value(help = "the model that answered, else the one that was asked for")]
    Model,
    /// The conversation.
    #[value(help = "the conversation")]
    Session,
    /// The end user.
    #[value(help = "the end user")]
    User,
    /// The day on which the call started, in UTC.
    #[value(help = "the day on which the call started, in UTC")]
    Day,
}

const ABOUT: &str = "\
Adds up calls, errors, tokens, cost and latency.

Reads JSON Lines files, one span a line, as llmtrace writes them, and stores of
llmtrace serve. Only calls of models count (kinds generation, embedding and
reranker). A call inside a call, as two libraries see the same one, counts once;
so does a span that is there twice.

Prints a table: input tokens include those read from a cache (cached) and
written to it (written), output tokens include reasoning. ≥ marks a sum in which
something is missing, ~ one with estimates. A call without a cost counts as
unpriced, never as free; why stands below the table.
Latency is from the start to the end of a call, failed ones included; first
chunk is the time to the first content of a stream. Percentiles are exact
(nearest rank) as long as the values fit in 64 MiB; of larger groups they are
off by 0.4 % at most.

With --json, one object: \"by\", \"groups\", \"total\", \"spans\", \"skipped_lines\".
A group has \"model\" (or \"session\", \"user\", \"day\"; null where neither a call
nor, of session and user, its trace names one), \"calls\", \"errors\", \"unpriced\",
\"unpriced_reasons\", \"uncounted\" (calls that did not fail and whose tokens are
not known in full), \"estimated\", \"input_tokens\", \"output_tokens\",
\"cache_read_tokens\", \"cache_write_tokens\", \"reasoning_tokens\", \"cost_usd\",
\"cost_is_lower_bound\", and \"latency_ms\" and \"first_chunk_ms\" with \"count\",
\"p50\", \"p95\", \"p99\". What nobody stated is null.

Returns 0 when done, 1 if there is no call, 2 if a file cannot be read or an
option is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace stats traces.jsonl
  llmtrace stats app.jsonl app.jsonl.1 --by day --json | jq .total.cost_usd
  llmtrace stats traces.jsonl --reprice --prices our-prices.json";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let prices = options.reprice.then(|| prices::load(options.prices.as_deref())).transpose()?;
    let sources = Source::open_all(&options.files)?;
    let mut groups = Groups::new();
    let mut window = Window::default();
    let tally = spans::read(&sources, |_, mut span| {
        if let Some(prices) = &prices {
            span.reprice(prices);
        }
        let call = Call::read(&span, options.by);
        window.add(&span, call, options.by.key_of_trace(&span), &mut |call| groups.add(call));
        Ok(())
    })?;
    window.finish(&mut |call| groups.add(call));
    if groups.total().calls == 0 {
        return Err(tally.nothing(&sources, |spans| format!("no call of a model is among the {spans} spans")));
    }
    tally.report();
    let groups = groups.sorted(options.by);
    let text = if options.json {
        json::text(groups, options.by, &tally)?
    } else {
        report::text(groups, options.by, terminal::columns(), options.color.is_on())
    };
    terminal::print(&text)
}

impl By {
    /// The name of the option's value, and of the key in JSON.
    fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Session => "session",
            Self::User => "user",
            Self::Day => "day",
        }
    }

    /// What a span is told apart by.
    fn key(self, span: &SpanRecord) -> Option<Box<str>> {
        match self {
            Self::Model => span.model().map(Box::from),
            Self::Session => span.session().filter(|session| !session.is_empty()).map(Box::from),
            Self::User => span.user().filter(|user| !user.is_empty()).map(Box::from),
            Self::Day => span.start.to_string().get(..10).map(Box::from),
        }
    }

    /// What its whole trace is told apart by, as far as a span says it: who asked is mostly said once, at the root.
    fn key_of_trace(self, span: &SpanRecord) -> Option<Box<str>> {
        match self {
            Self::Session | Self::User => self.key(span),
            Self::Model | Self::Day => None,
        }
    }
}
