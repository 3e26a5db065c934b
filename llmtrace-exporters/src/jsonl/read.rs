//! Reading a file of lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use llmtrace::SpanRecord;

use super::line::{LineError, read_line};
use super::lines::{Line, Lines, MAX_LINE_BYTES};

/// The spans of a file; lines that are torn, foreign, too long or not UTF-8 are skipped and counted.
///
/// ```
/// use llmtrace_exporters::JsonLinesReader;
///
/// let mut reader = JsonLinesReader::new(&b"{\"v\":1,\"trace_id\":\"torn"[..]);
/// assert_eq!(reader.by_ref().count(), 0);
/// assert_eq!(reader.skipped(), 1);
/// assert!(reader.last_error().is_some_and(|error| error.to_string().contains("the text ends")));
/// ```
#[derive(Debug)]
pub struct JsonLinesReader<R> {
    lines: Lines<R>,
    skipped: u64,
    last_error: Option<LineError>,
    ended: bool,
}

impl JsonLinesReader<BufReader<File>> {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        File::open(path).map(|file| Self::new(BufReader::with_capacity(256 << 10, file)))
    }
}

impl<R: BufRead> JsonLinesReader<R> {
    /// Reads from anything.
    pub fn new(reader: R) -> Self {
        Self { lines: Lines::new(reader), skipped: 0, last_error: None, ended: false }
    }

    /// How many lines were skipped so far; empty lines do not count.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Why the last skipped line was skipped. If reading itself failed, [`LineError::Read`]: then there are no
    /// more spans, and the line that was being read counts as skipped.
    pub fn last_error(&self) -> Option<&LineError> {
        self.last_error.as_ref()
    }

    /// Reads the next line that is not empty; `None` at the end.
    fn read(&mut self) -> Result<Option<SpanRecord>, LineError> {
        let line = match self.lines.next()? {
            None => {
                self.ended = true;
                self.lines.rest()
            }
            line => line,
        };
        match line {
            Some(Line::Whole { bytes, .. }) => read_line(bytes).map(Some),
            Some(Line::TooLong) => Err(LineError::TooLong { limit: MAX_LINE_BYTES }),
            None => Ok(None),
        }
    }
}

impl<R: BufRead> Iterator for JsonLinesReader<R> {
    type Item = SpanRecord;

    fn next(&mut self) -> Option<SpanRecord> {
        while !self.ended {
            match self.read() {
                Ok(Some(span)) => return Some(span),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.skipped += 1;
                    self.ended |= matches!(error, LineError::Read(_));
                    self.last_error = Some(error);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, ErrorKind, Read as _};

    use super::*;
    use crate::jsonl::line::write_line;
    use crate::testing;

    fn line(id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write_line(&testing::span(1, id, "x"), &mut out);
        out
    }

    #[test]
    fn bad_lines_are_skipped_and_counted() {
        let check = |between: &[u8], skipped: u64| {
            let bytes = [&line(1), between, &line(2)].concat();
            let mut reader = JsonLinesReader::new(Cursor::new(bytes));
            let ids: Vec<_> = reader.by_ref().map(|span| span.span_id).collect();
            assert_eq!(ids, [testing::span_id(1), testing::span_id(2)]);
            assert_eq!(reader.skipped(), skipped, "{:?}", reader.last_error());
            assert_eq!(reader.last_error().is_some(), skipped > 0);
        };
        check(b"", 0);
        check(b"\n  \r\n\n", 0);
        check(b"{\"level\":\"info\"}\nplain text\n", 2);
        check(b"\xff\xfe\0\n", 1);
        check(b"{\"v\":2}\n{\"v\":1}\n", 2);
        check(&[&line(3)[..40], b"\n"].concat(), 1);
        check(&[b'\0'; 5_000].map(|byte| byte).iter().copied().chain([b'\n']).collect::<Vec<_>>(), 1);
    }

    #[test]
    fn the_last_line_needs_no_newline_but_must_be_whole() {
        let check = |cut: usize, spans: usize, skipped: u64| {
            let bytes = line(1);
            let mut reader = JsonLinesReader::new(&bytes[..bytes.len() - cut]);
            assert_eq!(reader.by_ref().count(), spans);
            assert_eq!(reader.skipped(), skipped);
        };
        check(0, 1, 0);
        check(1, 1, 0);
        check(2, 0, 1);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let endless = io::repeat(b'x')
            .take(3 * MAX_LINE_BYTES as u64)
            .chain(Cursor::new([b"\n".to_vec(), line(2)].concat()));
        let mut reader = JsonLinesReader::new(BufReader::with_capacity(1 << 20, endless));
        assert_eq!(reader.by_ref().count(), 1);
        assert_eq!(reader.skipped(), 1);
        assert!(matches!(reader.last_error(), Some(LineError::TooLong { .. })));
    }

    #[test]
    fn a_failed_read_ends_it() {
        struct Failing;
        impl io::Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::PermissionDenied.into())
            }
        }
        let mut reader = JsonLinesReader::new(BufReader::new(Cursor::new(line(1)).chain(Failing)));
        assert_eq!(reader.by_ref().count(), 1);
        assert!(matches!(reader.last_error(), Some(LineError::Read(_))));
        assert_eq!(reader.next(), None);
        assert_eq!(reader.skipped(), 1);
    }
}
