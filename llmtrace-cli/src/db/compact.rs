//! `llmtrace db compact`.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::store::upkeep;
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Makes the file of a store as small as it can be", long_about = ABOUT)]
pub(super) struct Options {
    /// The file of the store
    #[arg(value_name = "STORE", default_value = "llmtrace.db")]
    store: PathBuf,
}

const ABOUT: &str = "\
Makes the file of a store as small as it can be.

Removes what nothing refers to any more, and writes the file anew, which takes as
much free space again meanwhile. No other process may write the store.

Returns 0 when done, 2 if that was not possible.";

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let (before, after) = upkeep::compact(&options.store)?;
    terminal::print(&format!("{before} bytes before, {after} bytes now\n"))
}
