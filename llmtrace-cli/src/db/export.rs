//! `llmtrace db export`.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use llmtrace::SpanRecord;
use llmtrace_exporters::write_line;

use super::conditions::Conditions;
use super::parquet::ParquetFile;
use crate::failure::Failure;
use crate::store::error::StoreError;
use crate::store::{list, open_read_only};
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Writes the spans of a store as JSON Lines or Parquet", long_about = ABOUT, after_help = EXAMPLES)]
pub(super) struct Options {
    /// The file of the store
    #[arg(value_name = "STORE", default_value = "llmtrace.db")]
    store: PathBuf,
    /// The file to write, which must not be there yet; its ending tells the format
    #[arg(long, value_name = "FILE.jsonl|FILE.parquet")]
    to: PathBuf,
    #[command(flatten)]
    conditions: Conditions,
}

const ABOUT: &str = "\
Writes the spans of a store as JSON Lines or Parquet.

Takes the traces that meet every condition, whole, in the order in which they
started; of those that hold the words of --query the newest 10000. Another
process may write the store meanwhile.

JSON Lines are those of version 1, one span a line, which llmtrace show, stats and
send read. Parquet has one row a span: trace_id, span_id, parent_span_id, name,
kind, start and end (UTC, nanoseconds), duration_ms, status, error, service,
environment, provider, model, session, user, input_tokens, output_tokens,
cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd, first_chunk_ms,
input and output (messages as JSON), scores (as JSON).

Returns 0 when done, 1 if no trace matches, 2 if the store cannot be read or the
file cannot be written.";

const EXAMPLES: &str = "\
Examples:
  llmtrace db export llmtrace.db --to all.jsonl
  llmtrace db export llmtrace.db --to failed.parquet --status error --since 2026-11-01";

/// What is written.
enum Target {
    Lines(BufWriter<File>, Vec<u8>),
    Parquet(Box<ParquetFile>),
}

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let conn = open_read_only(&options.store)?;
    let mut target = Target::create(&options.to)?;
    let mut failed = None;
    let (mut traces, mut spans) = (0_u64, 0_u64);
    let done = list::each_record(&conn, &options.conditions.filter(), &mut |is_first, span| {
        traces += u64::from(is_first);
        spans += 1;
        target.add(&span).map_err(|error| {
            failed = Some(error);
            StoreError::Closed
        })
    });
    if let Some(failed) = failed {
        return Err(unwritable(&options.to, &failed));
    }
    done?;
    target.finish().map_err(|error| unwritable(&options.to, &error))?;
    if spans == 0 {
        return Err(Failure::Nothing("no trace of the store matches".to_owned()));
    }
    terminal::print(&format!("{spans} spans of {traces} traces\n"))
}

impl Target {
    fn create(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_parquet = match ending {
            "jsonl" => false,
            "parquet" => true,
            _ => {
                return Err(Failure::Wrong(format!(
                    "{}: expected a name that ends in .jsonl or .parquet",
                    path.display()
                )));
            }
        };
        let file = File::create_new(path).map_err(|error| unwritable(path, &error.to_string()))?;
        if is_parquet {
            let file = ParquetFile::new(file).map_err(|error| unwritable(path, &error))?;
            Ok(Self::Parquet(Box::new(file)))
        } else {
            Ok(Self::Lines(BufWriter::new(file), Vec::new()))
        }
    }

    fn add(&mut self, span: &SpanRecord) -> Result<(), String> {
        match self {
            Self::Lines(file, line) => {
                line.clear();
                write_line(span, line);
                file.write_all(line).map_err(|error| error.to_string())
            }
            Self::Parquet(file) => file.add(span),
        }
    }

    fn finish(self) -> Result<(), String> {
        match self {
            Self::Lines(mut file, _) => file.flush().map_err(|error| error.to_string()),
            Self::Parquet(file) => file.finish(),
        }
    }
}

fn unwritable(path: &Path, reason: &str) -> Failure {
    Failure::Wrong(format!("cannot write {}: {reason}", path.display()))
}
