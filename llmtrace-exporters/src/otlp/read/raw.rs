//! A request as its encoding has it, before it is understood.

use llmtrace::{Attributes, Value};

use super::{MAX_ATTRIBUTES, MAX_EVENTS, MAX_KEPT_ATTRIBUTES};

/// The spans of a request by resource and scope.
#[derive(Default)]
pub(super) struct Request {
    pub(super) resources: Vec<ResourceSpans>,
    /// How many spans there are.
    pub(super) spans: usize,
}

#[derive(Default)]
pub(super) struct ResourceSpans {
    pub(super) attributes: Vec<Pair>,
    pub(super) scopes: Vec<ScopeSpans>,
}

#[derive(Default)]
pub(super) struct ScopeSpans {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) spans: Vec<RawSpan>,
}

/// An attribute.
pub(super) type Pair = (String, Value);

/// A span.
#[derive(Default)]
pub(super) struct RawSpan {
    pub(super) trace_id: RawId,
    pub(super) span_id: RawId,
    pub(super) parent: RawId,
    pub(super) flags: u32,
    pub(super) trace_state: String,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) attributes: Vec<Pair>,
    pub(super) events: Vec<RawEvent>,
    pub(super) links: Vec<RawLink>,
    pub(super) dropped_attributes: u64,
    pub(super) dropped_events: u64,
    pub(super) dropped_links: u64,
    pub(super) code: StatusCode,
    pub(super) message: String,
    /// Why it cannot be kept.
    pub(super) refused: Option<&'static str>,
}

#[derive(Default)]
pub(super) struct RawEvent {
    pub(super) name: String,
    pub(super) time: u64,
    pub(super) attributes: Vec<Pair>,
}

#[derive(Default)]
pub(super) struct RawLink {
    pub(super) trace_id: RawId,
    pub(super) span_id: RawId,
    pub(super) attributes: Vec<Pair>,
}

/// An id, whatever its length.
#[derive(Clone, Copy, Default)]
pub(super) enum RawId {
    #[default]
    Absent,
    /// The first bytes, and how many there are.
    Bytes { first: [u8; 16], length: usize },
    /// A text that is not hexadecimal.
    NotHex,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SpanKind {
    #[default]
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum StatusCode {
    #[default]
    Unset,
    Ok,
    Error,
}

impl RawId {
    /// An id from its bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let mut first = [0; 16];
        first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        if bytes.is_empty() { Self::Absent } else { Self::Bytes { first, length: bytes.len() } }
    }

    /// An id from hex digits of either case.
    pub(super) fn of_hex(text: &str) -> Self {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut first = [0; 16];
        let mut length = 0;
        for pair in text.as_bytes().chunks(2) {
            let [Some(high), Some(low)] =
                [pair.first(), pair.get(1)].map(|byte| byte.copied().and_then(digit))
            else {
                return Self::NotHex;
            };
            if let Some(byte) = first.get_mut(length) {
                *byte = high << 4 | low;
            }
            length += 1;
        }
        if length == 0 { Self::Absent } else { Self::Bytes { first, length } }
    }

    /// The `N` bytes of the id; `None` where there is none.
    pub(super) fn read<const N: usize>(self, what: &str) -> Result<Option<[u8; N]>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::NotHex => Err(format!("its {what} is not hexadecimal")),
            Self::Bytes { first, length } => match first.first_chunk::<N>() {
                Some(bytes) if length == N => Ok(Some(*bytes)),
                _ => Err(format!("its {what} has {length} bytes, not {N}")),
            },
        }
    }

    /// As [`read`](Self::read), of an id that must be there and not be zero.
    pub(super) fn demand<const N: usize>(self, what: &str) -> Result<[u8; N], String> {
        let bytes = self.read(what)?.ok_or_else(|| format!("it has no {what}"))?;
        if bytes == [0; N] { Err(format!("its {what} is all zeros")) } else { Ok(bytes) }
    }
}

impl SpanKind {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Unspecified, "SPAN_KIND_UNSPECIFIED", ""),
        (Self::Internal, "SPAN_KIND_INTERNAL", "internal"),
        (Self::Server, "SPAN_KIND_SERVER", "server"),
        (Self::Client, "SPAN_KIND_CLIENT", "client"),
        (Self::Producer, "SPAN_KIND_PRODUCER", "producer"),
        (Self::Consumer, "SPAN_KIND_CONSUMER", "consumer"),
    ];

    pub(super) fn of_number(number: u64) -> Self {
        let found = usize::try_from(number).ok().and_then(|index| Self::ALL.get(index));
        found.map_or(Self::Unspecified, |(kind, ..)| *kind)
    }

    pub(super) fn of_name(name: &str) -> Self {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map_or(Self::Unspecified, |(kind, ..)| *kind)
    }

    /// `internal`, `client` and so on.
    pub(super) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, _, word)| *word)
    }
}

impl StatusCode {
    pub(super) fn of_number(number: u64) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    pub(super) fn of_name(name: &str) -> Self {
        match name {
            "STATUS_CODE_OK" => Self::Ok,
            "STATUS_CODE_ERROR" => Self::Error,
            _ => Self::Unset,
        }
    }
}

impl RawSpan {
    /// Refuses the span; the first reason stands.
    pub(super) fn refuse(&mut self, reason: &'static str) {
        self.refused.get_or_insert(reason);
    }

    /// Adds an attribute.
    pub(super) fn push_attribute(&mut self, pair: Pair) {
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push(pair);
        } else {
            self.refuse("it has more than 16384 attributes");
        }
    }

    /// Adds an event.
    pub(super) fn push_event(&mut self, event: RawEvent) {
        if self.events.len() < MAX_EVENTS {
            self.events.push(event);
        } else {
            self.refuse("it has more than 16384 events");
        }
    }

    /// Adds a link.
    pub(super) fn push_link(&mut self, link: RawLink) {
        if self.links.len() < MAX_EVENTS {
            self.links.push(link);
        } else {
            self.refuse("it has more than 16384 links");
        }
    }
}

/// Attributes in their order, of which the last of a name stands, and how many were cut off.
pub(super) fn attributes(pairs: Vec<Pair>) -> (Attributes, u64) {
    let cut = pairs.len().saturating_sub(MAX_KEPT_ATTRIBUTES) as u64;
    let kept = pairs.into_iter().take(MAX_KEPT_ATTRIBUTES).filter(|(key, _)| !key.is_empty());
    (kept.collect(), cut)
}
