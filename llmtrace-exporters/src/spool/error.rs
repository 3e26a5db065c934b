//! Why a spool cannot be opened, and why it takes no more spans.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a directory cannot keep spans.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The path is a file, a device or a pipe.
    #[error("cannot keep spans in {}: it is not a directory; name one, or a path where one can be made", dir.display())]
    NotADirectory {
        /// The path.
        dir: PathBuf,
    },
    /// The path is a symbolic link, which could lead anywhere.
    #[error("cannot keep spans in {}: it is a symbolic link; name the directory itself", dir.display())]
    SymbolicLink {
        /// The link.
        dir: PathBuf,
    },
    /// The file system has no locks, without which processes would take each other's spans.
    #[error("cannot keep spans in {}: its file system has no file locks; name a directory on a local disk", dir.display())]
    NoLocks {
        /// The directory.
        dir: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot keep spans in {}: {action}: {source}; name a directory that this program may write to", dir.display())]
    Io {
        /// The directory.
        dir: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl fmt::Debug for SpoolError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The directory holds all that it may.
    #[error("the spool is full: {bytes} bytes of {max_bytes} in {segments} files")]
    Full { bytes: u64, max_bytes: u64, segments: usize },
    /// The line of the first span that was not taken is too long to be read back; those behind it may be tried.
    #[error("a span takes more than {limit} bytes")]
    TooLong { limit: usize },
    /// The disk failed.
    #[error("writing to the spool: {0}")]
    Disk(#[from] io::Error),
}
