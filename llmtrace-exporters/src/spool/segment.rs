//! One file of the spool that is being delivered.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use llmtrace::SpanRecord;

use super::folder::Claim;
use super::line;
use super::name::Name;

/// A file whose spans are to be delivered; nobody else works on it while this value lives.
///
/// Dropped without [`Spool::done`](super::Spool::done) it waits on, and comes again from its start.
pub(crate) struct Segment {
    name: Name,
    /// The right to the file, where another process wrote it.
    claim: Option<Claim>,
    reader: BufReader<File>,
    line: Vec<u8>,
    batch: Vec<SpanRecord>,
    passed: u64,
    found: Found,
}

/// What a file held, as far as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// A last line without its end: 0 or 1.
    pub(super) torn: u64,
    /// Lines that are not as they were written.
    pub(super) corrupt: u64,
    /// Reading failed, and what was behind is not known.
    pub(super) failed: bool,
}

/// The longest line that is read, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 64 << 20;

/// Memory that is kept for the next line after a longer one.
const KEEP_LINE_BYTES: usize = 1 << 20;

/// Bytes that are read from the disk at once.
const READ_BYTES: usize = 64 << 10;

impl Segment {
    pub(super) fn new(name: Name, file: File, claim: Option<Claim>) -> Self {
        let reader = BufReader::with_capacity(READ_BYTES, file);
        Self { name, claim, reader, line: Vec::new(), batch: Vec::new(), passed: 0, found: Found::default() }
    }

    /// The next spans, the same ones until [`Spool::advance`](super::Spool::advance) is called; none at the end.
    ///
    /// A batch has at most `spans` spans, and ends with the line that reaches `bytes` bytes.
    pub(crate) fn batch(&mut self, spans: usize, bytes: usize) -> &[SpanRecord] {
        if self.batch.is_empty() {
            self.fill(spans, bytes);
        }
        &self.batch
    }

    /// Leaves the present batch behind; says how many spans it had, and how many were passed in all.
    pub(super) fn pass(&mut self) -> (u64, u64) {
        let spans = self.batch.len() as u64;
        self.batch.clear();
        self.passed += spans;
        (spans, self.passed)
    }

    /// Whether another process wrote the file.
    pub(super) fn is_foreign(&self) -> bool {
        self.claim.is_some()
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    /// Closes the file.
    pub(super) fn close(self) -> (Name, Found, Option<Claim>) {
        (self.name, self.found, self.claim)
    }

    fn fill(&mut self, spans: usize, bytes: usize) {
        let mut taken = 0;
        while self.batch.len() < spans && taken < bytes && !self.found.failed {
            let length = match self.next_line() {
                Ok(0) => break,
                Ok(length) => length,
                Err(_) => {
                    self.found.failed = true;
                    break;
                }
            };
            if let Some(span) = line::read(&self.line) {
                self.batch.push(span);
                taken += length;
            } else if self.line.last() != Some(&b'\n') && length <= MAX_LINE_BYTES {
                self.found.torn += 1;
            } else if !self.line.trim_ascii().is_empty() {
                self.found.corrupt += 1;
            }
        }
    }

    /// Reads the next line and says how long it is; of one that is too long, only its start is kept.
    fn next_line(&mut self) -> io::Result<usize> {
        self.line.clear();
        self.line.shrink_to(KEEP_LINE_BYTES);
        let length =
            self.reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut self.line)?;
        if length > MAX_LINE_BYTES && self.line.last() != Some(&b'\n') {
            self.reader.skip_until(b'\n')?;
        }
        Ok(length)
    }
}
