//! `llmtrace db`: looking after the file of a store.

mod check;
mod compact;
mod conditions;
mod export;
mod flat;
mod parquet;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Checks, compacts and exports a store", long_about = ABOUT)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

// Their descriptions stand with their options.
#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Options),
    Compact(compact::Options),
    Export(Box<export::Options>),
}

const ABOUT: &str = "\
Looks after the file of a store, as llmtrace serve writes it.

check says whether the file is whole and its sums are right, compact makes it as
small as it can be, export writes its spans as JSON Lines or Parquet.";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Check(options) => check::run(options),
        Command::Compact(options) => compact::run(options),
        Command::Export(options) => export::run(options),
    }
}
