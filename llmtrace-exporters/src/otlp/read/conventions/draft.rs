//! A record while it is made of what came.

use std::borrow::Cow;

use llmtrace::{Attributes, Message, ObservationKind, Part, SpanRecord, Value};

use crate::otlp::read::received::Received;
use crate::otlp::read::room::Room;

/// A record while it is made of what came.
pub(in crate::otlp::read) struct Draft<'r> {
    pub(super) record: SpanRecord,
    pub(super) received: Received,
    /// Attributes under our names that came under others.
    pub(super) added: Attributes,
    pub(super) kind: Option<ObservationKind>,
    /// The environment, where the span itself says it.
    pub(in crate::otlp::read) environment: Option<String>,
    pub(super) room: &'r mut Room,
}

/// In which form an attribute stands in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    /// As it came.
    Any,
    /// A text.
    Text,
    /// A count.
    Count,
    /// A number.
    Number,
    /// JSON that came as a text.
    Json,
    /// A list of texts, which may have come as JSON or, parted by commas, as one text.
    Texts,
}

/// A name of a convention, ours, and the form.
pub(super) type Name = (&'static str, &'static str, As);

impl<'r> Draft<'r> {
    /// Begins with what came.
    pub(in crate::otlp::read) fn new(record: SpanRecord, received: Received, room: &'r mut Room) -> Self {
        Self { record, received, added: Attributes::default(), kind: None, environment: None, room }
    }

    /// The record, and all its attributes.
    pub(in crate::otlp::read) fn finish(self) -> (SpanRecord, Vec<(Cow<'static, str>, Value)>) {
        let left = self.received.into_left().map(|(key, value)| (Cow::Owned(key), value));
        let added = self.added.iter().map(|(key, value)| (Cow::Owned(key.to_owned()), value.clone()));
        (self.record, left.chain(added).collect())
    }

    /// An attribute under our name.
    pub(super) fn known(&self, ours: &str) -> Option<&Value> {
        self.added.get(ours).or_else(|| self.received.get(ours))
    }

    /// An attribute under our name, if it is a text.
    pub(super) fn known_text(&self, ours: &str) -> Option<&str> {
        self.known(ours).and_then(Value::as_str)
    }

    /// Says something under our name. Whether that is now said: not where something else stands there.
    pub(super) fn offer(&mut self, ours: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> bool {
        let (ours, value) = (ours.into(), value.into());
        if let Some(known) = self.known(&ours) {
            return is_same(known, &value);
        }
        self.added.set(ours, value);
        true
    }

    /// Says something under our name in place of what stood there.
    pub(super) fn correct(&mut self, ours: &'static str, value: impl Into<Value>) {
        self.received.take(ours);
        self.added.set(ours, value);
    }

    /// Takes what came under these names into ours. What says something else than what stands there is left.
    pub(super) fn rename(&mut self, names: &[Name]) {
        for (theirs, ours, form) in names {
            let Some(value) = self.received.take(theirs) else { continue };
            let read = self.read_as(&value, *form);
            if !read.is_some_and(|read| self.offer(*ours, read)) {
                self.received.put(theirs, value);
            }
        }
    }

    /// A value in another form, if it can be read as that.
    pub(super) fn read_as(&mut self, value: &Value, form: As) -> Option<Value> {
        match form {
            As::Any => (*value != Value::Json(serde_json::Value::Null)).then(|| value.clone()),
            As::Text => value.as_str().filter(|text| !text.is_empty()).map(Value::from),
            As::Count => value.as_count().map(Value::from),
            As::Number => number(value).map(Value::Float),
            As::Json => match value {
                Value::Str(text) => self.room.parse(text).map(Value::Json),
                Value::Json(json) if json.is_null() => None,
                other => Some(other.clone()),
            },
            As::Texts => self.texts(value).map(Value::from),
        }
    }

    fn texts(&mut self, value: &Value) -> Option<Vec<String>> {
        match value {
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()
            }
            Value::Str(text) if text.trim_start().starts_with('[') => {
                serde_json::from_value(self.room.parse(text)?).ok()
            }
            Value::Str(text) => {
                let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
                Some(texts.map(str::to_owned).collect())
            }
            _ => None,
        }
        .filter(|texts: &Vec<String>| !texts.is_empty())
    }

    /// Says what the span stands for; the first word stands.
    pub(super) fn offer_kind(&mut self, kind: ObservationKind) {
        self.kind.get_or_insert(kind);
    }

    /// Says what went in. Whether that is now said.
    pub(super) fn offer_input(&mut self, messages: Vec<Message>) -> bool {
        offer_messages(&mut self.record.input, messages)
    }

    /// Says what came out. Whether that is now said.
    pub(super) fn offer_output(&mut self, messages: Vec<Message>) -> bool {
        offer_messages(&mut self.record.output, messages)
    }
}

fn offer_messages(known: &mut Vec<Message>, messages: Vec<Message>) -> bool {
    if known.is_empty() {
        *known = messages;
        return true;
    }
    let says_same = |(a, b): (&Message, &Message)| {
        let plain = |part: &Part| matches!(part, Part::Text { .. });
        a.role == b.role
            && a.text() == b.text()
            && a.parts.iter().filter(|part| !plain(part)).eq(b.parts.iter().filter(|part| !plain(part)))
    };
    known.len() == messages.len() && known.iter().zip(&messages).all(says_same)
}

/// A number, also one that came as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| number.is_finite())
}

/// Whether two values say the same thing, whatever their form.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b
        || matches!((number(a), number(b)), (Some(a), Some(b)) if (a - b).abs() <= 1e-9 * a.abs().max(b.abs()))
        || a.to_string() == b.to_string()
}
