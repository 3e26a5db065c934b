//! Reading what a call sent and received.

mod wire;

use serde_json::Value as Json;

use super::gather::Gathered;
use super::place;
use crate::identity::Identity;
use crate::log::Body;
use crate::provider::framing::Framing;
use crate::provider::{self, Api, Exchange, StreamAssembler};
use crate::{ObservationKind, SpanRecord, semconv};

/// What is known of a call's two sides.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// The provider's request and response, where their shape is known.
    pub(super) exchange: Option<Exchange>,
    /// The arguments, where they are no known request.
    pub(super) input: Option<Plain>,
    /// The answer, where it is no known response.
    pub(super) output: Option<Plain>,
    /// Seconds to the first content.
    pub(super) first_content: Option<f64>,
    /// Items that a stream gave.
    pub(super) chunks: Option<u64>,
    /// The answer was given up before its end.
    pub(super) is_cut: bool,
}

/// A value that no provider's shape fits.
#[derive(Debug)]
pub(super) enum Plain {
    Text(String),
    Json(Json),
}

/// Reads both sides. `start` is the span's monotonic start.
pub(super) fn exchange(
    gathered: &Gathered<'_>,
    record: &SpanRecord,
    identity: &Identity,
    start: u64,
) -> Call {
    let mut call = Call::default();
    let mut request = read_request(gathered, identity, record.kind, &mut call);
    if let Some(sent) = gathered.wire.as_ref().and_then(|wire| wire::request(wire, record)) {
        request = Some(with_arguments(sent, request, &mut call, gathered));
    }
    // What went over the network says more than what the function made of it.
    let trust = Trust::of(gathered, record, request.as_ref());
    let response =
        match gathered.wire.as_ref().and_then(|wire| wire::response(wire, trust, record, start, &mut call)) {
            Some(response) => Some(response),
            None if gathered.chunks.is_empty() => {
                gathered.response.and_then(|body| read_response(body, trust, &mut call))
            }
            None => read_stream(gathered, record, start, &mut call),
        };
    if let Some(first) = gathered.first_chunk {
        call.first_content = Some(seconds(first, start));
    }
    call.exchange = match (request, response) {
        (Some(mut request), Some(response)) => {
            request.merge(response);
            Some(request)
        }
        (request, response) => request.or(response),
    };
    if !gathered.headers.is_empty() {
        let headers = gathered.headers.iter().copied();
        call.exchange.get_or_insert_default().read_headers(headers);
    }
    call
}

/// The request that went out, and beside it the arguments of the function that sent it.
fn with_arguments(
    mut sent: Exchange,
    request: Option<Exchange>,
    call: &mut Call,
    gathered: &Gathered<'_>,
) -> Exchange {
    let arguments = match (request, call.input.take()) {
        (Some(request), _) => request.attributes.get(semconv::ARGUMENTS).cloned(),
        (None, Some(Plain::Json(json @ Json::Object(_)))) => Some(crate::Value::Json(json)),
        (None, Some(Plain::Text(text))) => {
            let name = gathered.arguments.first().map_or("input", |(name, _)| name);
            Some(crate::Value::Json(serde_json::json!({ name: text })))
        }
        _ => None,
    };
    if let Some(arguments) = arguments {
        sent.attributes.set(semconv::ARGUMENTS, arguments);
    }
    sent
}

/// What is known of an answer before it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trust {
    /// Nothing.
    Unknown,
    /// A call was sent to an API that is known.
    Called,
    /// The server said that the call failed.
    Failed,
}

impl Trust {
    /// The error that a body is, where it is no answer.
    fn error(self, json: &Json) -> Option<Exchange> {
        match self {
            Self::Unknown => None,
            Self::Called => provider::read_bare_error(json),
            Self::Failed => provider::read_error(json),
        }
    }

    fn of(gathered: &Gathered<'_>, record: &SpanRecord, request: Option<&Exchange>) -> Self {
        let names_error = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case(provider::headers::ERROR_TYPE);
        if place::http_failure(record).is_some() || gathered.headers.iter().any(names_error) {
            Self::Failed
        } else if request.is_some_and(|request| request.api.is_some()) {
            Self::Called
        } else {
            Self::Unknown
        }
    }
}

fn seconds(at: u64, start: u64) -> f64 {
    at.saturating_sub(start) as f64 / 1e9
}

/// The request that was recorded, else an argument that is one; else the arguments as they are, without those that
/// only say whose call it is.
fn read_request(
    gathered: &Gathered<'_>,
    identity: &Identity,
    kind: ObservationKind,
    call: &mut Call,
) -> Option<Exchange> {
    if let Some(body) = gathered.request {
        let Some(json) = parse(body) else {
            call.input = Some(Plain::Text(text(body)));
            return None;
        };
        let request = match &json {
            // A body that was given as a text.
            Json::String(text) => parse(Body::Text(text)).as_ref().and_then(provider::read_request),
            json => provider::read_request(json),
        };
        if request.is_none() {
            call.input = Some(Plain::Json(json));
        }
        return request;
    }
    let mut arguments = serde_json::Map::new();
    let mut request = None;
    for (name, body) in &gathered.arguments {
        if kind != ObservationKind::Tool && names_whose(name, *body, identity) {
            continue;
        }
        let json = parse(*body);
        if kind != ObservationKind::Tool && request.is_none() {
            request =
                json.as_ref().and_then(|json| provider::read_request(json).or_else(|| conversation(json)));
            if request.is_some() {
                continue;
            }
        }
        // A text that happens to be JSON stays a text.
        let value = match body {
            Body::Json(_) => json.unwrap_or_else(|| Json::String(text(*body))),
            Body::Text(text) => Json::String((*text).to_owned()),
        };
        arguments.insert((*name).to_owned(), value);
    }
    if let Some(mut request) = request {
        beside(&mut request, arguments);
        return Some(request);
    }
    call.input = match arguments.len() {
        0 => None,
        // A tool's arguments keep their names: `gen_ai.tool.call.arguments` is an object.
        1 if kind != ObservationKind::Tool => arguments.into_iter().next().map(|(name, value)| match value {
            Json::String(text) => Plain::Text(text),
            value => Plain::Json(Json::Object([(name, value)].into_iter().collect())),
        }),
        _ => Some(Plain::Json(Json::Object(arguments))),
    };
    None
}

/// Whether an argument only says whose call it is.
fn names_whose(name: &str, body: Body<'_>, identity: &Identity) -> bool {
    let is_name = ["session", "user", "conversation"].iter().any(|word| name.contains(word));
    let ids = [&identity.session, &identity.user];
    is_name && matches!(body, Body::Text(text) if ids.into_iter().flatten().any(|id| **id == *text))
}

/// What stands beside a request in a function's arguments: model and parameters by their usual names, and the rest.
fn beside(request: &mut Exchange, mut arguments: serde_json::Map<String, Json>) {
    const PARAMETERS: [(&str, &str); 7] = [
        ("temperature", semconv::REQUEST_TEMPERATURE),
        ("top_p", semconv::REQUEST_TOP_P),
        ("top_k", semconv::REQUEST_TOP_K),
        ("max_tokens", semconv::REQUEST_MAX_TOKENS),
        ("seed", semconv::REQUEST_SEED),
        ("frequency_penalty", semconv::REQUEST_FREQUENCY_PENALTY),
        ("presence_penalty", semconv::REQUEST_PRESENCE_PENALTY),
    ];
    if request.request_model.is_none()
        && let Some(model) = arguments.get("model").and_then(Json::as_str)
    {
        request.request_model = Some(model.to_owned());
        arguments.remove("model");
    }
    for (name, key) in PARAMETERS {
        if arguments.get(name).is_some_and(Json::is_number)
            && let Some(value) = arguments.remove(name)
        {
            request.parameters.set_default(key, value);
        }
    }
    if !arguments.is_empty() {
        request.attributes.set(semconv::ARGUMENTS, crate::Value::Json(Json::Object(arguments)));
    }
}

/// A list of chat messages, as many programs pass them around. It does not tell whose API they are for.
fn conversation(json: &Json) -> Option<Exchange> {
    let messages = json.as_array().filter(|messages| !messages.is_empty())?;
    let is_message = |message: &Json| {
        let has = |key: &str| message.get(key).is_some();
        message.get("role").is_some_and(Json::is_string) && (has("content") || has("tool_calls"))
    };
    if !messages.iter().all(is_message) {
        return None;
    }
    let request = provider::read_request_as(Api::OpenAiChat, &serde_json::json!({ "messages": messages }));
    Some(Exchange { api: None, operation: None, ..request })
}

fn read_response(body: Body<'_>, trust: Trust, call: &mut Call) -> Option<Exchange> {
    let json = parse(body);
    if let (Body::Json(_), Some(Json::String(text))) = (body, &json) {
        // A body that was given as a text.
        return read_response(Body::Text(text), trust, call);
    }
    if let Some(response) = json.as_ref().and_then(provider::read_response) {
        return Some(response);
    }
    let error = json.as_ref().and_then(|json| trust.error(json));
    if error.is_some() {
        return error;
    }
    let bytes = body.bytes();
    let is_events = looks_like_events(bytes);
    // A whole stream as one text: events, an object a line, a list that was cut off, or frames.
    if json.is_none() && (is_events || matches!(first(bytes), Some(b'{' | b'[' | FRAME))) {
        let response = StreamAssembler::detect().push(bytes).finish();
        if response.api.is_some() || is_events && response.error.is_some() {
            return Some(response);
        }
    }
    call.output = Some(match (body, json) {
        (Body::Json(_), Some(json)) => Plain::Json(json),
        // A text that happens to be JSON stays a text.
        _ => Plain::Text(text(body)),
    });
    None
}

/// How the items of a stream are to be understood.
#[derive(Clone, Copy, PartialEq)]
enum Items {
    /// Bytes: server-sent events, a list or frames.
    Bytes,
    /// One JSON object each.
    Objects,
    /// Pieces of text.
    Text,
}

fn read_stream(
    gathered: &Gathered<'_>,
    record: &SpanRecord,
    start: u64,
    call: &mut Call,
) -> Option<Exchange> {
    call.chunks = Some(gathered.chunks.len() as u64);
    let items = items(gathered);
    if items == Items::Text {
        let content = gathered.chunks.iter().find(|(_, body)| !delta(*body).is_empty());
        call.first_content = content.map(|(time, _)| seconds(*time, start));
        call.output = Some(Plain::Text(joined(gathered)));
        return None;
    }
    let api = record.attributes.get_str(semconv::API).and_then(|api| api.parse().ok());
    let mut assembler = api.map_or_else(StreamAssembler::detect, StreamAssembler::new);
    for (time, body) in &gathered.chunks {
        match (items, parse(*body)) {
            (Items::Objects, Some(json)) => assembler.push_event(&json),
            _ => assembler.push(body.bytes()),
        };
        if call.first_content.is_none() && assembler.has_content() {
            call.first_content = Some(seconds(*time, start));
        }
    }
    let response = assembler.finish();
    if response.api.is_some() || response.error.is_some() {
        return Some(response);
    }
    let content = gathered.chunks.iter().find(|(_, body)| !body.bytes().trim_ascii().is_empty());
    call.first_content = content.map(|(time, _)| seconds(*time, start));
    call.output = Some(match items {
        Items::Objects => {
            Plain::Json(Json::Array(gathered.chunks.iter().filter_map(|(_, body)| parse(*body)).collect()))
        }
        // A text that only looked like what an API sends.
        Items::Bytes | Items::Text => Plain::Text(joined(gathered)),
    });
    None
}

/// Tells from the first bytes, in however many pieces they came.
fn items(gathered: &Gathered<'_>) -> Items {
    let first = gathered.chunks.iter().flat_map(|(_, body)| body.bytes()).copied();
    let first: Vec<u8> = first.skip_while(|byte| Framing::is_blank(*byte)).take(MARK_BYTES).collect();
    let is_object =
        |body: Body<'_>| body.bytes().trim_ascii_start().starts_with(b"{") && parse(body).is_some();
    if looks_like_events(&first) || matches!(first.first(), Some(b'[' | &FRAME)) {
        Items::Bytes
    } else if first.starts_with(b"{") {
        let are_objects =
            gathered.chunks.iter().all(|(_, body)| is_object(*body) || body.bytes().trim_ascii().is_empty());
        if are_objects { Items::Objects } else { Items::Bytes }
    } else {
        Items::Text
    }
}

/// The first byte of an AWS event-stream frame.
const FRAME: u8 = 0;

/// As many bytes as it takes to tell server-sent events.
const MARK_BYTES: usize = 16;

/// The pieces of a text stream as one text; a character may be cut between two of them.
fn joined(gathered: &Gathered<'_>) -> String {
    let mut whole = Vec::new();
    for (_, body) in &gathered.chunks {
        match body {
            Body::Json(json) if !json.starts_with(b"\"") => whole.extend_from_slice(json),
            body => whole.extend_from_slice(delta(*body).as_bytes()),
        }
    }
    String::from_utf8_lossy(&whole).into_owned()
}

/// One piece of a text stream: a serialised string is unwrapped.
fn delta(body: Body<'_>) -> String {
    match body {
        Body::Json(json) if json.starts_with(b"\"") => {
            serde_json::from_slice(json).unwrap_or_else(|_| String::from_utf8_lossy(json).into_owned())
        }
        body => text(body),
    }
}

fn looks_like_events(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    bytes.starts_with(b"data:")
        || bytes.starts_with(b"event:")
        || bytes.starts_with(b": ")
        || bytes.starts_with(b":\n")
}

fn first(bytes: &[u8]) -> Option<u8> {
    bytes.trim_ascii_start().first().copied()
}

fn text(body: Body<'_>) -> String {
    String::from_utf8_lossy(body.bytes()).into_owned()
}

/// The JSON of a body; a text counts only if it is an object or a list.
fn parse(body: Body<'_>) -> Option<Json> {
    match body {
        Body::Json(json) => serde_json::from_slice(json).ok(),
        Body::Text(text) if text.trim_start().starts_with(['{', '[']) => serde_json::from_str(text).ok(),
        Body::Text(_) => None,
    }
}
