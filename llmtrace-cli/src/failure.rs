//! Why the program ends without having done what it was asked for.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::store::error::StoreError;
use crate::terminal;

/// Why the program ends early, and with which exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was used wrongly, or its input cannot be read: 2.
    Wrong(String),
    /// Nothing matched: 1.
    Nothing(String),
    /// Not everything was done: 1.
    Incomplete(String),
    /// Nobody reads the output any more: 0, as nothing is wrong.
    Closed,
}

impl Failure {
    /// A file cannot be read.
    pub(crate) fn unreadable(path: &Path, reason: &impl Display) -> Self {
        Self::Wrong(format!("cannot read {}: {reason}", shown(path)))
    }

    /// Writes one line to standard error, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Wrong(reason) => {
                terminal::note(reason);
                ExitCode::from(2)
            }
            Self::Nothing(reason) | Self::Incomplete(reason) => {
                terminal::note(reason);
                ExitCode::from(1)
            }
            Self::Closed => ExitCode::SUCCESS,
        }
    }
}

/// Writing the output failed.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Wrong(format!("cannot write the output: {error}")),
        }
    }
}

/// A store cannot be read or written.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Wrong(error.to_string())
    }
}

/// A path as messages name it.
pub(crate) fn shown(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Whether a path stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
