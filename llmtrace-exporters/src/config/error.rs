//! What may be wrong with a configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

use llmtrace::InstallError;

/// Why a configuration cannot be used. It never holds a secret.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}{}", path.display(), named_by(*from_variable))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Whether the variable `LLMTRACE_CONFIG` names it, and not the program.
        from_variable: bool,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// Keys, values, files or variables are wrong: all that were found, one a line.
    #[error("{}", lines(.0))]
    Wrong(Vec<ConfigProblem>),
    /// The configuration is right, but tracing could not be started.
    #[error(transparent)]
    Install(#[from] InstallError),
}

/// One thing that is wrong with a configuration.
///
/// It is shown as `FILE:LINE: KEY: what is wrong; what would be right`, or as `VARIABLE: ...` if it is about the
/// environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// The file; `None` for a variable of the environment.
    pub file: Option<PathBuf>,
    /// The line in the file, from 1.
    pub line: Option<usize>,
    /// The key with its tables, such as `exporter.spool.dir`, or the name of the variable; empty if the text is not
    /// TOML.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl ConfigProblem {
    /// A variable that is wrong.
    pub(super) fn variable(name: &str, message: impl Into<String>) -> Self {
        Self { file: None, line: None, key: name.to_owned(), message: message.into() }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Debug for ConfigError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn lines(problems: &[ConfigProblem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn named_by(from_variable: bool) -> &'static str {
    if from_variable { " (named by LLMTRACE_CONFIG)" } else { "" }
}
