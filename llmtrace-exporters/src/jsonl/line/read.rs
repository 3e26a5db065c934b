//! Reading a line.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use llmtrace::{
    Attributes, Event, Link, Message, ObservationKind, Resource, Score, SpanId, SpanRecord, Status,
    Timestamp, TraceId, Value, semconv,
};

use crate::jsonl::parse::{Parser, SyntaxError};

/// Reads one line of version 1, with or without its newline.
///
/// What [`write_line`](super::write_line) wrote is read back as it was, save that an attribute takes the kind that its JSON has:
/// a float that is not finite is a text, and a list with lists, objects or nulls in it is
/// [`Value::Json`]. Keys that are not known are passed over.
///
/// # Errors
///
/// The line is torn, of another version or not a span.
pub fn read_line(line: &[u8]) -> Result<SpanRecord, LineError> {
    let text = str::from_utf8(line).map_err(|error| LineError::NotUtf8 { at: error.valid_up_to() })?;
    let mut draft = Draft::default();
    let mut parser = Parser::new(text);
    let read = parser
        .object(|parser, key| draft.field(&key, parser))
        .and_then(|()| Ok(parser.end()?))
        .and_then(|()| draft.finish());
    // The reason why a line of another version cannot be read is its version.
    read.map_err(|error| version_error(text).unwrap_or(error))
}

/// Why a line is not a span.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The bytes are not UTF-8.
    #[error("not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// The text is not one JSON object; a torn line ends too early.
    #[error("not a JSON object: {what} (byte {at})")]
    NotJson {
        /// The byte at which reading stopped.
        at: usize,
        /// What was wrong there.
        what: &'static str,
    },
    /// The line is of another version, or states none.
    #[error("{}", of_version(found))]
    Version {
        /// The value of `v`, as JSON; `none` where there is no `v`.
        found: String,
    },
    /// A key that every span has is not there.
    #[error("`{key}` is missing")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// The value of a key cannot be read.
    #[error("`{key}`: {reason}")]
    Invalid {
        /// The key.
        key: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// The line is longer than any that is kept in memory.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The most bytes a line may have.
        limit: usize,
    },
    /// The file could not be read on.
    #[error("reading failed: {0}")]
    Read(#[from] std::io::Error),
}

fn of_version(found: &str) -> String {
    match found {
        "none" => "the object has no `v`, which every line that llmtrace writes has".to_owned(),
        found => format!("the line is of version {found}; this program reads version 1"),
    }
}

impl From<SyntaxError> for LineError {
    fn from(SyntaxError { at, what }: SyntaxError) -> Self {
        Self::NotJson { at, what }
    }
}

/// Attributes that one span, event, link or resource may have.
const MAX_ATTRIBUTES: usize = 4_096;

/// What is known of a span while its line is read.
#[derive(Default)]
struct Draft {
    version: bool,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    parent_span_id: Option<SpanId>,
    parent_is_remote: bool,
    name: Option<String>,
    kind: Option<ObservationKind>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    status: Option<String>,
    status_message: String,
    service: Option<String>,
    resource: Attributes,
    scope: String,
    attributes: Attributes,
    input: Vec<Message>,
    output: Vec<Message>,
    events: Vec<Event>,
    scores: Vec<Score>,
    links: Vec<Link>,
}

impl Draft {
    fn field(&mut self, key: &str, parser: &mut Parser<'_>) -> Result<(), LineError> {
        match key {
            "v" => self.version = parser.value()? == Value::Int(1),
            "trace_id" => self.trace_id = Some(read_text("trace_id", parser)?),
            "span_id" => self.span_id = Some(read_text("span_id", parser)?),
            "parent_span_id" => self.parent_span_id = read_optional("parent_span_id", parser)?,
            "parent_is_remote" => self.parent_is_remote = parser.value()? == Value::Bool(true),
            "name" => self.name = Some(parser.string()?.into_owned()),
            "kind" => self.kind = read_optional("kind", parser)?,
            "start" => self.start = Some(read_text("start", parser)?),
            "end" => self.end = Some(read_text("end", parser)?),
            "status" => self.status = read_optional("status", parser)?,
            "status_message" => {
                self.status_message = read_optional("status_message", parser)?.unwrap_or_default();
            }
            "service" => self.service = read_optional("service", parser)?,
            "resource" => self.resource = read_attributes(parser)?,
            "scope" => self.scope = read_optional("scope", parser)?.unwrap_or_default(),
            "attributes" => self.attributes = read_attributes(parser)?,
            "input" => self.input = read_messages("input", parser)?,
            "output" => self.output = read_messages("output", parser)?,
            "events" => read_list(parser, |parser| {
                self.events.push(read_event(parser)?);
                Ok(())
            })?,
            "scores" => read_list(parser, |parser| {
                self.scores.push(read_score(parser)?);
                Ok(())
            })?,
            "links" => read_list(parser, |parser| {
                self.links.push(read_link(parser)?);
                Ok(())
            })?,
            _ => drop(parser.json()?),
        }
        Ok(())
    }

    fn finish(self) -> Result<SpanRecord, LineError> {
        if !self.version {
            return Err(LineError::Version { found: "none".to_owned() });
        }
        let missing = |key| LineError::Missing { key };
        let mut span = SpanRecord::new(
            self.trace_id.ok_or(missing("trace_id"))?,
            self.span_id.ok_or(missing("span_id"))?,
            self.name.ok_or(missing("name"))?,
            self.kind.ok_or(missing("kind"))?,
            self.start.ok_or(missing("start"))?,
            self.end.ok_or(missing("end"))?,
        );
        span.status = match self.status.as_deref() {
            None | Some("unset") => Status::Unset,
            Some("ok") => Status::Ok,
            Some("error") => Status::Error { message: self.status_message },
            Some("cancelled") => Status::Cancelled,
            Some(other) => {
                return Err(invalid(
                    "status",
                    &format!("expected unset, ok, error or cancelled, found {other:?}"),
                ));
            }
        };
        let mut resource = Attributes::default();
        if let Some(service) = self.service
            && self.resource.get(semconv::SERVICE_NAME).is_none()
        {
            resource.set(semconv::SERVICE_NAME, service);
        }
        span.resource = if resource.is_empty() && self.resource.is_empty() {
            Arc::default()
        } else {
            for (key, value) in self.resource.iter() {
                resource.set(key.to_owned(), value.clone());
            }
            let mut whole = Resource::default();
            whole.attributes = resource;
            Arc::new(whole)
        };
        span.parent_span_id = self.parent_span_id;
        span.parent_is_remote = self.parent_is_remote;
        span.scope = Cow::Owned(self.scope);
        span.attributes = self.attributes;
        span.input = self.input;
        span.output = self.output;
        span.events = self.events;
        span.scores = self.scores;
        span.links = self.links;
        Ok(span)
    }
}

fn invalid(key: &'static str, reason: &impl ToString) -> LineError {
    LineError::Invalid { key, reason: reason.to_string() }
}

/// Says so if the text is an object that states another version than 1, wherever it states it.
fn version_error(text: &str) -> Option<LineError> {
    let mut found = None;
    let mut parser = Parser::new(text);
    let whole = parser.object(|parser, key| {
        let value = parser.json()?;
        if key == "v" {
            found = Some(value);
        }
        Ok::<_, SyntaxError>(())
    });
    match found {
        Some(version) if version != 1 => {
            Some(LineError::Version { found: version.to_string().chars().take(32).collect() })
        }
        None if whole.is_ok() => Some(LineError::Version { found: "none".to_owned() }),
        _ => None,
    }
}

fn read_text<T: FromStr<Err: ToString>>(key: &'static str, parser: &mut Parser<'_>) -> Result<T, LineError> {
    parser.string()?.parse().map_err(|error: T::Err| invalid(key, &error))
}

/// Reads a text that may be `null`, as tools that turn lines into tables and back write it.
fn read_optional<T: FromStr<Err: ToString>>(
    key: &'static str,
    parser: &mut Parser<'_>,
) -> Result<Option<T>, LineError> {
    if parser.take_null() { Ok(None) } else { read_text(key, parser).map(Some) }
}

fn read_list(
    parser: &mut Parser<'_>,
    item: impl FnMut(&mut Parser<'_>) -> Result<(), LineError>,
) -> Result<(), LineError> {
    if parser.take_null() { Ok(()) } else { parser.array(item) }
}

fn read_attributes(parser: &mut Parser<'_>) -> Result<Attributes, LineError> {
    let mut attributes = Attributes::default();
    if !parser.take_null() {
        parser.object(|parser, key| {
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(invalid("attributes", &format!("more than {MAX_ATTRIBUTES}")));
            }
            attributes.set(key.into_owned(), parser.value()?);
            Ok::<_, LineError>(())
        })?;
    }
    Ok(attributes)
}

fn read_messages(key: &'static str, parser: &mut Parser<'_>) -> Result<Vec<Message>, LineError> {
    let mut messages = Vec::new();
    read_list(parser, |parser| {
        messages.push(serde_json::from_value(parser.json()?).map_err(|error| invalid(key, &error))?);
        Ok(())
    })?;
    Ok(messages)
}

fn read_event(parser: &mut Parser<'_>) -> Result<Event, LineError> {
    let (mut name, mut time, mut attributes) = (None, None, Attributes::default());
    parser.object(|parser, key| {
        match &*key {
            "name" => name = Some(parser.string()?.into_owned()),
            "time" => time = Some(read_text("time", parser)?),
            "attributes" => attributes = read_attributes(parser)?,
            _ => drop(parser.json()?),
        }
        Ok::<_, LineError>(())
    })?;
    let missing = |what| invalid("events", &format!("`{what}` is missing"));
    Ok(Event::new(name.ok_or_else(|| missing("name"))?, time.ok_or_else(|| missing("time"))?, attributes))
}

fn read_score(parser: &mut Parser<'_>) -> Result<Score, LineError> {
    let (mut name, mut value, mut comment) = (None, None, None);
    parser.object(|parser, key| {
        match &*key {
            "name" => name = Some(parser.string()?.into_owned()),
            "value" => {
                value = match parser.value()? {
                    // A float that is not finite is written as text.
                    Value::Str(text) => text.parse().ok(),
                    number => number.as_f64(),
                }
            }
            "comment" => comment = read_optional("comment", parser)?,
            _ => drop(parser.json()?),
        }
        Ok::<_, LineError>(())
    })?;
    let missing = |what| invalid("scores", &format!("`{what}` is missing or not valid"));
    let mut score = Score::new(name.ok_or_else(|| missing("name"))?, value.ok_or_else(|| missing("value"))?);
    score.comment = comment;
    Ok(score)
}

fn read_link(parser: &mut Parser<'_>) -> Result<Link, LineError> {
    let (mut trace_id, mut span_id, mut attributes) = (None, None, Attributes::default());
    parser.object(|parser, key| {
        match &*key {
            "trace_id" => trace_id = Some(read_text("trace_id", parser)?),
            "span_id" => span_id = Some(read_text("span_id", parser)?),
            "attributes" => attributes = read_attributes(parser)?,
            _ => drop(parser.json()?),
        }
        Ok::<_, LineError>(())
    })?;
    let missing = |what| invalid("links", &format!("`{what}` is missing"));
    let mut link =
        Link::new(trace_id.ok_or_else(|| missing("trace_id"))?, span_id.ok_or_else(|| missing("span_id"))?);
    link.attributes = attributes;
    Ok(link)
}
