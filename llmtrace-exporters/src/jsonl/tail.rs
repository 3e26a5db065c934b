//! The end of a file of lines: it is kept whole, whatever fails.

use std::io;

use super::disk::Disk;
use super::line::LINE_START;

/// A file of which every byte belongs to a whole line.
///
/// After a failed write the torn line at its end is taken back; where that fails too, the next write starts
/// with a newline, so that no record is ever glued to a torn one.
pub(crate) struct Tail {
    disk: Box<dyn Disk>,
    /// The length of the whole lines.
    good: u64,
    /// A failed write may have left something behind them.
    dirty: bool,
    /// A part of a line stands at their end, and could not be taken back.
    torn: bool,
}

/// A write that failed after `written` bytes of whole lines.
pub(crate) struct WriteError {
    pub(crate) written: usize,
    pub(crate) cause: io::Error,
}

/// Bytes that are read at once in search of the last newline.
const SEARCH_BYTES: usize = 64 * 1024;

impl Tail {
    /// A file without content.
    pub(crate) fn empty(disk: Box<dyn Disk>) -> Self {
        Self { disk, good: 0, dirty: false, torn: false }
    }

    /// A file with content, and how many bytes of a torn last line were taken away.
    pub(crate) fn repaired(mut disk: Box<dyn Disk>) -> io::Result<(Self, u64)> {
        let length = disk.len()?;
        let good = end_of_lines(&mut *disk, length)?;
        let mut start = [0; LINE_START.len()];
        let read = read_all(&mut *disk, good, &mut start)?;
        let torn = start.get(..read).unwrap_or_default();
        // What is neither the start of a span nor the zeros of a crashed file system is not ours to delete.
        let ours = LINE_START.starts_with(torn) || torn.iter().all(|byte| *byte == 0);
        let mut tail = Self { disk, good: length, dirty: false, torn: false };
        if good == length {
            Ok((tail, 0))
        } else if ours && tail.disk.truncate(good).is_ok() {
            tail.good = good;
            Ok((tail, length - good))
        } else {
            tail.torn = true;
            Ok((tail, 0))
        }
    }

    /// Bytes in the file.
    pub(crate) fn len(&self) -> u64 {
        self.good
    }

    pub(crate) fn disk(&mut self) -> &mut dyn Disk {
        &mut *self.disk
    }

    /// Writes whole lines.
    pub(crate) fn write(&mut self, lines: &[u8]) -> Result<(), WriteError> {
        self.repair()
            .and_then(|()| self.close_torn_line())
            .map_err(|cause| WriteError { written: 0, cause })?;
        let (written, failed) = match self.push(lines) {
            Ok(()) => (lines.len(), None),
            Err((written, cause)) => {
                let whole = lines.get(..written).unwrap_or_default();
                (whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1), Some(cause))
            }
        };
        self.good += written as u64;
        let Some(cause) = failed else { return Ok(()) };
        self.dirty = true;
        // If this fails too, the next write tries again.
        drop(self.repair());
        Err(WriteError { written, cause })
    }

    /// Writes all bytes, or says how many went.
    fn push(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.disk.append(rest) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }

    /// Puts a newline behind a torn line that could not be taken back.
    fn close_torn_line(&mut self) -> io::Result<()> {
        if self.torn {
            // Even a failed write may leave the newline behind.
            self.dirty = true;
            self.push(b"\n").map_err(|(_, cause)| cause)?;
            (self.dirty, self.torn) = (false, false);
            self.good += 1;
        }
        Ok(())
    }

    /// Takes back what a failed write left.
    fn repair(&mut self) -> io::Result<()> {
        if self.dirty {
            let length = self.disk.len()?;
            let taken_back = length > self.good && self.disk.truncate(self.good).is_ok();
            if length != self.good && !taken_back {
                // It cannot be taken back, or someone else cut the file: a newline makes either safe.
                self.torn = true;
                self.good = length;
            }
            self.dirty = false;
        }
        Ok(())
    }
}

/// The place behind the last newline before `length`.
fn end_of_lines(disk: &mut dyn Disk, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut bytes = vec![0; SEARCH_BYTES];
    while end > 0 {
        let start = end.saturating_sub(SEARCH_BYTES as u64);
        let wanted = usize::try_from(end - start).unwrap_or(SEARCH_BYTES);
        let read = read_all(disk, start, bytes.get_mut(..wanted).unwrap_or_default())?;
        let newline = bytes.iter().take(read).rposition(|byte| *byte == b'\n');
        if let Some(at) = newline {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Reads until `bytes` is full or the file ends.
fn read_all(disk: &mut dyn Disk, from: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match disk.read_at(from + done as u64, rest) {
            Ok(0) => break,
            Ok(more) => done += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
