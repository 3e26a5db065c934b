//! Standard output and standard error.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;
use console::Term;
use llmtrace_exporters::{ColorChoice, text};
#[cfg(feature = "lens")]
use llmtrace_lens::report::Colour;

use crate::failure::Failure;

/// Columns where there is no terminal.
const COLUMNS: usize = 100;

/// How wide the output may be, in columns; what goes to a pager or to `head` ends on the terminal that messages go to.
pub(crate) fn columns() -> usize {
    let size = Term::stdout().size_checked().or_else(|| Term::stderr().size_checked());
    size.map_or(COLUMNS, |(_, columns)| usize::from(columns))
}

/// What `--color` does.
pub(crate) const COLOR: &str = "When to print in colour; auto is on a terminal, unless NO_COLOR is set";

/// When the output is in colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// As the exporters name it.
    pub(crate) fn choice(self) -> ColorChoice {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
    }

    /// As the pictures of models name it; `COLORTERM` says how many colours there are.
    #[cfg(feature = "lens")]
    pub(crate) fn of_pictures(self) -> Colour {
        if !self.is_on() {
            return Colour::None;
        }
        Colour::of_terminal(None, std::env::var("COLORTERM").ok().as_deref())
    }

    /// Whether the output is in colour now.
    pub(crate) fn is_on(self) -> bool {
        self.choice().applies_to(io::stdout().is_terminal())
    }
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
