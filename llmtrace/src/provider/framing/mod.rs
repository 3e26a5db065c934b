//! The bytes of a body into the JSON items in it, however the body holds them.
//!
//! The first byte tells the form: AWS event-stream frames start with a zero, JSON with a bracket or a brace, and
//! anything else is server-sent events.

mod documents;
mod events;
mod frames;
mod lines;

use serde_json::Value;

use documents::Documents;
use events::Events;
use frames::Frames;

/// Longest line, and longest item, in bytes; what is longer is skipped.
pub(super) const MAX_ITEM_BYTES: usize = 16 * 1024 * 1024;

/// Largest buffer that is kept for the next item, in bytes.
const MAX_IDLE_BYTES: usize = 64 * 1024;

/// Most memory that an item may take when it is parsed, in bytes, as [`parse`] estimates it; one that takes more is
/// skipped. Short objects take a hundred times their text.
const MAX_ITEM_MEMORY: usize = 256 * 1024 * 1024;

/// Items up to this length are parsed without an estimate, in bytes.
const SMALL_ITEM_BYTES: usize = 256 * 1024;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One thing found in a body.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    /// A JSON object.
    Item(Value),
    /// The closing `[DONE]`.
    Done,
    /// A frame that cannot be read was skipped: something is missing.
    Torn,
}

/// The state between two chunks of a body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Framing {
    form: Form,
}

/// How a body holds its items.
#[derive(Clone, Debug, Default)]
enum Form {
    /// Not told yet.
    #[default]
    Unknown,
    /// Server-sent events.
    Events(Events),
    /// JSON documents: one, one a line, or the elements of a list.
    Documents(Documents),
    /// AWS event-stream frames.
    Frames(Frames),
}

impl Framing {
    /// Whether a byte may stand before a body: white space, or part of a byte order mark.
    pub(crate) fn is_blank(byte: u8) -> bool {
        byte.is_ascii_whitespace() || BOM.contains(&byte)
    }

    /// Takes the next bytes of the body and hands on what is whole.
    pub(crate) fn push(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Found)) {
        if matches!(self.form, Form::Unknown) {
            let Some(start) = bytes.iter().position(|byte| !Self::is_blank(*byte)) else { return };
            bytes = bytes.get(start..).unwrap_or_default();
            self.form = match bytes.first() {
                Some(0) => Form::Frames(Frames::default()),
                Some(b'{' | b'[') => Form::Documents(Documents::default()),
                _ => Form::Events(Events::default()),
            };
        }
        match &mut self.form {
            Form::Unknown => {}
            Form::Events(events) => events.push(bytes, found),
            Form::Documents(documents) => documents.push(bytes, found),
            Form::Frames(frames) => frames.push(bytes, found),
        }
    }

    /// Ends the body: hands on what is whole without its last line ending.
    pub(super) fn finish(&mut self, found: &mut impl FnMut(Found)) {
        if let Form::Events(events) = &mut self.form {
            events.finish(found);
        }
        self.form = Form::Unknown;
    }
}

/// The JSON in `json`; `None` where it is none, or would take too much memory.
fn parse(json: &[u8]) -> Option<Value> {
    // `serde_json` makes room for eleven fields at once, and for four elements of a list.
    const WEIGHTS: [(u8, usize); 3] = [(b'{', 700), (b'[', 128), (b',', 64)];
    if json.len() > SMALL_ITEM_BYTES {
        let weight = |(byte, weight)| memchr::memchr_iter(byte, json).count().saturating_mul(weight);
        if WEIGHTS.into_iter().map(weight).fold(0, usize::saturating_add) > MAX_ITEM_MEMORY {
            return None;
        }
    }
    serde_json::from_slice(json).ok()
}

/// Empties a buffer, and gives its memory back where it has grown large.
fn clear(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(MAX_IDLE_BYTES);
}

#[cfg(test)]
mod tests;
