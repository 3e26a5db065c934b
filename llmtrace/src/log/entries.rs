//! Reading a log.

use super::{
    ARGUMENT, ATTRIBUTE, BOOL, Body, CANCELLED, CHUNK, CUT_OFF, DEFAULT, DONE, ERROR, EVENT_END, EVENT_START,
    Entry, FAILED, FIRST_CHUNK, FLOAT, HEADER, INT, KEY_ID, Key, LABEL, LINK, NAME, RECEIVED, REQUEST,
    RESPONSE, SCORE, SENT, SENT_UNSEEN, STR, Scalar, WIDE,
};
use crate::keys::KeyId;
use crate::{SpanId, TraceId};

/// The entries of a [`Log`], in the order of writing.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a>(pub(super) &'a [u8]);

impl<'a> Entries<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = u32::from_le_bytes(self.take()?) as usize;
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn str(&mut self) -> Option<&'a str> {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    fn time(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn body(&mut self) -> Option<Body<'a>> {
        match self.byte()? {
            STR => self.str().map(Body::Text),
            _ => self.bytes().map(Body::Json),
        }
    }

    fn attribute(&mut self) -> Option<Entry<'a>> {
        let key = match self.byte()? {
            KEY_ID => Key::Id(KeyId(u16::from_le_bytes(self.take()?))),
            _ => Key::Name(self.str()?),
        };
        let value = match self.byte()? {
            STR => Scalar::Str(self.str()?),
            INT => Scalar::Int(i64::from_le_bytes(self.take()?)),
            WIDE => Scalar::Wide(i128::from_le_bytes(self.take()?)),
            FLOAT => Scalar::Float(f64::from_le_bytes(self.take()?)),
            BOOL => Scalar::Bool(self.byte()? != 0),
            _ => Scalar::Json(self.bytes()?),
        };
        Some(Entry::Attribute(key, value))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        Some(match self.byte()? {
            ATTRIBUTE => return self.attribute(),
            ARGUMENT => Entry::Argument(self.str()?, self.body()?),
            REQUEST => Entry::Request(self.body()?),
            RESPONSE => Entry::Response(self.body()?),
            CHUNK => Entry::Chunk(self.time()?, self.body()?),
            FIRST_CHUNK => Entry::FirstChunk(self.time()?),
            EVENT_START => Entry::EventStart(self.time()?, self.str()?),
            EVENT_END => Entry::EventEnd,
            LINK => Entry::Link(TraceId::from_bytes(self.take()?)?, SpanId::from_bytes(self.take()?)?),
            SCORE => Entry::Score(self.str()?, f64::from_le_bytes(self.take()?), self.str()?),
            ERROR => Entry::Error(self.str()?, self.str()?),
            NAME => Entry::Name(self.str()?),
            LABEL => Entry::Label(self.str()?),
            HEADER => Entry::Header(self.str()?, self.str()?),
            DONE => Entry::Done,
            CANCELLED => Entry::Cancelled,
            DEFAULT => match self.next()? {
                Entry::Attribute(key, value) => Entry::Default(key, value),
                _ => return None,
            },
            SENT => Entry::Sent(Some(self.body()?)),
            SENT_UNSEEN => Entry::Sent(None),
            RECEIVED => Entry::Received(self.time()?, self.body()?),
            FAILED => Entry::Failed(self.time()?, self.str()?, self.str()?),
            CUT_OFF => Entry::CutOff,
            _ => Entry::Truncated,
        })
    }
}
