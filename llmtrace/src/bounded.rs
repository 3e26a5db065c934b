//! Writing no more than so many bytes.

use std::cell::Cell;
use std::fmt;
use std::io;

use crate::content;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Longest buffer that a thread keeps for the next value, in bytes.
const MAX_KEPT_BUFFER_BYTES: usize = 256 * 1024;

/// Lends this thread's buffer. A value that is serialised inside another one's serialisation gets a fresh one.
pub(crate) fn with_buffer(use_it: impl FnOnce(&mut Vec<u8>)) {
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
    buffer.clear();
    use_it(&mut buffer);
    if buffer.capacity() <= MAX_KEPT_BUFFER_BYTES {
        let _ = BUFFER.try_with(|slot| slot.set(buffer));
    }
}

/// Refuses to grow beyond a number of bytes.
pub(crate) struct Bounded<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) left: usize,
}

impl io::Write for Bounded<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stops formatting at a number of bytes.
pub(crate) struct BoundedText {
    pub(crate) out: String,
    pub(crate) left: usize,
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = content::cut(text, self.left);
        self.out.push_str(fits);
        let is_whole = fits.len() == text.len();
        self.left = if is_whole { self.left - fits.len() } else { 0 };
        if is_whole { Ok(()) } else { Err(fmt::Error) }
    }
}
