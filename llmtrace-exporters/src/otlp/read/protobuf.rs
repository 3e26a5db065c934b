//! Requests in protobuf.

use llmtrace::Value;
use serde_json::{Map, Value as Json};

use super::raw::{
    Pair, RawEvent, RawId, RawLink, RawSpan, Request, ResourceSpans, ScopeSpans, SpanKind, StatusCode,
};
use super::room::{self, Room};
use super::{MAX_NESTING, MAX_SPANS, OtlpReadError};
use crate::otlp::fields::{Field, Fields};

type Read<T> = Result<T, OtlpReadError>;

/// Reads a request.
pub(super) fn read(body: &[u8], room: &mut Room) -> Read<Request> {
    let mut decoder = Decoder { room, spans: 0, is_too_deep: false };
    let mut request = Request::default();
    each(Fields::of(body), |number, field| {
        if let (1, Field::Bytes(message)) = (number, field) {
            request.resources.push(decoder.resource_spans(message)?);
        }
        Ok(())
    })?;
    request.spans = decoder.spans;
    Ok(request)
}

struct Decoder<'r> {
    room: &'r mut Room,
    spans: usize,
    /// A value of the present span was nested too deep.
    is_too_deep: bool,
}

/// Visits the fields of a message.
fn each<'a>(mut fields: Fields<'a>, mut visit: impl FnMut(u32, Field<'a>) -> Read<()>) -> Read<()> {
    while let Some((number, field)) = fields.next()? {
        visit(number, field)?;
    }
    Ok(())
}

impl Decoder<'_> {
    fn resource_spans(&mut self, message: Fields<'_>) -> Read<ResourceSpans> {
        self.room.take(room::GROUP)?;
        let mut of_resource = ResourceSpans::default();
        each(message, |number, field| {
            match (number, field) {
                (1, Field::Bytes(resource)) => each(resource, |number, field| {
                    if let (1, Field::Bytes(pair)) = (number, field) {
                        of_resource.attributes.push(self.pair(pair)?);
                    }
                    Ok(())
                })?,
                (2, Field::Bytes(spans)) => of_resource.scopes.push(self.scope_spans(spans)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(of_resource)
    }

    fn scope_spans(&mut self, message: Fields<'_>) -> Read<ScopeSpans> {
        self.room.take(room::GROUP)?;
        let mut of_scope = ScopeSpans::default();
        each(message, |number, field| {
            match (number, field) {
                (1, Field::Bytes(scope)) => each(scope, |number, field| {
                    match (number, field) {
                        (1, Field::Bytes(name)) => of_scope.name = name.text(),
                        (2, Field::Bytes(version)) => of_scope.version = version.text(),
                        _ => {}
                    }
                    Ok(())
                })?,
                (2, Field::Bytes(span)) => of_scope.spans.push(self.span(span)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(of_scope)
    }

    fn span(&mut self, message: Fields<'_>) -> Read<RawSpan> {
        self.room.take(room::SPAN)?;
        self.spans += 1;
        if self.spans > MAX_SPANS {
            return Err(OtlpReadError::TooManySpans { limit: MAX_SPANS });
        }
        self.is_too_deep = false;
        let mut span = RawSpan::default();
        each(message, |number, field| {
            match (number, field) {
                (1, Field::Bytes(id)) => span.trace_id = RawId::of_bytes(id.bytes()),
                (2, Field::Bytes(id)) => span.span_id = RawId::of_bytes(id.bytes()),
                (3, Field::Bytes(state)) => span.trace_state = state.text(),
                (4, Field::Bytes(id)) => span.parent = RawId::of_bytes(id.bytes()),
                (5, Field::Bytes(name)) => span.name = name.text(),
                (6, Field::Varint(kind)) => span.kind = SpanKind::of_number(kind),
                (7, Field::Fixed64(nanos)) => span.start = nanos,
                (8, Field::Fixed64(nanos)) => span.end = nanos,
                (9, Field::Bytes(pair)) => {
                    let pair = self.pair(pair)?;
                    span.push_attribute(pair);
                }
                (10, Field::Varint(count)) => span.dropped_attributes = count,
                (11, Field::Bytes(event)) => {
                    let event = self.event(event)?;
                    span.push_event(event);
                }
                (12, Field::Varint(count)) => span.dropped_events = count,
                (13, Field::Bytes(link)) => {
                    let link = self.link(link)?;
                    span.push_link(link);
                }
                (14, Field::Varint(count)) => span.dropped_links = count,
                (15, Field::Bytes(status)) => each(status, |number, field| {
                    match (number, field) {
                        (2, Field::Bytes(message)) => span.message = message.text(),
                        (3, Field::Varint(code)) => span.code = StatusCode::of_number(code),
                        _ => {}
                    }
                    Ok(())
                })?,
                (16, Field::Fixed32(flags)) => span.flags = flags,
                _ => {}
            }
            Ok(())
        })?;
        if self.is_too_deep {
            span.refuse("a value in it is nested deeper than 24 levels");
        }
        Ok(span)
    }

    fn event(&mut self, message: Fields<'_>) -> Read<RawEvent> {
        self.room.take(room::EVENT)?;
        let mut event = RawEvent::default();
        each(message, |number, field| {
            match (number, field) {
                (1, Field::Fixed64(nanos)) => event.time = nanos,
                (2, Field::Bytes(name)) => event.name = name.text(),
                (3, Field::Bytes(pair)) => event.attributes.push(self.pair(pair)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(event)
    }

    fn link(&mut self, message: Fields<'_>) -> Read<RawLink> {
        self.room.take(room::EVENT)?;
        let mut link = RawLink::default();
        each(message, |number, field| {
            match (number, field) {
                (1, Field::Bytes(id)) => link.trace_id = RawId::of_bytes(id.bytes()),
                (2, Field::Bytes(id)) => link.span_id = RawId::of_bytes(id.bytes()),
                (4, Field::Bytes(pair)) => link.attributes.push(self.pair(pair)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(link)
    }

    fn pair(&mut self, message: Fields<'_>) -> Read<Pair> {
        self.room.take(room::PAIR)?;
        self.key_value(message, 0)
    }

    fn key_value(&mut self, message: Fields<'_>, depth: usize) -> Read<Pair> {
        let (mut key, mut value) = (String::new(), NOTHING);
        each(message, |number, field| {
            match (number, field) {
                (1, Field::Bytes(name)) => key = name.text(),
                (2, Field::Bytes(any)) => value = self.value(any, depth)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok((key, value))
    }

    /// An `AnyValue` within `depth` lists and maps.
    fn value(&mut self, message: Fields<'_>, depth: usize) -> Read<Value> {
        let mut value = NOTHING;
        each(message, |number, field| {
            value = match (number, field) {
                (1, Field::Bytes(text)) => Value::from(text.text()),
                (2, Field::Varint(bool)) => Value::Bool(bool != 0),
                (3, Field::Varint(int)) => Value::from(int.cast_signed()),
                (4, Field::Fixed64(bits)) => Value::Float(f64::from_bits(bits)),
                (5 | 6, Field::Bytes(_)) if depth >= MAX_NESTING => {
                    self.is_too_deep = true;
                    NOTHING
                }
                (5, Field::Bytes(list)) => self.list(list, depth + 1)?,
                (6, Field::Bytes(map)) => self.map(map, depth + 1)?,
                (7, Field::Bytes(bytes)) => Value::from(base64(bytes.bytes())),
                _ => return Ok(()),
            };
            Ok(())
        })?;
        Ok(value)
    }

    fn list(&mut self, message: Fields<'_>, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        each(message, |number, field| {
            if let (1, Field::Bytes(any)) = (number, field) {
                self.room.take(room::ITEM)?;
                items.push(self.value(any, depth)?);
            }
            Ok(())
        })?;
        Ok(list(items))
    }

    fn map(&mut self, message: Fields<'_>, depth: usize) -> Read<Value> {
        self.room.take_object()?;
        let mut members = Map::new();
        each(message, |number, field| {
            if let (1, Field::Bytes(pair)) = (number, field) {
                self.room.take(room::PAIR)?;
                let (key, value) = self.key_value(pair, depth)?;
                members.insert(key, to_json(value));
            }
            Ok(())
        })?;
        Ok(Value::Json(Json::Object(members)))
    }
}

/// The value of an attribute that has none.
pub(super) const NOTHING: Value = Value::Json(Json::Null);

/// A list: of plain values as it is, else as JSON.
pub(super) fn list(items: Vec<Value>) -> Value {
    if items.iter().all(|item| !matches!(item, Value::Json(_) | Value::Array(_))) {
        Value::Array(items)
    } else {
        Value::Json(Json::Array(items.into_iter().map(to_json).collect()))
    }
}

/// The same value as JSON; a float that is not finite is a text.
pub(super) fn to_json(value: Value) -> Json {
    match value {
        Value::Bool(bool) => Json::Bool(bool),
        Value::Int(int) => match (i64::try_from(int), u64::try_from(int)) {
            (Ok(int), _) => int.into(),
            (_, Ok(int)) => int.into(),
            _ => Json::String(int.to_string()),
        },
        Value::Float(float) => {
            serde_json::Number::from_f64(float).map_or_else(|| Json::String(float.to_string()), Json::Number)
        }
        Value::Str(text) => Json::String(text.into_owned()),
        Value::Array(items) => Json::Array(items.into_iter().map(to_json).collect()),
        Value::Json(json) => json,
        _ => Json::Null,
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 0x3f) as usize).copied().unwrap_or(b'=');
            text.push(char::from(if place <= chunk.len() { digit } else { b'=' }));
        }
    }
    text
}
