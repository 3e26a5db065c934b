//! Standard output and standard error.

use std::io::{self, IsTerminal as _, Write as _};

use console::Term;
use llmtrace_exporters::{ColorChoice, text};

use crate::failure::Failure;

/// Columns where the output is no terminal.
const COLUMNS: usize = 100;

/// How wide the output may be, in columns.
pub(crate) fn columns() -> usize {
    Term::stdout().size_checked().map_or(COLUMNS, |(_, columns)| usize::from(columns))
}

/// Whether the output may be in colour: it is a terminal, and `NO_COLOR` is not set.
pub(crate) fn is_colored() -> bool {
    ColorChoice::Auto.applies_to(io::stdout().is_terminal())
}

/// Writes a text to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes one line to standard error.
pub(crate) fn note(line: &str) {
    // Where that fails, there is nobody left to tell.
    drop(writeln!(io::stderr().lock(), "llmtrace: {}", text::escaped(line)));
}
