//! One file of the spool that is being delivered.

use std::fs::File;
use std::io::BufReader;

use llmtrace::SpanRecord;

use super::folder::Claim;
use super::line;
use super::name::Name;
use crate::jsonl::lines::{Line, Lines};

/// A file whose spans are to be delivered; nobody else works on it while this value lives.
///
/// Dropped without [`Spool::done`](super::Spool::done) it waits on, and comes again from its start.
pub(crate) struct Segment {
    name: Name,
    /// The right to the file, where another process wrote it.
    claim: Option<Claim>,
    lines: Lines<BufReader<File>>,
    ended: bool,
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

/// Bytes that are read from the disk at once.
const READ_BYTES: usize = 64 << 10;

impl Segment {
    pub(super) fn new(name: Name, file: File, claim: Option<Claim>) -> Self {
        let lines = Lines::new(BufReader::with_capacity(READ_BYTES, file));
        Self { name, claim, lines, ended: false, batch: Vec::new(), passed: 0, found: Found::default() }
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
        while self.batch.len() < spans && taken < bytes && !self.ended {
            let line = match self.lines.next() {
                Ok(None) => {
                    self.ended = true;
                    self.lines.rest()
                }
                Ok(line) => line,
                Err(_) => {
                    (self.ended, self.found.failed) = (true, true);
                    break;
                }
            };
            match line {
                None => {}
                Some(Line::TooLong) => self.found.corrupt += 1,
                Some(Line::Whole { bytes: line, .. }) => match line::read(line) {
                    Some(span) => {
                        taken += line.len();
                        self.batch.push(span);
                    }
                    None if self.ended => self.found.torn += 1,
                    None => self.found.corrupt += 1,
                },
            }
        }
    }
}
