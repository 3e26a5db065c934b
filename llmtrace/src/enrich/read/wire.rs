//! Reading what went over the network.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::super::gather::Wire;
use super::{Call, Plain, Trust, seconds};
use crate::provider::{self, Api, Exchange, StreamAssembler};
use crate::{SpanRecord, UsageStatus, semconv};

fn api(record: &SpanRecord) -> Option<Api> {
    record.attributes.get_str(semconv::API).and_then(|api| api.parse().ok())
}

/// The request that went out.
pub(super) fn request(wire: &Wire<'_>, record: &SpanRecord) -> Option<Exchange> {
    let json = serde_json::from_slice(wire.request?.bytes()).ok()?;
    match api(record) {
        Some(api) => Some(provider::read_request_as(api, &json)),
        None => provider::read_request(&json),
    }
}

/// The answer that came, as far as it came.
pub(super) fn response(
    wire: &Wire<'_>,
    trust: Trust,
    record: &SpanRecord,
    start: u64,
    call: &mut Call,
) -> Option<Exchange> {
    let whole = joined(wire);
    let json = starts_object(&whole).then(|| serde_json::from_slice::<Json>(&whole).ok()).flatten();
    let response = match &json {
        Some(json) => read_whole(json, api(record)).or_else(|| trust.error(json)),
        None => read_stream(wire, api(record), start, call),
    };
    let is_over = |usage| usage != UsageStatus::Interrupted;
    let is_answered = response.as_ref().is_some_and(|response| is_over(response.usage.status));
    call.is_cut = wire.is_cut && wire.error.is_none() && !is_answered;
    if response.is_none() && !whole.trim_ascii().is_empty() {
        call.output = Some(match json {
            Some(json) => Plain::Json(json),
            None => Plain::Text(String::from_utf8_lossy(&whole).into_owned()),
        });
    }
    response
}

fn read_whole(json: &Json, api: Option<Api>) -> Option<Exchange> {
    let named = api.map(|api| provider::read_response_as(api, json));
    let says_nothing = |response: &Exchange| {
        response.output.is_empty()
            && response.error.is_none()
            && response.response_id.is_none()
            && response.usage.status == UsageStatus::Missing
    };
    match named {
        // A gateway may answer in a shape of its own.
        Some(named) if says_nothing(&named) => provider::read_response(json),
        Some(named) => Some(named),
        None => provider::read_response(json),
    }
}

fn read_stream(wire: &Wire<'_>, api: Option<Api>, start: u64, call: &mut Call) -> Option<Exchange> {
    if wire.pieces.is_empty() {
        return None;
    }
    let mut assembler = api.map_or_else(StreamAssembler::detect, StreamAssembler::new);
    let mut first_content = None;
    for (time, bytes) in &wire.pieces {
        assembler.push(bytes);
        if first_content.is_none() && assembler.has_content() {
            first_content = Some(seconds(*time, start));
        }
    }
    let response = assembler.finish();
    let is_read = response.error.is_some() || first_content.is_some() || !response.usage.is_empty();
    let start = wire.pieces.first()?.1;
    if !is_read && !super::looks_like_events(start) && super::first(start) != Some(super::FRAME) {
        return None;
    }
    call.first_content = first_content;
    call.chunks = Some(wire.pieces.len() as u64);
    (response.api.is_some() || response.error.is_some()).then_some(response)
}

fn joined<'a>(wire: &Wire<'a>) -> Cow<'a, [u8]> {
    match wire.pieces.as_slice() {
        [(_, bytes)] => Cow::Borrowed(bytes),
        pieces => pieces.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect(),
    }
}

fn starts_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}
