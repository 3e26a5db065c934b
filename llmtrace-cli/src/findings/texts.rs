//! The texts of a span.

use std::fmt;

use llmtrace::{Attributes, Message, Part, SpanRecord, Status, Value};

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    Name,
    Status,
    Input(usize, &'a str),
    Output(usize, &'a str),
    Attribute(&'a str),
    Event(&'a str),
    Score(&'a str),
}

/// Values of attributes up to so many bytes are handed on with their names.
const NAMED_BYTES: usize = 512;

/// Hands on every text of a span, and where it stands. JSON is handed on as it is written.
pub(super) fn each(span: &SpanRecord, found: &mut impl FnMut(Place<'_>, &str)) {
    found(Place::Name, &span.name);
    if let Status::Error { message } = &span.status {
        found(Place::Status, message);
    }
    for (number, message) in span.input.iter().enumerate() {
        of_message(message, Place::Input(number + 1, message.role.as_str()), found);
    }
    for (number, message) in span.output.iter().enumerate() {
        of_message(message, Place::Output(number + 1, message.role.as_str()), found);
    }
    of_attributes(&span.attributes, Place::Attribute, found);
    for event in &span.events {
        found(Place::Event(&event.name), &event.name);
        of_attributes(&event.attributes, |_| Place::Event(&event.name), found);
    }
    for score in &span.scores {
        if let Some(comment) = &score.comment {
            found(Place::Score(&score.name), comment);
        }
    }
}

fn of_message(message: &Message, place: Place<'_>, found: &mut impl FnMut(Place<'_>, &str)) {
    for part in &message.parts {
        match part {
            Part::Text { content } | Part::Reasoning { content } => found(place, content),
            Part::ToolCall { arguments: json, .. }
            | Part::ToolCallResponse { response: json, .. }
            | Part::Other(json) => match json {
                serde_json::Value::String(text) => found(place, text),
                json => found(place, &json.to_string()),
            },
            Part::Uri { uri, .. } => found(place, uri),
            // Media holds no text, and ids of files are none.
            _ => {}
        }
    }
}

fn of_attributes<'a>(
    attributes: &'a Attributes,
    place: impl Fn(&'a str) -> Place<'a>,
    found: &mut impl FnMut(Place<'_>, &str),
) {
    for (key, value) in attributes.iter() {
        match value {
            // With its name, which may say what it is.
            Value::Str(text) if text.len() <= NAMED_BYTES => found(place(key), &format!("{key}={text}")),
            Value::Str(text) => found(place(key), text),
            Value::Array(_) | Value::Json(_) => {
                found(place(key), &serde_json::to_string(value).unwrap_or_default());
            }
            _ => {}
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("the name of the span"),
            Self::Status => f.write_str("the error message"),
            Self::Input(number, role) => write!(f, "input message {number} ({role})"),
            Self::Output(number, role) => write!(f, "output message {number} ({role})"),
            Self::Attribute(key) => write!(f, "attribute {key}"),
            Self::Event(name) => write!(f, "event {name:?}"),
            Self::Score(name) => write!(f, "the comment of score {name:?}"),
        }
    }
}
