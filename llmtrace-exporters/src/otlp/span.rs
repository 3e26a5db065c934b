//! One span as a message.

use llmtrace::{ObservationKind, Score, SpanRecord, Status, Value, semconv};

use super::facts::Facts;
use super::facts::slot::Slot;
use super::pairs::Pairs;
use super::profile::{self, Profile};
use super::wire::{Wire, fields};

fields! {
    SPANS = 2 "spans";
    TRACE_ID = 1 "traceId";
    SPAN_ID = 2 "spanId";
    PARENT = 4 "parentSpanId";
    NAME = 5 "name";
    KIND = 6 "kind";
    START = 7 "startTimeUnixNano";
    END = 8 "endTimeUnixNano";
    ATTRIBUTES = 9 "attributes";
    REFUSED = 10 "droppedAttributesCount";
    EVENTS = 11 "events";
    LINKS = 13 "links";
    STATUS = 15 "status";
    FLAGS = 16 "flags";

    EVENT_TIME = 1 "timeUnixNano";
    EVENT_NAME = 2 "name";
    EVENT_ATTRIBUTES = 3 "attributes";
    EVENT_REFUSED = 4 "droppedAttributesCount";

    LINK_ATTRIBUTES = 4 "attributes";
    LINK_REFUSED = 5 "droppedAttributesCount";

    STATUS_MESSAGE = 2 "message";
    STATUS_CODE = 3 "code";
}

/// `SpanFlags`: sampled (W3C trace flags), whether it is known that the parent is in another process, and that it is.
const SAMPLED: u32 = 0x01;
pub(super) const HAS_IS_REMOTE: u32 = 0x100;
pub(super) const IS_REMOTE: u32 = 0x200;

/// `StatusCode`.
const OK: u32 = 1;
const ERROR: u32 = 2;

/// Roughly the bytes of a span's names, ids and counts.
const TYPICAL_BYTES: usize = 1_000;

/// Writes a span; `key` is room for keys that are put together.
pub(super) fn write<W: Wire>(span: &SpanRecord, profile: Profile, key: &mut String, wire: &mut W) {
    let facts = Facts::gather(span);
    let hint = TYPICAL_BYTES + super::messages::size(&span.input) + super::messages::size(&span.output);
    let message = wire.open_item(SPANS, hint);
    wire.id(TRACE_ID, &span.trace_id.to_bytes());
    wire.id(SPAN_ID, &span.span_id.to_bytes());
    if let Some(parent) = span.parent_span_id {
        wire.id(PARENT, &parent.to_bytes());
    }
    wire.bits(FLAGS, SAMPLED | HAS_IS_REMOTE | if span.parent_is_remote { IS_REMOTE } else { 0 });
    wire.text(NAME, name(&facts, key));
    wire.number(KIND, kind(&facts));
    wire.nanos(START, span.start.unix_nanos());
    wire.nanos(END, span.end.unix_nanos());
    wire.open_list(ATTRIBUTES);
    let mut pairs = Pairs::new(wire, ATTRIBUTES, key);
    profile::write(profile.dialects(), &facts, &mut pairs);
    let refused = pairs.refused();
    wire.close_list();
    if refused > 0 {
        wire.number(REFUSED, refused);
    }
    events(&facts, key, wire);
    links(span, key, wire);
    status(&span.status, wire);
    wire.close(message);
}

/// The record's name. One that is only the operation's is completed with what it is done with or to, as the
/// conventions have it (`chat gpt-4o`); one that the program chose stays, so that it is found by it.
fn name<'a>(facts: &Facts<'a>, room: &'a mut String) -> &'a str {
    let name = &*facts.span.name;
    let is_only = |operation: &&str| name.is_empty() || name == *operation;
    let Some(operation) = facts.operation().filter(is_only) else { return name };
    let Some(target) = facts.target() else { return operation };
    room.clear();
    room.extend([operation, " ", target]);
    room
}

/// `SpanKind`: what `otel.kind` says, else client for what calls a service, else internal.
fn kind(facts: &Facts<'_>) -> u32 {
    const KINDS: [(&str, u32); 5] =
        [("internal", 1), ("server", 2), ("client", 3), ("producer", 4), ("consumer", 5)];
    let stated = facts.text(Slot::OtelKind);
    let stated = stated.and_then(|stated| KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(stated)));
    if let Some((_, kind)) = stated {
        return *kind;
    }
    if calls_a_service(facts.span.kind) { 3 } else { 1 }
}

/// Whether a span of this kind is a client's where nothing else is said.
pub(super) fn calls_a_service(kind: ObservationKind) -> bool {
    kind.is_model_call() || kind == ObservationKind::Retriever
}

fn events<W: Wire>(facts: &Facts<'_>, key: &mut String, wire: &mut W) {
    let span = facts.span;
    if span.events.is_empty() && span.scores.is_empty() {
        return;
    }
    wire.open_list(EVENTS);
    for event in &span.events {
        let message = wire.open_item(EVENTS, 128);
        wire.nanos(EVENT_TIME, event.time.unix_nanos());
        wire.text(EVENT_NAME, &event.name);
        attributes(wire, EVENT_ATTRIBUTES, EVENT_REFUSED, key, |pairs| pairs.all(&event.attributes));
        wire.close(message);
    }
    for score in &span.scores {
        let message = wire.open_item(EVENTS, 128);
        wire.nanos(EVENT_TIME, span.end.unix_nanos());
        wire.text(EVENT_NAME, semconv::EVALUATION_RESULT_EVENT);
        attributes(wire, EVENT_ATTRIBUTES, EVENT_REFUSED, key, |pairs| self::score(score, facts, pairs));
        wire.close(message);
    }
    wire.close_list();
}

fn score<W: Wire>(score: &Score, facts: &Facts<'_>, pairs: &mut Pairs<'_, W>) {
    pairs.text(semconv::EVALUATION_NAME, score.name.as_str());
    pairs.float(semconv::EVALUATION_SCORE_VALUE, Some(score.value));
    pairs.text(semconv::EVALUATION_EXPLANATION, score.comment.as_deref());
    pairs.text(semconv::RESPONSE_ID, facts.value(Slot::ResponseId).and_then(Value::as_str));
}

fn links<W: Wire>(span: &SpanRecord, key: &mut String, wire: &mut W) {
    if span.links.is_empty() {
        return;
    }
    wire.open_list(LINKS);
    for link in &span.links {
        let message = wire.open_item(LINKS, 64);
        wire.id(TRACE_ID, &link.trace_id.to_bytes());
        wire.id(SPAN_ID, &link.span_id.to_bytes());
        attributes(wire, LINK_ATTRIBUTES, LINK_REFUSED, key, |pairs| pairs.all(&link.attributes));
        wire.close(message);
    }
    wire.close_list();
}

/// A list of attributes, and how many were refused.
pub(super) fn attributes<W: Wire>(
    wire: &mut W,
    list: super::wire::Field,
    refused: super::wire::Field,
    key: &mut String,
    write: impl FnOnce(&mut Pairs<'_, W>),
) {
    wire.open_list(list);
    let mut pairs = Pairs::new(wire, list, key);
    write(&mut pairs);
    let count = pairs.refused();
    wire.close_list();
    if count > 0 {
        wire.number(refused, count);
    }
}

/// A span that was given up has no status in `OpenTelemetry`: it is unset, and an attribute says so.
fn status<W: Wire>(status: &Status, wire: &mut W) {
    let (code, message) = match status {
        Status::Ok => (OK, None),
        Status::Error { message } => (ERROR, Some(message)),
        _ => return,
    };
    let bytes = message.map_or(0, String::len);
    let status = wire.open(STATUS, bytes + 4);
    if let Some(message) = message.filter(|message| !message.is_empty()) {
        wire.text(STATUS_MESSAGE, message);
    }
    wire.number(STATUS_CODE, code);
    wire.close(status);
}
