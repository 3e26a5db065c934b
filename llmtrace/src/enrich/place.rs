//! Laying what was read over the record.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::gather::{Gathered, exception};
use super::read::{Call, Plain};
use crate::log::Scalar;
use crate::provider::Exchange;
use crate::{
    Attributes, Message, ObservationKind, Part, Role, SpanRecord, Status, Usage, UsageStatus, Value, semconv,
};

/// Lays both sides of a call over the record. What the program itself recorded stands.
pub(super) fn place(record: &mut SpanRecord, mut call: Call, gathered: &Gathered<'_>) {
    place_messages(record, gathered);
    let stated = stated_usage(record);
    let exchange = call.exchange.take();
    let was_read = exchange.as_ref().is_some_and(|exchange| exchange.api.is_some());
    let mut usage = Usage::default();
    if let Some(exchange) = exchange {
        if record.kind.is_model_call() {
            usage = exchange.usage.clone();
        }
        place_exchange(record, exchange);
    }
    place_plain(record, call.input.take(), call.output.take());
    place_usage(record, usage, &stated, was_read, gathered.is_cancelled || call.is_cut);
    if record.attributes.get(semconv::OPERATION_NAME).is_none()
        && let Some(operation) = record.kind.operation_name()
    {
        record.attributes.set(semconv::OPERATION_NAME, Value::fixed(operation));
    }
    if let Some(seconds) = call.first_content {
        record.attributes.set_default(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, seconds);
    }
    if let Some(chunks) = call.chunks {
        record.attributes.set_default(semconv::REQUEST_STREAM, true);
        record.attributes.set_default(semconv::STREAM_CHUNKS, chunks);
    }
    place_status(record, gathered, call.is_cut);
}

/// Messages that were recorded as attributes become the record's messages.
fn place_messages(record: &mut SpanRecord, gathered: &Gathered<'_>) {
    if let Some(value) = gathered.input {
        record.input = messages(value, Role::User);
    }
    if let Some(value) = gathered.output {
        record.output = messages(value, Role::Assistant);
    }
}

/// The conventions' JSON, as JSON or as text; anything else is one message of `role`.
fn messages(value: Scalar<'_>, role: Role) -> Vec<Message> {
    let text = match value {
        Scalar::Str(text) => Cow::Borrowed(text),
        Scalar::Json(json) => String::from_utf8_lossy(json),
        other => Cow::Owned(other.to_string()),
    };
    if let Some(messages) = super::messages::plain(&text) {
        return messages;
    }
    if let Ok(messages) = serde_json::from_str(&text) {
        return messages;
    }
    match serde_json::from_str::<Json>(&text) {
        Ok(json) if json.is_array() || json.is_object() => vec![Message::new(role, vec![json_part(&json)])],
        _ => vec![Message::new(role, vec![Part::text(text)])],
    }
}

fn json_part(json: &Json) -> Part {
    Part::Other(serde_json::json!({"type": "json", "content": json}))
}

/// The counts that the program recorded itself.
struct Stated {
    usage: Usage,
    /// They came with a status of their own, as `SpanExt::record_usage` writes them.
    is_whole: bool,
}

fn stated_usage(record: &SpanRecord) -> Stated {
    Stated { usage: record.usage(), is_whole: record.attributes.get(semconv::USAGE_STATUS).is_some() }
}

fn place_exchange(record: &mut SpanRecord, exchange: Exchange) {
    let is_call = record.kind.is_model_call();
    let failure = http_failure(record);
    let attributes = &mut record.attributes;
    let mut set = |key, value: Option<Value>| {
        // What a span around a call hands on is the call's, and stands there.
        if let Some(value) = value.filter(|_| is_call) {
            attributes.set_default(key, value);
        }
    };
    set(semconv::PROVIDER_NAME, exchange.provider.map(Value::from));
    set(semconv::REQUEST_MODEL, exchange.request_model.map(Value::from));
    set(semconv::RESPONSE_MODEL, exchange.response_model.map(Value::from));
    set(semconv::RESPONSE_ID, exchange.response_id.map(Value::from));
    set(semconv::API, exchange.api.map(|api| Value::fixed(api.as_str())));
    set(semconv::TOOL_DEFINITIONS, exchange.tools.map(Value::Json));
    if !exchange.finish_reasons.is_empty() {
        set(semconv::RESPONSE_FINISH_REASONS, Some(exchange.finish_reasons.into()));
    }
    if !exchange.system.is_empty() {
        set(semconv::SYSTEM_INSTRUCTIONS, serde_json::to_value(&exchange.system).ok().map(Value::Json));
    }
    let is_openai = exchange.api.is_some_and(|api| api.as_str().starts_with("openai_"));
    let tier = if is_openai { semconv::OPENAI_RESPONSE_SERVICE_TIER } else { semconv::SERVICE_TIER };
    set(tier, exchange.service_tier.map(Value::from));
    set(semconv::COST_PICO_USD, exchange.stated_cost.map(|cost| cost.pico().into()));
    for (key, value) in exchange.parameters.iter().chain(exchange.attributes.iter()) {
        if is_call && attributes.get(key).is_none() {
            attributes.set(key.to_owned(), value.clone());
        }
    }
    if let Some(operation) = exchange.operation
        && is_call
    {
        // The body says it better than the kind: an embedding may be traced as a generation.
        attributes.set(semconv::OPERATION_NAME, Value::fixed(operation));
        if record.kind == ObservationKind::Generation {
            record.kind = match operation {
                "embeddings" => ObservationKind::Embedding,
                "rerank" => ObservationKind::Reranker,
                _ => record.kind,
            };
        }
    }
    if record.input.is_empty() {
        record.input = exchange.input;
    }
    if record.output.is_empty() {
        record.output = exchange.output;
    }
    if let Some(error) = exchange.error {
        let kind = error.kind.or(error.code).or_else(|| failure.map(|status| status.to_string()));
        attributes.set_default(semconv::ERROR_TYPE, kind.unwrap_or_else(|| "error".to_owned()));
        record.status = Status::error(error.message);
    }
}

fn place_plain(record: &mut SpanRecord, input: Option<Plain>, output: Option<Plain>) {
    if record.kind == ObservationKind::Tool {
        place_tool(&mut record.attributes, input, output);
        return;
    }
    if record.kind == ObservationKind::Retriever {
        if let Some(Plain::Text(query)) = &input {
            record.attributes.set_default(semconv::RETRIEVAL_QUERY_TEXT, query);
        }
        if let Some(Plain::Json(documents @ Json::Array(_))) = &output {
            record.attributes.set_default(semconv::RETRIEVAL_DOCUMENTS, Value::Json(documents.clone()));
        }
    }
    let message = |role, plain| {
        Message::new(
            role,
            vec![match plain {
                Plain::Text(text) => Part::text(text),
                Plain::Json(json) => json_part(&json),
            }],
        )
    };
    if record.input.is_empty() {
        record.input.extend(input.map(|plain| message(Role::User, plain)));
    }
    if record.output.is_empty() {
        record
            .output
            .extend(output.filter(|plain| !is_nothing(plain)).map(|plain| message(Role::Assistant, plain)));
    }
}

fn is_nothing(plain: &Plain) -> bool {
    matches!(plain, Plain::Json(Json::Null)) || matches!(plain, Plain::Text(text) if text.is_empty())
}

fn place_tool(attributes: &mut Attributes, input: Option<Plain>, output: Option<Plain>) {
    let value = |plain| match plain {
        Plain::Text(text) => Value::from(text),
        Plain::Json(json) => Value::Json(json),
    };
    if let Some(input) = input {
        attributes.set_default(semconv::TOOL_CALL_ARGUMENTS, value(input));
    }
    if let Some(output) = output {
        attributes.set_default(semconv::TOOL_CALL_RESULT, value(output));
    }
}

/// The counts of the response, with those over them that the program recorded itself.
fn place_usage(record: &mut SpanRecord, read: Usage, stated: &Stated, was_read: bool, is_cut: bool) {
    if !record.kind.is_model_call() && read.is_empty() && stated.usage.is_empty() {
        record.attributes.remove(semconv::USAGE_STATUS);
        record.attributes.remove(semconv::USAGE_SOURCE);
        return;
    }
    let mut usage = overlay_usage(read, stated);
    if !stated_is_final(&usage) && is_cut {
        usage.status = UsageStatus::Interrupted;
    }
    let is_embedding = record.kind == ObservationKind::Embedding;
    if is_embedding && usage.status == UsageStatus::Partial && usage.input_tokens.is_some() && !was_read {
        usage.status = UsageStatus::Complete;
    }
    record.set_usage(&usage.checked());
}

/// What the program recorded over what the response says: as a whole if it says how complete it is, else count by
/// count.
fn overlay_usage(read: Usage, stated: &Stated) -> Usage {
    if stated.usage.is_empty() {
        return read;
    }
    if stated.is_whole {
        return stated.usage.clone();
    }
    let mut usage = read.overlaid(&stated.usage);
    if usage.input_tokens.is_some() && usage.output_tokens.is_some() && usage.status != UsageStatus::Invalid {
        usage.status = UsageStatus::Complete;
    } else if usage.status == UsageStatus::Missing {
        usage.status = UsageStatus::Partial;
    }
    usage
}

fn stated_is_final(usage: &Usage) -> bool {
    matches!(usage.status, UsageStatus::Complete | UsageStatus::Invalid)
}

fn place_status(record: &mut SpanRecord, gathered: &Gathered<'_>, is_cut: bool) {
    let wire_error = gathered.wire.as_ref().and_then(|wire| wire.error);
    if let Some((kind, message)) = gathered.error {
        record.attributes.set_default(semconv::ERROR_TYPE, if kind.is_empty() { "error" } else { kind });
        record.status = Status::error(message);
    } else if record.status.is_error() {
        // The response said so, or a bridge attribute.
    } else if let Some((_, kind, message)) = wire_error {
        record.attributes.set_default(semconv::ERROR_TYPE, kind);
        record.status = Status::error(message);
    } else if let Some(status) = http_failure(record) {
        record.attributes.set_default(semconv::ERROR_TYPE, status.to_string());
        record.status = Status::error(format!("HTTP status {status}"));
    } else if gathered.is_cancelled || is_cut {
        record.status = Status::Cancelled;
    } else if gathered.is_done || gathered.wire.as_ref().is_some_and(|wire| wire.is_cut) {
        // An answer that was given up after its last event was whole.
        record.status = Status::Ok;
    }
    if let Status::Error { message } = &record.status {
        let kind = record.attributes.get_str(semconv::ERROR_TYPE).unwrap_or("error").to_owned();
        record.events.push(exception(record.end, &kind, message));
    }
}

/// The HTTP status with which a model call failed.
pub(super) fn http_failure(record: &SpanRecord) -> Option<u64> {
    let status = record.attributes.get(semconv::HTTP_RESPONSE_STATUS_CODE).and_then(Value::as_count);
    status.filter(|status| record.kind.is_model_call() && (400..600).contains(status))
}

/// Leaves out whatever content came by another way than the one that is closed on the caller's thread.
pub(super) fn omit_content(record: &mut SpanRecord) {
    record.input.clear();
    record.output.clear();
    for key in [
        semconv::SYSTEM_INSTRUCTIONS,
        semconv::TOOL_DEFINITIONS,
        semconv::TOOL_CALL_ARGUMENTS,
        semconv::TOOL_CALL_RESULT,
        semconv::RETRIEVAL_QUERY_TEXT,
        semconv::RETRIEVAL_DOCUMENTS,
        semconv::ARGUMENTS,
        semconv::REQUEST_STOP_SEQUENCES,
    ] {
        record.attributes.remove(key);
    }
    // The words of an API's error are left out with its body; its type stands.
    if record.status == Status::error("*") {
        record.status =
            Status::error(record.attributes.get_str(semconv::ERROR_TYPE).unwrap_or("error").to_owned());
    }
    record.attributes.set(semconv::CONTENT_OMITTED, true);
}
