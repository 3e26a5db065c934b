//! The exporter that writes lines to a file.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use llmtrace::{ExportError, Exporter, SpanRecord};

use super::disk::{Disk, Syncer};
use super::line::write_line;
use super::open::{self, OpenError};
use super::rotate;
use super::sync::{Background, Sync};
use super::tail::{Tail, WriteError};

/// Writes spans to a file, one JSON object a line.
///
/// - After `kill -9` at any moment every record whose export returned is readable; at most the last line is
///   torn, and [`append`](JsonLines::append) takes it away. What a power loss may take is set by
///   [`sync`](JsonLines::sync).
/// - When the disk is full or fails, spans are counted as lost, a half-written line is taken back, and writing
///   goes on as soon as there is room.
/// - A file has one writer: a second one is refused when it opens the file, wherever the file system has locks.
/// - A new file is readable and writable for its owner only (Unix mode 0600); an existing one keeps its mode.
/// - A file that is moved or deleted by another program, such as logrotate, is made anew.
///
/// ```
/// use llmtrace_exporters::{JsonLines, Sync};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("traces/app.jsonl");
/// let file = JsonLines::append(&path)?.rotate_bytes(64 << 20).keep_files(4).sync(Sync::Interval);
/// assert_eq!(file.repaired_bytes(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JsonLines {
    path: PathBuf,
    tail: Tail,
    rotate_bytes: Option<u64>,
    keep_files: usize,
    sync: Sync,
    syncer: Option<Syncer>,
    background: Option<Background>,
    /// The batch as text, and where each of its lines ends.
    buffer: Vec<u8>,
    ends: Vec<usize>,
    bytes: u64,
    lines: u64,
    repaired: u64,
}

/// Rotated files that are kept where the number is not set.
const KEEP_FILES: usize = 10;

/// Memory for the next batch that is kept after a larger one.
const KEEP_BUFFER_BYTES: usize = 4 << 20;

impl JsonLines {
    /// Starts the file anew: what it held is gone. Folders that do not exist are made.
    ///
    /// # Errors
    ///
    /// The file cannot be written, is a link or no file, or has a writer already; then it keeps its content.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let file = open::open(path)?;
        let emptied = file.set_len(0);
        emptied.map_err(|source| OpenError::Io { path: path.to_owned(), action: "emptying it", source })?;
        Ok(Self::new(path, Tail::empty(Box::new(file)), 0))
    }

    /// Goes on with the file. Folders and a file that do not exist are made; a torn last line is taken away.
    ///
    /// # Errors
    ///
    /// The file cannot be written, is a link or no file, or has a writer already.
    pub fn append(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let (tail, repaired) = open_repaired(path)?;
        Ok(Self::new(path, tail, repaired))
    }

    fn new(path: &Path, tail: Tail, repaired: u64) -> Self {
        Self {
            path: path.to_owned(),
            tail,
            rotate_bytes: None,
            keep_files: KEEP_FILES,
            sync: Sync::None,
            syncer: None,
            background: None,
            buffer: Vec::new(),
            ends: Vec::new(),
            bytes: 0,
            lines: 0,
            repaired,
        }
    }

    /// Moves the file to `PATH.1` before it grows beyond `bytes`, `PATH.1` to `PATH.2` and so on. One line that
    /// is longer than that has a file of its own. Without this the file grows without bound.
    pub fn rotate_bytes(mut self, bytes: u64) -> Self {
        self.rotate_bytes = Some(bytes);
        self
    }

    /// Keeps this many moved files; older ones are deleted. 10 where it is not set.
    pub fn keep_files(mut self, files: usize) -> Self {
        self.keep_files = files;
        self
    }

    /// Says what a power loss may take; [`Sync::None`] where it is not set.
    pub fn sync(mut self, sync: Sync) -> Self {
        self.sync = sync;
        self
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written by this exporter.
    pub fn bytes_written(&self) -> u64 {
        self.bytes
    }

    /// Lines written by this exporter.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes of torn lines that were taken away when the file was opened.
    pub fn repaired_bytes(&self) -> u64 {
        self.repaired
    }

    fn encode(&mut self, batch: &[SpanRecord]) {
        self.buffer.clear();
        self.buffer.shrink_to(KEEP_BUFFER_BYTES);
        self.ends.clear();
        for span in batch {
            write_line(span, &mut self.buffer);
            self.ends.push(self.buffer.len());
        }
    }

    /// Opens the path again if it no longer names the file that is open.
    fn follow_path(&mut self) -> Result<(), OpenError> {
        if !self.tail.disk().is_at(&self.path) {
            let (tail, repaired) = open_repaired(&self.path)?;
            self.repaired += repaired;
            self.replace(tail);
        }
        Ok(())
    }

    fn replace(&mut self, tail: Tail) {
        self.tail = tail;
        self.syncer = None;
        self.background = None;
    }

    /// Writes the encoded lines, into more than one file where one is full; says how many were written, and
    /// what went wrong.
    fn write(&mut self) -> (usize, Result<(), ExportError>) {
        let (mut lines, mut from) = (0, 0);
        let mut limit = self.rotate_bytes;
        let mut result = Ok(());
        while let Some(ends) = self.ends.get(lines..).filter(|ends| !ends.is_empty()) {
            let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.tail.len()));
            let fitting = ends.partition_point(|end| (end - from) as u64 <= room);
            if fitting == 0 && self.tail.len() > 0 {
                if let Err(error) = self.rotate() {
                    // Better a file that is too long than a span lost.
                    limit = None;
                    result = Err(error.with_lost(0));
                }
                continue;
            }
            let count = fitting.max(1);
            let end = ends.get(count - 1).copied().unwrap_or(from);
            let written = self.tail.write(self.buffer.get(from..end).unwrap_or_default());
            let bytes = written.as_ref().map_or_else(|error| error.written, |()| end - from);
            let whole = ends.partition_point(|end| *end <= from + bytes);
            self.bytes += bytes as u64;
            self.lines += whole as u64;
            lines += whole;
            if let Err(WriteError { cause, .. }) = written {
                return (lines, Err(self.failed("writing", cause)));
            }
            from = end;
        }
        (lines, result)
    }

    fn rotate(&mut self) -> Result<(), ExportError> {
        if self.sync != Sync::None {
            self.sync_now()?;
        }
        rotate::move_away(&self.path, self.keep_files).map_err(|cause| self.failed("rotating", cause))?;
        // If this fails, the next batch finds that the path names no file, and makes one.
        let file = open::create_new(&self.path)
            .map_err(|error| ExportError::retryable(error.to_string()).with_source(error))?;
        rotate::copy_permissions(&rotate::numbered(&self.path, 1), &self.path);
        self.replace(Tail::empty(Box::new(file)));
        Ok(())
    }

    /// Makes the batch durable in the way that was asked for.
    fn make_durable(&mut self) -> Result<(), ExportError> {
        match self.sync {
            Sync::None => Ok(()),
            Sync::Each => self.sync_now(),
            Sync::Interval => {
                if self.background.is_none() {
                    self.sync_folder();
                    let started = self.tail.disk().syncer().and_then(Background::start);
                    self.background = started.ok();
                }
                match &self.background {
                    Some(background) => background.wake().map_err(|cause| self.failed("syncing", cause)),
                    // Without a thread each batch waits for its own `fsync`.
                    None => self.sync_now(),
                }
            }
        }
    }

    fn sync_now(&mut self) -> Result<(), ExportError> {
        if self.syncer.is_none() {
            self.sync_folder();
            let syncer = self.tail.disk().syncer().map_err(|cause| self.failed("syncing", cause))?;
            self.syncer = Some(syncer);
        }
        let synced = self.syncer.as_mut().map_or(Ok(()), |sync| sync());
        synced.map_err(|cause| self.failed("syncing", cause))
    }

    /// Makes the name of a new file durable, where the system lets folders be synced.
    fn sync_folder(&self) {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        drop(File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()));
    }

    fn failed(&self, action: &str, cause: io::Error) -> ExportError {
        ExportError::retryable(format!("{action} {}: {cause}", self.path.display())).with_source(cause)
    }
}

impl Exporter for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        if let Err(error) = self.follow_path() {
            return Err(ExportError::retryable(error.to_string()).with_source(error));
        }
        self.encode(batch);
        let (written, result) = self.write();
        let durable = if written > 0 { self.make_durable() } else { Ok(()) };
        let lost = (batch.len() - written) as u64;
        result.and(durable).map_err(|error| error.with_lost(lost))
    }

    /// Makes everything durable, unless the mode is [`Sync::None`].
    fn flush(&mut self) -> Result<(), ExportError> {
        if self.sync == Sync::None { Ok(()) } else { self.sync_now() }
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        self.tail.disk().release();
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines")
            .field("path", &self.path)
            .field("rotate_bytes", &self.rotate_bytes)
            .field("keep_files", &self.keep_files)
            .field("sync", &self.sync)
            .field("lines", &self.lines)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

fn open_repaired(path: &Path) -> Result<(Tail, u64), OpenError> {
    let file: Box<dyn Disk> = Box::new(open::open(path)?);
    Tail::repaired(file).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        action: "reading its end",
        source,
    })
}

#[cfg(test)]
mod tests;
