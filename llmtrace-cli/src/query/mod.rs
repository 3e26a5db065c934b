//! `llmtrace query`: SQL on a store.

mod output;
mod run;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::store::open_read_only;
use crate::terminal;
use output::{Csv, JsonLines, Output, Table};
use run::{Limits, select};

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Asks a store with SQL", long_about = ABOUT, after_help = EXAMPLES)]
#[command(allow_missing_positional = true)]
pub(crate) struct Options {
    /// The file of the store
    #[arg(value_name = "STORE", default_value = "llmtrace.db")]
    store: PathBuf,
    /// One SELECT statement, in the SQL of SQLite
    #[arg(required = true, value_name = "SQL")]
    sql: String,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print one JSON object a row: --format json
    #[arg(long, conflicts_with_all = ["format", "csv"])]
    json: bool,
    /// Print comma-separated values: --format csv
    #[arg(long, conflicts_with = "format")]
    csv: bool,
    /// Rows at most
    #[arg(long, value_name = "ROWS", default_value_t = 10_000)]
    limit: u64,
    /// Seconds at most
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// In columns.
    #[value(help = "in columns, long texts cut")]
    Table,
    /// One JSON object a row.
    #[value(help = "one JSON object a row")]
    Json,
    /// Comma-separated values (RFC 4180).
    #[value(help = "comma-separated values with a header")]
    Csv,
}

const ABOUT: &str = "\
Asks a store with SQL, as llmtrace serve writes it; another process may write it
meanwhile. The statement can only read: it cannot write, attach other files or
change settings.

Three views are there to be asked. Ids are hex, times RFC 3339 in UTC, what nobody
stated is NULL:

trace  trace_id, name, service, environment, session, user, start, end,
       duration_ms, status (ok, error, running, incomplete), error (why it
       failed), spans, errors (spans that failed), calls, input_tokens,
       output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
       cost_usd, cost_is_lower_bound (1 where a call has no cost), unpriced
       (such calls), first_chunk_ms, models, input, output (the start of what
       went in and came out)
span   trace_id, span_id, parent_span_id, name, kind, start, end, duration_ms,
       status (unset, ok, error, cancelled, running), error, service, environment,
       provider, model, session, user, input_tokens, output_tokens,
       cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd,
       first_chunk_ms
score  trace_id, span_id, name, value, comment, source (span, added), time

Figures of traces count a call inside a call once, as two libraries see the same
one; a sum over spans counts it twice. The other tables may change with each
version of llmtrace.

Returns 0 when done, 1 if there is no row, or more than --limit, or it took longer
than --timeout; 2 if the store cannot be read or the statement is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace query \"SELECT model, count(*), sum(cost_usd) FROM span GROUP BY model\"
  llmtrace query llmtrace.db \"SELECT * FROM trace WHERE status = 'error' ORDER BY start DESC LIMIT 9\" --json
  llmtrace query llmtrace.db \"SELECT name, avg(value) FROM score GROUP BY name\" --csv > scores.csv";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let conn = open_read_only(&options.store)?;
    let limits =
        Limits { rows: options.limit, time: Duration::from_secs(options.timeout), ..Limits::default() };
    let format = match (options.json, options.csv) {
        (true, _) => Format::Json,
        (_, true) => Format::Csv,
        _ => options.format,
    };
    let mut output: Box<dyn Output> = match format {
        Format::Table => Box::new(Table::new(terminal::columns())),
        Format::Json => Box::new(JsonLines::default()),
        Format::Csv => Box::new(Csv),
    };
    let outcome = select(conn, &options.sql, &limits, output.as_mut())?;
    output.finish()?;
    match outcome.cut {
        Some(cut) => Err(Failure::Incomplete(cut)),
        None if outcome.rows == 0 => Err(Failure::Nothing("no row".to_owned())),
        None => Ok(()),
    }
}
