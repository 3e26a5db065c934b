//! `llmtrace lens` in a build that cannot run models.

use std::ffi::OsString;

use clap::Args;

use crate::failure::Failure;

/// Anything: it cannot be done.
#[derive(Args, Debug)]
#[command(about = "Looks inside a local model (not in this build)", disable_help_flag = true)]
pub(crate) struct Options {
    /// What it would have been asked for
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

/// Says how to get it.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let asked = options.arguments.first().map(|command| command.to_string_lossy().into_owned());
    Err(Failure::Wrong(format!(
        "lens {}is not in this build, which was made without the feature lens: cargo install llmtrace-cli --features lens",
        asked.map(|command| format!("{command} ")).unwrap_or_default()
    )))
}
