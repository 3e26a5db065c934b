use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Found, MAX_ITEM_BYTES, clear, parse};

/// Two lengths and their checksum.
const PRELUDE_BYTES: usize = 12;

/// The checksum that ends a frame.
const CHECKSUM_BYTES: usize = 4;

/// Reads AWS event-stream frames (`application/vnd.amazon.eventstream`, as the Smithy specification has it:
/// <https://smithy.io/2.0/aws/amazon-eventstream.html>).
///
/// An event becomes `{"<event type>": payload}`, the JSON that the SDKs name the members of a stream by; the bytes
/// of a `chunk` become the JSON in them; an exception becomes `{"error": {"type": .., "message": ..}}`.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    /// The frame that is not over yet.
    held: Vec<u8>,
    /// The length of that frame, once its prelude is whole and right.
    total: Option<usize>,
    /// Bytes still to be skipped.
    skip: usize,
}

impl Frames {
    /// Takes the next bytes and hands on what is whole.
    ///
    /// A frame whose checksum is wrong is left out. Where the lengths themselves cannot be right, reading goes on
    /// with the next bytes that are a prelude.
    pub(super) fn push(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Found)) {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let needed = self.total.unwrap_or(PRELUDE_BYTES).saturating_sub(self.held.len());
            let Some((head, tail)) = bytes.split_at_checked(needed) else {
                return self.held.extend_from_slice(bytes);
            };
            self.held.extend_from_slice(head);
            bytes = tail;
            if self.total.take().is_some() {
                match item(&self.held) {
                    Ok(Some(item)) => found(Found::Item(item)),
                    Ok(None) => {}
                    Err(Unreadable) => found(Found::Torn),
                }
                clear(&mut self.held);
            } else {
                self.begin(found);
            }
        }
    }

    /// Takes a whole prelude.
    fn begin(&mut self, found: &mut impl FnMut(Found)) {
        match prelude(&self.held) {
            Some(total) if total <= MAX_ITEM_BYTES => self.total = Some(total),
            Some(total) => {
                self.skip = total.saturating_sub(self.held.len());
                self.held.clear();
                found(Found::Torn);
            }
            None => {
                let next = self.held.iter().skip(1).position(|byte| *byte == 0);
                self.held.drain(..next.map_or(self.held.len(), |next| next + 1));
                found(Found::Torn);
            }
        }
    }
}

/// The length of the frame that begins with these bytes, if they can be its prelude.
fn prelude(bytes: &[u8]) -> Option<usize> {
    let (lengths, checksum) = bytes.split_at_checked(8)?;
    let (total, headers) = lengths.split_at_checked(4)?;
    let (total, headers) = (number(total)?, number(headers)?);
    let is_possible = total >= headers.saturating_add(PRELUDE_BYTES + CHECKSUM_BYTES);
    (is_possible && is_sum_of(checksum, lengths)).then_some(total)
}

/// The frame is not what its checksum or its form says.
struct Unreadable;

/// The headers of a frame that say what it is.
#[derive(Default)]
struct Headers<'a> {
    message: &'a str,
    event: &'a str,
    exception: &'a str,
    code: &'a str,
    text: &'a str,
}

/// The item in a whole frame, if it holds JSON.
fn item(frame: &[u8]) -> Result<Option<Value>, Unreadable> {
    let end = frame.len().saturating_sub(CHECKSUM_BYTES);
    let (content, checksum) = frame.split_at_checked(end).ok_or(Unreadable)?;
    if !is_sum_of(checksum, content) {
        return Err(Unreadable);
    }
    let headers = content.get(4..8).and_then(number).ok_or(Unreadable)?;
    let rest = content.get(PRELUDE_BYTES..).ok_or(Unreadable)?;
    let (headers, payload) = rest.split_at_checked(headers).ok_or(Unreadable)?;
    let headers = Headers::read(headers).ok_or(Unreadable)?;
    Ok(match headers.message {
        "exception" => Some(error(headers.exception, headers.text, payload)),
        "error" => Some(error(headers.code, headers.text, payload)),
        _ => event(headers.event, payload),
    })
}

impl<'a> Headers<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut headers = Self::default();
        while let Some((length, rest)) = bytes.split_first() {
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let (kind, rest) = rest.split_first()?;
            let (length, rest) = match kind {
                0 | 1 => (0, rest),
                2 => (1, rest),
                3 => (2, rest),
                4 => (4, rest),
                5 | 8 => (8, rest),
                6 | 7 => {
                    let (length, rest) = rest.split_first_chunk()?;
                    (usize::from(u16::from_be_bytes(*length)), rest)
                }
                9 => (16, rest),
                _ => return None,
            };
            let (value, rest) = rest.split_at_checked(length)?;
            let slot = match name {
                b":message-type" => Some(&mut headers.message),
                b":event-type" => Some(&mut headers.event),
                b":exception-type" => Some(&mut headers.exception),
                b":error-code" => Some(&mut headers.code),
                b":error-message" => Some(&mut headers.text),
                _ => None,
            };
            if let Some(slot) = slot.filter(|_| *kind == 7) {
                *slot = std::str::from_utf8(value).ok()?;
            }
            bytes = rest;
        }
        Some(headers)
    }
}

fn event(kind: &str, payload: &[u8]) -> Option<Value> {
    let payload: Value = if payload.is_empty() { Map::new().into() } else { parse(payload)? };
    match payload.get("bytes").and_then(Value::as_str) {
        Some(bytes) if kind == "chunk" => parse(&STANDARD.decode(bytes).ok()?),
        _ => Some(Map::from_iter([(kind.to_owned(), payload)]).into()),
    }
}

/// An error in the form that JSON bodies have it.
fn error(kind: &str, text: &str, payload: &[u8]) -> Value {
    let mut error = match parse(payload) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let stated = ["message", "Message", "originalMessage"].iter().find_map(|key| error.get(*key)?.as_str());
    let message = stated.unwrap_or(text).to_owned();
    error.insert("message".to_owned(), message.into());
    error.insert("type".to_owned(), kind.into());
    Map::from_iter([("error".to_owned(), error.into())]).into()
}

fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
}

fn is_sum_of(checksum: &[u8], bytes: &[u8]) -> bool {
    checksum == crc32fast::hash(bytes).to_be_bytes()
}
