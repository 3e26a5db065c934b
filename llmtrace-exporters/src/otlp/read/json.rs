//! Requests in JSON, as the OTLP specification writes protobuf in it, section "JSON Protobuf Encoding".

use llmtrace::Value;
use serde_json::{Map, Value as Json};

use super::protobuf::{NOTHING, list, to_json};
use super::raw::{
    Pair, RawEvent, RawId, RawLink, RawSpan, Request, ResourceSpans, ScopeSpans, SpanKind, StatusCode,
};
use super::room::{self, Room};
use super::{MAX_NESTING, MAX_SPANS, OtlpReadError};
use crate::jsonl::parse::Parser;

type Read<T> = Result<T, OtlpReadError>;

/// Reads a request.
pub(super) fn read(body: &[u8], room: &mut Room) -> Read<Request> {
    let text = str::from_utf8(body)
        .map_err(|error| OtlpReadError::NotJson { at: error.valid_up_to(), what: "not UTF-8" })?;
    let mut decoder = Decoder { room, spans: 0, is_too_deep: false };
    let mut request = Request::default();
    let mut parser = Parser::new(text);
    parser.object(|parser, key| match &*key {
        "resourceSpans" | "resource_spans" => each(parser, |parser| {
            request.resources.push(decoder.resource_spans(parser)?);
            Ok(())
        }),
        _ => Ok(parser.skip()?),
    })?;
    parser.end()?;
    request.spans = decoder.spans;
    Ok(request)
}

struct Decoder<'r> {
    room: &'r mut Room,
    spans: usize,
    /// A value of the present span was nested too deep.
    is_too_deep: bool,
}

/// Reads a list, for which `null` may stand.
fn each(parser: &mut Parser<'_>, item: impl FnMut(&mut Parser<'_>) -> Read<()>) -> Read<()> {
    if parser.take_null() { Ok(()) } else { parser.array(item) }
}

/// Reads an object, for which `null` may stand.
fn members(parser: &mut Parser<'_>, mut member: impl FnMut(&mut Parser<'_>, &str) -> Read<()>) -> Read<()> {
    if parser.take_null() { Ok(()) } else { parser.object(|parser, key| member(parser, &key)) }
}

fn text(parser: &mut Parser<'_>) -> Read<String> {
    if parser.take_null() { Ok(String::new()) } else { Ok(parser.string()?.into_owned()) }
}

fn id(parser: &mut Parser<'_>) -> Read<RawId> {
    if parser.take_null() { Ok(RawId::Absent) } else { Ok(RawId::of_hex(&parser.string()?)) }
}

/// An unsigned number, or its digits in a string; anything else is 0.
fn number(parser: &mut Parser<'_>) -> Read<u64> {
    Ok(parser.scalar()?.as_count().unwrap_or(0))
}

/// A number, or the name of what it stands for.
fn named<T>(parser: &mut Parser<'_>, of_number: fn(u64) -> T, of_name: fn(&str) -> T) -> Read<T> {
    let value = parser.scalar()?;
    Ok(match (value.as_count(), value.as_str()) {
        (None, Some(name)) => of_name(name),
        (number, _) => of_number(number.unwrap_or(0)),
    })
}

impl Decoder<'_> {
    fn resource_spans(&mut self, parser: &mut Parser<'_>) -> Read<ResourceSpans> {
        self.room.take(room::GROUP)?;
        let mut of_resource = ResourceSpans::default();
        members(parser, |parser, key| match key {
            "resource" => members(parser, |parser, key| match key {
                "attributes" => self.pairs(parser, &mut of_resource.attributes),
                _ => Ok(parser.skip()?),
            }),
            "scopeSpans" | "scope_spans" => each(parser, |parser| {
                of_resource.scopes.push(self.scope_spans(parser)?);
                Ok(())
            }),
            _ => Ok(parser.skip()?),
        })?;
        Ok(of_resource)
    }

    fn scope_spans(&mut self, parser: &mut Parser<'_>) -> Read<ScopeSpans> {
        self.room.take(room::GROUP)?;
        let mut of_scope = ScopeSpans::default();
        members(parser, |parser, key| {
            match key {
                "scope" => members(parser, |parser, key| {
                    match key {
                        "name" => of_scope.name = text(parser)?,
                        "version" => of_scope.version = text(parser)?,
                        _ => parser.skip()?,
                    }
                    Ok(())
                })?,
                "spans" => each(parser, |parser| {
                    of_scope.spans.push(self.span(parser)?);
                    Ok(())
                })?,
                _ => parser.skip()?,
            }
            Ok(())
        })?;
        Ok(of_scope)
    }

    fn span(&mut self, parser: &mut Parser<'_>) -> Read<RawSpan> {
        self.room.take(room::SPAN)?;
        self.spans += 1;
        if self.spans > MAX_SPANS {
            return Err(OtlpReadError::TooManySpans { limit: MAX_SPANS });
        }
        self.is_too_deep = false;
        let mut span = RawSpan::default();
        members(parser, |parser, key| self.span_member(&mut span, key, parser))?;
        if self.is_too_deep {
            span.refuse("a value in it is nested deeper than 24 levels");
        }
        Ok(span)
    }

    fn span_member(&mut self, span: &mut RawSpan, key: &str, parser: &mut Parser<'_>) -> Read<()> {
        match key {
            "traceId" | "trace_id" => span.trace_id = id(parser)?,
            "spanId" | "span_id" => span.span_id = id(parser)?,
            "parentSpanId" | "parent_span_id" => span.parent = id(parser)?,
            "traceState" | "trace_state" => span.trace_state = text(parser)?,
            "flags" => span.flags = u32::try_from(number(parser)?).unwrap_or(0),
            "name" => span.name = text(parser)?,
            "kind" => span.kind = named(parser, SpanKind::of_number, SpanKind::of_name)?,
            "startTimeUnixNano" | "start_time_unix_nano" => span.start = number(parser)?,
            "endTimeUnixNano" | "end_time_unix_nano" => span.end = number(parser)?,
            "attributes" => each(parser, |parser| {
                self.room.take(room::PAIR)?;
                let pair = self.key_value(parser, 0)?;
                span.push_attribute(pair);
                Ok(())
            })?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                span.dropped_attributes = number(parser)?;
            }
            "events" => each(parser, |parser| {
                let event = self.event(parser)?;
                span.push_event(event);
                Ok(())
            })?,
            "droppedEventsCount" | "dropped_events_count" => span.dropped_events = number(parser)?,
            "links" => each(parser, |parser| {
                let link = self.link(parser)?;
                span.push_link(link);
                Ok(())
            })?,
            "droppedLinksCount" | "dropped_links_count" => span.dropped_links = number(parser)?,
            "status" => members(parser, |parser, key| {
                match key {
                    "code" => span.code = named(parser, StatusCode::of_number, StatusCode::of_name)?,
                    "message" => span.message = text(parser)?,
                    _ => parser.skip()?,
                }
                Ok(())
            })?,
            _ => parser.skip()?,
        }
        Ok(())
    }

    fn event(&mut self, parser: &mut Parser<'_>) -> Read<RawEvent> {
        self.room.take(room::EVENT)?;
        let mut event = RawEvent::default();
        members(parser, |parser, key| {
            match key {
                "timeUnixNano" | "time_unix_nano" => event.time = number(parser)?,
                "name" => event.name = text(parser)?,
                "attributes" => self.pairs(parser, &mut event.attributes)?,
                _ => parser.skip()?,
            }
            Ok(())
        })?;
        Ok(event)
    }

    fn link(&mut self, parser: &mut Parser<'_>) -> Read<RawLink> {
        self.room.take(room::EVENT)?;
        let mut link = RawLink::default();
        members(parser, |parser, key| {
            match key {
                "traceId" | "trace_id" => link.trace_id = id(parser)?,
                "spanId" | "span_id" => link.span_id = id(parser)?,
                "attributes" => self.pairs(parser, &mut link.attributes)?,
                _ => parser.skip()?,
            }
            Ok(())
        })?;
        Ok(link)
    }

    fn pairs(&mut self, parser: &mut Parser<'_>, pairs: &mut Vec<Pair>) -> Read<()> {
        each(parser, |parser| {
            self.room.take(room::PAIR)?;
            pairs.push(self.key_value(parser, 0)?);
            Ok(())
        })
    }

    fn key_value(&mut self, parser: &mut Parser<'_>, depth: usize) -> Read<Pair> {
        let (mut name, mut value) = (String::new(), NOTHING);
        members(parser, |parser, key| {
            match key {
                "key" => name = text(parser)?,
                "value" => value = self.value(parser, depth)?,
                _ => parser.skip()?,
            }
            Ok(())
        })?;
        Ok((name, value))
    }

    /// An `AnyValue` within `depth` lists and maps.
    fn value(&mut self, parser: &mut Parser<'_>, depth: usize) -> Read<Value> {
        let mut value = NOTHING;
        members(parser, |parser, key| {
            match key {
                "stringValue" | "string_value" | "bytesValue" | "bytes_value" => {
                    value = Value::from(text(parser)?);
                }
                "boolValue" | "bool_value" => value = parser.scalar()?,
                "intValue" | "int_value" => value = integer(parser.scalar()?),
                "doubleValue" | "double_value" => value = double(parser.scalar()?),
                "arrayValue" | "array_value" | "kvlistValue" | "kvlist_value" if depth >= MAX_NESTING => {
                    self.is_too_deep = true;
                    parser.skip()?;
                }
                "arrayValue" | "array_value" => value = self.list(parser, depth + 1)?,
                "kvlistValue" | "kvlist_value" => value = self.map(parser, depth + 1)?,
                _ => parser.skip()?,
            }
            Ok(())
        })?;
        Ok(value)
    }

    fn list(&mut self, parser: &mut Parser<'_>, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        members(parser, |parser, key| match key {
            "values" => each(parser, |parser| {
                self.room.take(room::ITEM)?;
                items.push(self.value(parser, depth)?);
                Ok(())
            }),
            _ => Ok(parser.skip()?),
        })?;
        Ok(list(items))
    }

    fn map(&mut self, parser: &mut Parser<'_>, depth: usize) -> Read<Value> {
        self.room.take_object()?;
        let mut fields = Map::new();
        members(parser, |parser, key| match key {
            "values" => each(parser, |parser| {
                self.room.take(room::PAIR)?;
                let (key, value) = self.key_value(parser, depth)?;
                fields.insert(key, to_json(value));
                Ok(())
            }),
            _ => Ok(parser.skip()?),
        })?;
        Ok(Value::Json(Json::Object(fields)))
    }
}

/// An integer may be a string of digits; another text stays one.
fn integer(value: Value) -> Value {
    let digits = value.as_str().and_then(|text| text.parse::<i64>().ok());
    digits.map_or(value, Value::from)
}

/// A float may be written as an integer, or as a string where it is not finite.
fn double(value: Value) -> Value {
    match (&value, value.as_f64()) {
        (Value::Str(text), _) => text.parse().map_or_else(|_| value.clone(), Value::Float),
        (_, Some(float)) => Value::Float(float),
        _ => value,
    }
}
