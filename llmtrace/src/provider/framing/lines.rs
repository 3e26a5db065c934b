use super::{MAX_ITEM_BYTES, clear};

/// Chunks of bytes into lines, which may end in a line feed, a carriage return or both.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    /// The line that is not over yet.
    line: Vec<u8>,
    /// Whether that line is too long already.
    skipping: bool,
    /// Whether the last byte was a carriage return, whose line feed may follow.
    after_return: bool,
}

impl Lines {
    /// Takes the next bytes and hands on the lines that they end; one that is too long is passed over.
    pub(super) fn push(&mut self, mut bytes: &[u8], take: &mut impl FnMut(&[u8])) {
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.after_return) {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            let (head, tail) = bytes.split_at(end);
            if self.line.is_empty() && !self.skipping && head.len() <= MAX_ITEM_BYTES {
                take(head);
            } else {
                self.extend(head);
                self.end_line(take);
            }
            let is_return = tail.first() == Some(&b'\r');
            let ending = if is_return && tail.get(1) == Some(&b'\n') { 2 } else { 1 };
            bytes = tail.get(ending..).unwrap_or_default();
            self.after_return = is_return && ending == 1 && bytes.is_empty();
        }
        self.extend(bytes);
    }

    /// Ends the last line.
    pub(super) fn finish(&mut self, take: &mut impl FnMut(&[u8])) {
        self.end_line(take);
        *self = Self::default();
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.skipping || self.line.len().saturating_add(bytes.len()) > MAX_ITEM_BYTES {
            self.skipping = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, take: &mut impl FnMut(&[u8])) {
        if !std::mem::take(&mut self.skipping) {
            take(&self.line);
        }
        clear(&mut self.line);
    }
}
