//! Opening a file to write: never through a link, never beside another writer.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::Disk as _;

/// Why a file of traces could not be opened.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another program, or another exporter of this one, writes to the file.
    #[error("cannot write traces to {}: another writer has it open; give each writer a file of its own", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The path is a symbolic link, which could lead anywhere.
    #[error("cannot write traces to {}: it is a symbolic link; name the file itself", path.display())]
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// The path is a directory, a device or a pipe.
    #[error("cannot write traces to {}: it is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot write traces to {}: {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl fmt::Debug for OpenError {
    /// The message: it is what a `main` that returns the error shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Times that a file is opened again because it was renamed in between.
const OPEN_ATTEMPTS: u32 = 8;

/// Opens the file, made where it does not exist, and locks it. Its content is left as it is.
pub(super) fn open(path: &Path) -> Result<File, OpenError> {
    let failed = |action| move |source| OpenError::Io { path: path.to_owned(), action, source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed("making its folder"))?;
    }
    for _ in 0..OPEN_ATTEMPTS {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => return Err(OpenError::SymbolicLink { path: path.to_owned() }),
            Ok(found) if !found.is_file() => return Err(OpenError::NotAFile { path: path.to_owned() }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("looking at it")(error)),
        }
        let file = options().create(true).open(path).map_err(failed("opening it"))?;
        lock(path, &file)?;
        // Between the steps above the path may have come to mean another file: a link, or a rotated one.
        if file.is_at(path) {
            return Ok(file);
        }
    }
    Err(failed("opening it")(io::Error::other("the path keeps changing")))
}

/// Makes a new file and locks it; fails where the path exists, be it as a link.
pub(super) fn create_new(path: &Path) -> Result<File, OpenError> {
    let opened = options().create_new(true).open(path);
    let file =
        opened.map_err(|source| OpenError::Io { path: path.to_owned(), action: "making it", source })?;
    lock(path, &file)?;
    Ok(file)
}

/// How a file to write is opened: for its owner only, at its end.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.append(true).mode(0o600);
    }
    #[cfg(not(unix))]
    options.write(true);
    options
}

fn lock(path: &Path, file: &File) -> Result<(), OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        // Some network file systems have no locks; there the user has to see to it.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(source)) => {
            Err(OpenError::Io { path: path.to_owned(), action: "locking it", source })
        }
    }
}
