//! What happened to an open span, as bytes.
//!
//! The caller's thread appends; the worker reads. Writing is a copy into one recycled buffer: no parsing, no
//! formatting, no allocation in the steady state. Numbers are little-endian, texts follow their `u32` length.

mod entries;

use std::fmt;

pub(crate) use entries::Entries;

use crate::keys::KeyId;
use crate::{SpanId, TraceId, Value};

/// The bytes of one span's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log(Vec<u8>);

/// The key of an attribute: one that a callsite declares, or any other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Id(KeyId),
    Name(&'a str),
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Str(&'a str),
    Int(i64),
    Wide(i128),
    Float(f64),
    Bool(bool),
    /// Serialised JSON.
    Json(&'a [u8]),
}

/// A text, or serialised JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body<'a> {
    Text(&'a str),
    Json(&'a [u8]),
}

impl<'a> Body<'a> {
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Json(json) => json,
        }
    }
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Entry<'a> {
    Attribute(Key<'a>, Scalar<'a>),
    /// A function's argument.
    Argument(&'a str, Body<'a>),
    /// The JSON of a provider's request.
    Request(Body<'a>),
    /// What came back: a provider's response, or a function's return value.
    Response(Body<'a>),
    /// One item of a stream, and when it came.
    Chunk(u64, Body<'a>),
    /// When the first content came, as the user saw it.
    FirstChunk(u64),
    /// Attributes from here to `EventEnd` are the event's.
    EventStart(u64, &'a str),
    EventEnd,
    Link(TraceId, SpanId),
    Score(&'a str, f64, &'a str),
    /// Error type and message.
    Error(&'a str, &'a str),
    Name(&'a str),
    Label(&'a str),
    /// Name and value of a header of the answer.
    Header(&'a str, &'a str),
    /// The function's body or the stream ran to its end.
    Done,
    /// The future or the stream was dropped before its end.
    Cancelled,
    /// A text was cut to the configured length, or a body left out for its size.
    Truncated,
    /// An attribute that yields to whatever else is said under its key.
    Default(Key<'a>, Scalar<'a>),
    /// A request went over the network; what came back for an earlier one does not count.
    Sent(Option<Body<'a>>),
    /// Bytes of the answer as they came from the network, and when.
    Received(u64, Body<'a>),
    /// The call over the network failed, and when: type and message.
    Failed(u64, &'a str, &'a str),
    /// The answer was given up before its end.
    CutOff,
}

const ATTRIBUTE: u8 = 0;
const ARGUMENT: u8 = 1;
const REQUEST: u8 = 2;
const RESPONSE: u8 = 3;
const CHUNK: u8 = 4;
const FIRST_CHUNK: u8 = 5;
const EVENT_START: u8 = 6;
const EVENT_END: u8 = 7;
const LINK: u8 = 8;
const SCORE: u8 = 9;
const ERROR: u8 = 10;
const NAME: u8 = 11;
const LABEL: u8 = 12;
const DONE: u8 = 13;
const CANCELLED: u8 = 14;
const TRUNCATED: u8 = 15;
const DEFAULT: u8 = 16;
const SENT: u8 = 17;
const SENT_UNSEEN: u8 = 18;
const RECEIVED: u8 = 19;
const FAILED: u8 = 20;
const CUT_OFF: u8 = 21;
const HEADER: u8 = 22;

const KEY_ID: u8 = 0;
const KEY_NAME: u8 = 1;

const STR: u8 = 0;
const INT: u8 = 1;
const WIDE: u8 = 2;
const FLOAT: u8 = 3;
const BOOL: u8 = 4;
const JSON: u8 = 5;

impl Log {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, entry: Entry<'_>) {
        match entry {
            Entry::Attribute(key, value) => self.attribute(key, value),
            Entry::Argument(name, body) => {
                self.0.push(ARGUMENT);
                self.bytes(name.as_bytes());
                self.body(body);
            }
            Entry::Request(body) => {
                self.0.push(REQUEST);
                self.body(body);
            }
            Entry::Response(body) => {
                self.0.push(RESPONSE);
                self.body(body);
            }
            Entry::Chunk(time, body) => {
                self.0.push(CHUNK);
                self.0.extend_from_slice(&time.to_le_bytes());
                self.body(body);
            }
            Entry::FirstChunk(time) => {
                self.0.push(FIRST_CHUNK);
                self.0.extend_from_slice(&time.to_le_bytes());
            }
            Entry::EventStart(time, name) => {
                self.0.push(EVENT_START);
                self.0.extend_from_slice(&time.to_le_bytes());
                self.bytes(name.as_bytes());
            }
            Entry::EventEnd => self.0.push(EVENT_END),
            Entry::Link(trace, span) => {
                self.0.push(LINK);
                self.0.extend_from_slice(&trace.to_bytes());
                self.0.extend_from_slice(&span.to_bytes());
            }
            Entry::Score(name, value, comment) => {
                self.0.push(SCORE);
                self.bytes(name.as_bytes());
                self.0.extend_from_slice(&value.to_le_bytes());
                self.bytes(comment.as_bytes());
            }
            Entry::Error(kind, message) => {
                self.0.push(ERROR);
                self.bytes(kind.as_bytes());
                self.bytes(message.as_bytes());
            }
            Entry::Name(name) => {
                self.0.push(NAME);
                self.bytes(name.as_bytes());
            }
            Entry::Label(label) => {
                self.0.push(LABEL);
                self.bytes(label.as_bytes());
            }
            Entry::Header(name, value) => {
                self.0.push(HEADER);
                self.bytes(name.as_bytes());
                self.bytes(value.as_bytes());
            }
            Entry::Done => self.0.push(DONE),
            Entry::Cancelled => self.0.push(CANCELLED),
            Entry::Truncated => self.0.push(TRUNCATED),
            Entry::Default(key, value) => {
                self.0.push(DEFAULT);
                self.attribute(key, value);
            }
            Entry::Sent(Some(body)) => {
                self.0.push(SENT);
                self.body(body);
            }
            Entry::Sent(None) => self.0.push(SENT_UNSEEN),
            Entry::Received(time, body) => {
                self.0.push(RECEIVED);
                self.0.extend_from_slice(&time.to_le_bytes());
                self.body(body);
            }
            Entry::Failed(time, kind, message) => {
                self.0.push(FAILED);
                self.0.extend_from_slice(&time.to_le_bytes());
                self.bytes(kind.as_bytes());
                self.bytes(message.as_bytes());
            }
            Entry::CutOff => self.0.push(CUT_OFF),
        }
    }

    /// Appends an attribute.
    #[inline]
    pub(crate) fn attribute(&mut self, key: Key<'_>, value: Scalar<'_>) {
        match key {
            Key::Id(id) => self.field(id, value),
            Key::Name(name) => {
                let start = u128::from(u16::from_le_bytes([ATTRIBUTE, KEY_NAME]));
                self.packed::<6>(start | u128::from(length(name.as_bytes())) << 16);
                self.0.extend_from_slice(name.as_bytes());
                self.value(value);
            }
        }
    }

    /// Appends an attribute whose key a callsite declares.
    #[inline]
    pub(crate) fn field(&mut self, key: KeyId, value: Scalar<'_>) {
        self.packed::<4>(field_start(key));
        self.value(value);
    }

    /// [`field`](Self::field) for a text, in as few writes as can be.
    #[inline]
    pub(crate) fn text_field(&mut self, key: KeyId, text: &str) {
        let length = length(text.as_bytes());
        self.packed::<9>(field_start(key) | u128::from(STR) << 32 | u128::from(length) << 40);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// [`field`](Self::field) for an integer, in one write.
    #[inline]
    pub(crate) fn int_field(&mut self, key: KeyId, int: i64) {
        let int = u128::from(int.cast_unsigned());
        self.packed::<13>(field_start(key) | u128::from(INT) << 32 | int << 40);
    }

    #[inline]
    fn value(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Str(text) => self.tagged(STR, text.as_bytes()),
            Scalar::Int(int) => self.word(INT, int.cast_unsigned()),
            Scalar::Wide(int) => {
                self.0.push(WIDE);
                self.0.extend_from_slice(&int.to_le_bytes());
            }
            Scalar::Float(float) => self.word(FLOAT, float.to_bits()),
            Scalar::Bool(bool) => self.0.extend_from_slice(&[BOOL, u8::from(bool)]),
            Scalar::Json(json) => self.tagged(JSON, json),
        }
    }

    fn body(&mut self, body: Body<'_>) {
        match body {
            Body::Text(text) => self.tagged(STR, text.as_bytes()),
            Body::Json(json) => self.tagged(JSON, json),
        }
    }

    #[inline]
    fn word(&mut self, tag: u8, word: u64) {
        self.packed::<9>(u128::from(tag) | u128::from(word) << 8);
    }

    /// Appends the lowest `N` bytes.
    #[inline]
    fn packed<const N: usize>(&mut self, bytes: u128) {
        if let Some(bytes) = bytes.to_le_bytes().first_chunk::<N>() {
            self.0.extend_from_slice(bytes);
        }
    }

    #[inline]
    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        self.bytes(bytes);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let length = length(bytes);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(bytes.get(..length as usize).unwrap_or(bytes));
    }

    /// Appends another log.
    pub(crate) fn append(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Takes back what was written after the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Bytes written.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes held.
    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Gives memory beyond `max` bytes back.
    pub(crate) fn shrink_to(&mut self, max: usize) {
        if self.0.capacity() > max {
            self.0.shrink_to(max);
        }
    }

    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries(&self.0)
    }
}

/// The first four bytes of an attribute whose key a callsite declares.
#[inline]
fn field_start(KeyId(id): KeyId) -> u128 {
    u128::from(u16::from_le_bytes([ATTRIBUTE, KEY_ID])) | u128::from(id) << 16
}

/// The length of a text as it is written. Texts are cut to far less than 4 GiB before they come here.
#[inline]
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Int(int) => int.fmt(f),
            Self::Wide(int) => int.fmt(f),
            Self::Float(float) => float.fmt(f),
            Self::Bool(bool) => bool.fmt(f),
            Self::Json(json) => f.write_str(&String::from_utf8_lossy(json)),
        }
    }
}

impl From<Scalar<'_>> for Value {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Str(text) => text.into(),
            Scalar::Int(int) => int.into(),
            Scalar::Wide(int) => int.into(),
            Scalar::Float(float) => float.into(),
            Scalar::Bool(bool) => bool.into(),
            Scalar::Json(json) => match serde_json::from_slice::<serde_json::Value>(json) {
                Ok(parsed) => parsed.into(),
                Err(_) => String::from_utf8_lossy(json).into_owned().into(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
