//! How much memory a body may still take.

use llmtrace::SpanRecord;

use super::OtlpReadError;

/// Memory that what is read may still take, beside the texts themselves, which are no longer than the body.
#[derive(Debug)]
pub(super) struct Room {
    body: usize,
    left: usize,
}

/// Most memory for each byte of the body, and for any body, in bytes.
const PER_BYTE: usize = 16;
const ALWAYS: usize = 1 << 20;

/// Roughly the memory of the parts of a request, in bytes.
pub(super) const GROUP: usize = 128;
pub(super) const SPAN: usize = 2 * size_of::<SpanRecord>();
pub(super) const EVENT: usize = 128;
pub(super) const PAIR: usize = 96;
pub(super) const ITEM: usize = 48;

/// A JSON object is a tree whose smallest node has room for eleven members.
const OBJECT: usize = 700;

impl Room {
    /// The room for a body of so many bytes.
    pub(super) fn of(body: usize) -> Self {
        Self { body, left: Self::limit(body) }
    }

    fn limit(body: usize) -> usize {
        body.saturating_mul(PER_BYTE).saturating_add(ALWAYS)
    }

    /// Takes so many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), OtlpReadError> {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => return Err(OtlpReadError::TooLarge { body: self.body, limit: Self::limit(self.body) }),
        }
        Ok(())
    }

    /// Takes a JSON object.
    pub(super) fn take_object(&mut self) -> Result<(), OtlpReadError> {
        self.take(OBJECT)
    }

    /// Reads a JSON text, if it is an object or a list and there is room for it.
    pub(super) fn parse(&mut self, text: &str) -> Option<serde_json::Value> {
        if !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        // Braces in strings count too: there is room for those of any usual text.
        let size = text.bytes().fold(0_usize, |size, byte| {
            size.saturating_add(match byte {
                b'{' => OBJECT,
                b'[' | b',' => ITEM,
                _ => 0,
            })
        });
        self.left = self.left.checked_sub(size)?;
        serde_json::from_str(text).ok()
    }
}
