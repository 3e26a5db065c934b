//! Why the store cannot do what it was asked for.

use std::path::{Path, PathBuf};

/// Why a store cannot be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// There is no such file.
    Missing(PathBuf),
    /// Another process writes the file.
    Locked(PathBuf),
    /// The file is of a newer version of llmtrace; its schema's number.
    Newer(PathBuf, i64),
    /// The file is of an older version of llmtrace, and this connection must not change it; its schema's number.
    Older(PathBuf, i64),
    /// The file is none of llmtrace's; what it is instead.
    Foreign(PathBuf, &'static str),
    /// The file is damaged.
    Damaged(PathBuf, String),
    /// More waits to be written than memory is set aside for: try again.
    Busy,
    /// The store was closed.
    Closed,
    /// A search that cannot be understood.
    Search(String),
    /// Nothing is stored under this id.
    Unknown(String),
    /// Whatever else went wrong, such as a full disk.
    Other(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(path) => write!(out, "there is no store at {}", path.display()),
            Self::Locked(path) => write!(
                out,
                "another process writes {}: end it first, or give a file of its own with --store",
                path.display()
            ),
            Self::Newer(path, version) => write!(
                out,
                "{} was written by a newer llmtrace (schema {version}): install that one, or export the store with it",
                path.display()
            ),
            Self::Older(path, version) => write!(
                out,
                "{0} was written by an older llmtrace (schema {version}): run `llmtrace db check {0}` once to bring it up to date",
                path.display()
            ),
            Self::Foreign(path, what) => {
                write!(out, "{} is not a store of llmtrace: {what}; give another file", path.display())
            }
            Self::Damaged(path, reason) => write!(
                out,
                "{0} is damaged ({reason}): see what is left with `llmtrace db check {0}`, save it with \
                 `llmtrace db export {0} --to FILE.jsonl`, and start with a new file",
                path.display()
            ),
            Self::Busy => out.write_str("more waits to be written than there is room for; try again"),
            Self::Closed => out.write_str("the store is closed"),
            Self::Search(reason) => write!(out, "the search cannot be understood: {reason}"),
            Self::Unknown(what) => write!(out, "nothing is stored under {what}"),
            Self::Other(reason) => write!(out, "the store failed: {reason}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// The same error where it is known which file it comes from.
    pub(super) fn at(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(Code::NotADatabase) => Self::Foreign(path, "it is no SQLite file"),
            Some(Code::DatabaseCorrupt) => Self::Damaged(path, error.to_string()),
            Some(Code::CannotOpen) if !path.exists() => Self::Missing(path),
            _ => Self::Other(format!("{}: {error}", path.display())),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Other(error.to_string())
    }
}
