//! Lines of a file that may be longer than memory, and that may still grow.

use std::io::{self, BufRead, Read as _};

/// Reads line by line; of a line that is too long nothing is kept. Empty lines are passed over.
///
/// ```
/// use llmtrace_exporters::{Line, Lines};
///
/// let mut lines = Lines::new(&b"one\n\ntwo"[..]);
/// assert_eq!(lines.next()?, Some(Line::Whole { start: 0, bytes: b"one" }));
/// // The last line has no newline: a file that grows may go on with it.
/// assert_eq!(lines.next()?, None);
/// assert_eq!(lines.rest(), Some(Line::Whole { start: 5, bytes: b"two" }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    /// Whether the line that is being read is too long already.
    skipping: bool,
    /// Where the line that is being read starts, in bytes.
    start: u64,
    /// Bytes read so far.
    read: u64,
}

/// One line that is not empty.
#[derive(Debug, PartialEq)]
pub enum Line<'a> {
    /// The line without its newline.
    Whole {
        /// Where it starts, in bytes.
        start: u64,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// A line longer than [`MAX_LINE_BYTES`].
    TooLong,
}

/// The longest line that is read, in bytes.
pub const MAX_LINE_BYTES: usize = 64 << 20;

/// Memory that is kept for the next line after a longer one, in bytes.
const KEEP_LINE_BYTES: usize = 1 << 20;

impl<R: BufRead> Lines<R> {
    /// Reads from `reader`, whose first byte is the first of a line.
    pub fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), skipping: false, start: 0, read: 0 }
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// The next line that has its newline. After `None` there may be more when the file has grown.
    ///
    /// # Errors
    ///
    /// Reading failed; the line is read on at the next call.
    #[expect(
        clippy::should_implement_trait,
        reason = "a line borrows from the reader, which an iterator's item cannot"
    )]
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            if self.line.last() == Some(&b'\n') || self.start == self.read {
                self.begin_line();
            }
            let room = (MAX_LINE_BYTES + 1).saturating_sub(self.line.len()) as u64;
            let more = self.reader.by_ref().take(room).read_until(b'\n', &mut self.line)?;
            self.read += more as u64;
            if self.line.last() == Some(&b'\n') {
                let skipped = std::mem::take(&mut self.skipping);
                if skipped || self.line.len() > MAX_LINE_BYTES {
                    return Ok(Some(Line::TooLong));
                }
                if !self.line.trim_ascii().is_empty() {
                    return Ok(Some(self.whole()));
                }
            } else if self.line.len() > MAX_LINE_BYTES {
                self.skipping = true;
                self.line.clear();
            } else {
                return Ok(None);
            }
        }
    }

    /// The last line of a file that will not grow, where it has no newline.
    pub fn rest(&mut self) -> Option<Line<'_>> {
        match (self.skipping, self.line.trim_ascii()) {
            (true, _) => Some(Line::TooLong),
            (false, b"") => None,
            (false, _) if self.line.last() == Some(&b'\n') => None,
            (false, _) => Some(self.whole()),
        }
    }

    fn begin_line(&mut self) {
        self.line.clear();
        self.line.shrink_to(KEEP_LINE_BYTES);
        self.start = self.read;
    }

    fn whole(&self) -> Line<'_> {
        let bytes = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Line::Whole { start: self.start, bytes }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    fn all(lines: &mut Lines<impl BufRead>) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        let mut add = |line: Line<'_>| match line {
            Line::Whole { start, bytes } => all.push((start, String::from_utf8(bytes.to_vec()).unwrap())),
            Line::TooLong => all.push((0, "too long".to_owned())),
        };
        while let Some(line) = lines.next().unwrap() {
            add(line);
        }
        if let Some(line) = lines.rest() {
            add(line);
        }
        all
    }

    #[test]
    fn lines_have_their_places() {
        let check = |text: &str, expected: &[(u64, &str)]| {
            let found = all(&mut Lines::new(Cursor::new(text)));
            let found: Vec<_> = found.iter().map(|(start, line)| (*start, line.as_str())).collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("", &[]);
        check("\n\r\n \n", &[]);
        check("a\nbc\n", &[(0, "a"), (2, "bc")]);
        check("\na\n\nbc", &[(1, "a"), (4, "bc")]);
        check("a\n  ", &[(0, "a")]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = |size: usize| io::repeat(b'x').take(size as u64);
        let check = |size: usize, expected: &str| {
            let reader = BufReader::with_capacity(1 << 16, long(size).chain(Cursor::new("\nnext\n")));
            let found = all(&mut Lines::new(reader));
            let texts: Vec<_> = found.iter().map(|(_, text)| text.get(..8).unwrap_or(text)).collect();
            assert_eq!(texts, [expected, "next"], "{size}");
        };
        check(MAX_LINE_BYTES - 1, "xxxxxxxx");
        check(MAX_LINE_BYTES, "too long");
        check(2 * MAX_LINE_BYTES + 7, "too long");
        let mut endless = Lines::new(BufReader::new(long(MAX_LINE_BYTES + 9)));
        assert_eq!(all(&mut endless), [(0, "too long".to_owned())]);
    }

    #[test]
    fn a_line_that_is_still_being_written_waits_for_its_end() {
        struct Pieces(Vec<&'static [u8]>);
        impl io::Read for Pieces {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let piece = if self.0.is_empty() { &b""[..] } else { self.0.remove(0) };
                into[..piece.len()].copy_from_slice(piece);
                Ok(piece.len())
            }
        }
        let mut lines = Lines::new(BufReader::new(Pieces(vec![b"on", b"", b"e\ntw", b"", b"o\n"])));
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.next().unwrap(), Some(Line::Whole { start: 0, bytes: b"one" }));
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.next().unwrap(), Some(Line::Whole { start: 4, bytes: b"two" }));
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.rest(), None);
    }
}
