//! `llmtrace db check`.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::store::upkeep;
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Says whether a store is whole and its sums are right", long_about = ABOUT)]
pub(super) struct Options {
    /// The file of the store
    #[arg(value_name = "STORE", default_value = "llmtrace.db")]
    store: PathBuf,
}

const ABOUT: &str = "\
Says whether a store is whole and its sums are right.

Reads every span, and compares what is kept of it and of its trace, and what all
add up to, with what it says; looks into the index of words too. A file of an older
version is brought up to date first, unless another process writes it.

Prints a line for each of the first 20 problems, and one about all.

Returns 0 if nothing is wrong, 1 if something is, 2 if the file cannot be read.";

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let found = upkeep::check(&options.store)?;
    let said = format!("{} spans of {} traces", found.spans, found.traces);
    if found.count == 0 {
        return terminal::print(&format!("{said}: nothing is wrong\n"));
    }
    for problem in &found.problems {
        terminal::print(&format!("{problem}\n"))?;
    }
    Err(Failure::Incomplete(format!(
        "{said}: {} things are wrong; what can be read is saved with llmtrace db export",
        found.count
    )))
}
