//! What is needed of a file: a trait, so that tests can make it fail.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// A file that only grows at its end, save for repairs.
pub(crate) trait Disk: Send {
    /// Writes at the end as much as goes at once, and says how much that was.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Reads from `at` on, and says how much was read.
    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Cuts the file off at `len` bytes.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// What makes the file durable, to be called from any thread.
    fn syncer(&self) -> io::Result<Syncer>;

    /// Whether `path` still names this file. Where that cannot be told, it is taken to.
    fn is_at(&self, path: &Path) -> bool;

    /// Lets other writers have the file.
    fn release(&mut self);
}

/// Makes what a file holds durable.
pub(crate) type Syncer = Box<dyn FnMut() -> io::Result<()> + Send>;

impl Disk for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // On Unix the file is open for appending; elsewhere such a file could not be cut off.
        if cfg!(not(unix)) {
            self.seek(SeekFrom::End(0))?;
        }
        self.write(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.seek(SeekFrom::Start(at))?;
        self.read(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn syncer(&self) -> io::Result<Syncer> {
        let file = self.try_clone()?;
        Ok(Box::new(move || file.sync_data()))
    }

    fn is_at(&self, path: &Path) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            match (self.metadata(), std::fs::symlink_metadata(path)) {
                (Ok(file), Ok(path)) => (file.dev(), file.ino()) == (path.dev(), path.ino()),
                (Ok(_), Err(_)) => false,
                (Err(_), _) => true,
            }
        }
        #[cfg(not(unix))]
        {
            _ = path;
            true
        }
    }

    fn release(&mut self) {
        // A lock that cannot be given back goes when the process ends.
        drop(self.unlock());
    }
}
