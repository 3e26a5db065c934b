//! The JSON line, version 1: the only place that knows how a span is written down.

mod read;

use llmtrace::{Attributes, Event, Link, Message, Part, Score, SpanRecord, Status, Value, semconv};

use super::encode;
pub use read::{LineError, read_line};

/// Writes one span as one line of version 1, with the newline at its end.
///
/// Keys come in this order: `v`, `trace_id`, `span_id`, `parent_span_id`, `parent_is_remote`, `name`, `kind`,
/// `start`, `end`, `status`, `status_message`, `service`, `resource`, `scope`, `attributes`, `input`, `output`,
/// `events`, `scores`, `links`. From `v` to `status`, without the two of the parent, and `attributes` always
/// stand; the others are left out where they are empty. `service` is the resource's `service.name`;
/// `resource` holds the rest of the resource, or all of it where its order would be lost.
///
/// A line holds no control character, neither of ASCII nor of bidirectional text, so it is safe to print.
/// Floats that are not finite are strings; values nested deeper than 120 levels are cut off there.
///
/// ```
/// use llmtrace::{ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};
/// use llmtrace_exporters::{read_line, write_line};
///
/// let (Some(trace), Some(span)) = (TraceId::from_bytes([1; 16]), SpanId::from_bytes([2; 8])) else { return };
/// let at = Timestamp::from_unix_nanos(0);
/// let record = SpanRecord::new(trace, span, "chat", ObservationKind::Generation, at, at);
/// let mut line = Vec::new();
/// write_line(&record, &mut line);
/// assert!(line.starts_with(br#"{"v":1,"trace_id":"01010101"#));
/// assert_eq!(read_line(&line).ok(), Some(record));
/// ```
pub fn write_line(span: &SpanRecord, out: &mut Vec<u8>) {
    out.extend_from_slice(LINE_START);
    out.extend_from_slice(br#""trace_id":""#);
    encode::hex(&span.trace_id.to_bytes(), out);
    out.extend_from_slice(br#"","span_id":""#);
    encode::hex(&span.span_id.to_bytes(), out);
    if let Some(parent) = span.parent_span_id {
        out.extend_from_slice(br#"","parent_span_id":""#);
        encode::hex(&parent.to_bytes(), out);
    }
    out.push(b'"');
    if span.parent_is_remote {
        out.extend_from_slice(br#","parent_is_remote":true"#);
    }
    text(br#","name":"#, &span.name, out);
    text(br#","kind":"#, span.kind.as_str(), out);
    out.extend_from_slice(br#","start":""#);
    out.extend_from_slice(&span.start.to_rfc3339());
    out.extend_from_slice(br#"","end":""#);
    out.extend_from_slice(&span.end.to_rfc3339());
    text(br#"","status":"#, span.status.as_str(), out);
    if let Status::Error { message } = &span.status
        && !message.is_empty()
    {
        text(br#","status_message":"#, message, out);
    }
    resource(&span.resource.attributes, out);
    if !span.scope.is_empty() {
        text(br#","scope":"#, &span.scope, out);
    }
    out.extend_from_slice(br#","attributes":"#);
    attributes(span.attributes.iter(), out);
    list(br#","input":"#, &span.input, message, out);
    list(br#","output":"#, &span.output, message, out);
    list(br#","events":"#, &span.events, event, out);
    list(br#","scores":"#, &span.scores, score, out);
    list(br#","links":"#, &span.links, link, out);
    out.extend_from_slice(b"}\n");
}

/// How every line starts.
pub(super) const LINE_START: &[u8] = br#"{"v":1,"#;

/// Containers around a value of `attributes`, around a message, and around a value in a message's part.
const IN_ATTRIBUTES: usize = 2;
const IN_MESSAGES: usize = 2;
const IN_PARTS: usize = IN_MESSAGES + 2;

fn text(key: &[u8], value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    encode::string(value, out);
}

fn list<T>(key: &[u8], items: &[T], item: fn(&T, usize, &mut Vec<u8>), out: &mut Vec<u8>) {
    if !items.is_empty() {
        out.extend_from_slice(key);
        encode::array(items, 1, out, item);
    }
}

fn attributes<'a>(entries: impl Iterator<Item = (&'a str, &'a Value)>, out: &mut Vec<u8>) {
    let mut separator = b'{';
    for (key, value) in entries {
        out.push(separator);
        separator = b',';
        encode::string(key, out);
        out.push(b':');
        encode::value(value, IN_ATTRIBUTES, out);
    }
    out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
}

/// Writes `service`, and `resource` where the service alone does not say it all.
fn resource(all: &Attributes, out: &mut Vec<u8>) {
    let service = all.get_str(semconv::SERVICE_NAME);
    if let Some(service) = service {
        text(br#","service":"#, service, out);
    }
    let leads = service.is_some() && all.iter().next().is_some_and(|(key, _)| key == semconv::SERVICE_NAME);
    if all.len() > usize::from(leads) {
        out.extend_from_slice(br#","resource":"#);
        attributes(all.iter().skip(usize::from(leads)), out);
    }
}

fn message(message: &Message, _: usize, out: &mut Vec<u8>) {
    write_message(message, message.finish_reason.as_deref(), out);
}

/// Writes a message in the conventions' JSON, with `reason` as its reason to stop.
pub(crate) fn write_message(message: &Message, reason: Option<&str>, out: &mut Vec<u8>) {
    text(br#"{"role":"#, message.role.as_str(), out);
    out.extend_from_slice(br#","parts":"#);
    encode::array(&message.parts, IN_MESSAGES + 1, out, part);
    if let Some(name) = &message.name {
        text(br#","name":"#, name, out);
    }
    if let Some(reason) = reason {
        text(br#","finish_reason":"#, reason, out);
    }
    out.push(b'}');
}

fn part(part: &Part, _: usize, out: &mut Vec<u8>) {
    match part {
        Part::Text { content } => text(br#"{"type":"text","content":"#, content, out),
        Part::Reasoning { content } => text(br#"{"type":"reasoning","content":"#, content, out),
        Part::ToolCall { id, name, arguments } => {
            out.extend_from_slice(br#"{"type":"tool_call""#);
            optional(br#","id":"#, id.as_deref(), out);
            text(br#","name":"#, name, out);
            out.extend_from_slice(br#","arguments":"#);
            encode::json(arguments, IN_PARTS + 1, out);
        }
        Part::ToolCallResponse { id, response } => {
            out.extend_from_slice(br#"{"type":"tool_call_response""#);
            optional(br#","id":"#, id.as_deref(), out);
            out.extend_from_slice(br#","response":"#);
            encode::json(response, IN_PARTS + 1, out);
        }
        Part::Blob { mime_type, modality, content } => {
            media("blob", mime_type.as_deref(), modality, br#","content":"#, content, out);
        }
        Part::File { mime_type, modality, file_id } => {
            media("file", mime_type.as_deref(), modality, br#","file_id":"#, file_id, out);
        }
        Part::Uri { mime_type, modality, uri } => {
            media("uri", mime_type.as_deref(), modality, br#","uri":"#, uri, out);
        }
        Part::Other(json) => return encode::json(json, IN_PARTS, out),
        newer => return encode::json(&serde_json::to_value(newer).unwrap_or_default(), IN_PARTS, out),
    }
    out.push(b'}');
}

fn media(kind: &str, mime_type: Option<&str>, modality: &str, key: &[u8], value: &str, out: &mut Vec<u8>) {
    text(br#"{"type":"#, kind, out);
    optional(br#","mime_type":"#, mime_type, out);
    text(br#","modality":"#, modality, out);
    text(key, value, out);
}

fn optional(key: &[u8], value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        text(key, value, out);
    }
}

fn event(event: &Event, _: usize, out: &mut Vec<u8>) {
    text(br#"{"name":"#, &event.name, out);
    out.extend_from_slice(br#","time":""#);
    out.extend_from_slice(&event.time.to_rfc3339());
    out.extend_from_slice(br#"","attributes":"#);
    attributes(event.attributes.iter(), out);
    out.push(b'}');
}

fn score(score: &Score, _: usize, out: &mut Vec<u8>) {
    text(br#"{"name":"#, &score.name, out);
    out.extend_from_slice(br#","value":"#);
    encode::float(score.value, out);
    if let Some(comment) = &score.comment {
        text(br#","comment":"#, comment, out);
    }
    out.push(b'}');
}

fn link(link: &Link, _: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"trace_id":""#);
    encode::hex(&link.trace_id.to_bytes(), out);
    out.extend_from_slice(br#"","span_id":""#);
    encode::hex(&link.span_id.to_bytes(), out);
    out.push(b'"');
    if !link.attributes.is_empty() {
        out.extend_from_slice(br#","attributes":"#);
        attributes(link.attributes.iter(), out);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests;
