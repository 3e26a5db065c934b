//! `OpenAI` realtime (<https://platform.openai.com/docs/api-reference/realtime-server-events>): server events. One
//! response of the model, to its `response.done`, is one call.

use serde_json::{Value, json};

use super::fold::{Fold, Room, child};
use super::json::{count, has, int_parameter, list, object, owned, text, tool_call};
use super::openai::{self, finish_word};
use super::openai_audio::USAGE;
use super::{Api, ApiError, Exchange, Shape};
use crate::{Message, Part, Role, UsageStatus, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::OpenAiRealtime, is_request, is_response, is_item, read_request, read_response, fold };

const OPERATION: &str = "chat";

/// Member of a folded body: another response ended before this one in the same stream.
const EARLIER: &str = "llmtrace_earlier";

fn is_request(body: &Value) -> bool {
    match text(body, "type") {
        Some("session.update") => object(body, "session").is_some(),
        Some("response.create") => !has(body, "model") && object(body, "response").is_some(),
        _ => false,
    }
}

fn is_response(body: &Value) -> bool {
    let response = within(body);
    text(response, "object") == Some("realtime.response")
        || text(body, "type") == Some("response.done")
            && response.get("usage").is_some_and(|usage| has(usage, "input_token_details"))
}

/// The response in an event, or the response itself.
fn within(body: &Value) -> &Value {
    object(body, "response").unwrap_or(body)
}

fn is_item(item: &Value) -> bool {
    let kind = text(item, "type").unwrap_or_default();
    let families = ["response.", "session.", "conversation.", "input_audio_buffer.", "output_audio_buffer."];
    has(item, "event_id")
        && (families.iter().any(|family| kind.starts_with(family))
            || matches!(kind, "rate_limits.updated" | "error"))
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    let config = object(body, "session").unwrap_or_else(|| within(body));
    exchange.request_model = owned(config, "model");
    exchange.system = text(config, "instructions").map(Part::text).into_iter().collect();
    exchange.input = list(config, "input").iter().map(message).collect();
    exchange.tools = openai::tools(list(config, "tools"));
    for key in ["max_response_output_tokens", "max_output_tokens"] {
        int_parameter(&mut exchange.parameters, semconv::REQUEST_MAX_TOKENS, config, key);
    }
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    let response = within(body);
    exchange.response_id = owned(response, "id");
    // Only the session names the model.
    exchange.response_model = owned(response, "model");
    if let Some(usage) = response.get("usage") {
        exchange.usage = openai::usage(usage, &USAGE);
    }
    if has(response, EARLIER) && exchange.usage.status == UsageStatus::Complete {
        exchange.usage.status = UsageStatus::Partial;
    }
    if let Some(id) = text(response, "conversation_id") {
        exchange.attributes.set(semconv::CONVERSATION_ID, id);
    }
    read_limits(response, exchange);
    let heard = list(response, HEARD).iter().filter_map(|item| text(item, "transcript"));
    exchange.input = heard.map(Message::user).collect();
    let details = response.get("status_details").unwrap_or(&Value::Null);
    exchange.error =
        exchange.error.take().or_else(|| ApiError::read(details).filter(|_| has(details, "error")));
    let status = text(response, "status").filter(|status| *status != "in_progress");
    let reason = text(details, "reason").or(status);
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    let items = list(response, "output");
    if !items.is_empty() {
        let mut whole =
            Message::new(Role::Assistant, items.iter().flat_map(|item| message(item).parts).collect());
        let calls = whole.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        whole.finish_reason = reason.map(|reason| match reason {
            "completed" if calls => "tool_call".to_owned(),
            "completed" => "stop".to_owned(),
            "failed" => "error".to_owned(),
            other => finish_word(other).to_owned(),
        });
        exchange.output = vec![whole];
    }
}

fn read_limits(response: &Value, exchange: &mut Exchange) {
    for limit in list(response, "rate_limits") {
        let Some(unit @ ("requests" | "tokens")) = text(limit, "name") else { continue };
        let key = |field| format!("{}.{unit}.{field}", semconv::RATE_LIMIT);
        for field in ["limit", "remaining"] {
            if let Some(count) = count(limit, field) {
                exchange.attributes.set(key(field), count);
            }
        }
        if let Some(seconds) = limit.get("reset_seconds").and_then(Value::as_f64) {
            exchange.attributes.set(key("reset"), seconds);
        }
    }
}

/// One item of a conversation. Sound is not in the events that are read; its transcript is.
fn message(item: &Value) -> Message {
    let role = text(item, "role").map_or(Role::Assistant, Role::from);
    match text(item, "type") {
        Some("function_call") => {
            let id = owned(item, "call_id").or_else(|| owned(item, "id"));
            let call = tool_call(id, text(item, "name").unwrap_or_default(), item.get("arguments"));
            Message::new(role, vec![call])
        }
        Some("function_call_output") => {
            let response = item.get("output").cloned().unwrap_or_default();
            Message::new(Role::Tool, vec![Part::ToolCallResponse { id: owned(item, "call_id"), response }])
        }
        _ => {
            let said = |part: &Value| text(part, "text").or_else(|| text(part, "transcript")).map(Part::text);
            Message::new(role, list(item, "content").iter().filter_map(said).collect())
        }
    }
}

/// Member of a folded body: what was heard.
const HEARD: &str = "llmtrace_heard";

/// Delta events: what their texts belong to, and the field there.
const DELTAS: [(&str, &str); 5] = [
    ("response.text.delta", "text"),
    ("response.output_text.delta", "text"),
    ("response.audio_transcript.delta", "transcript"),
    ("response.output_audio_transcript.delta", "transcript"),
    ("response.function_call_arguments.delta", "arguments"),
];

fn fold(event: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    let kind = text(event, "type").unwrap_or_default();
    match kind {
        "session.created" | "session.updated" => {
            if let Some(session) = object(event, "session") {
                room.set(body, "model", session);
            }
        }
        "rate_limits.updated" => room.set(body, "rate_limits", event),
        "conversation.item.input_audio_transcription.completed" => {
            if let Some(transcript) = owned(event, "transcript")
                && let Some(heard) = room.push(child(body, HEARD), json!({}))
            {
                room.append(child(heard, "transcript"), &transcript);
            }
        }
        "response.created" => {
            if std::mem::take(ended) {
                start_over(body);
            }
            fold_response(body, event, room);
        }
        "response.done" => {
            fold_response(body, event, room);
            *ended = true;
        }
        "response.output_item.added" | "response.output_item.done" => {
            let index = count(event, "output_index").unwrap_or_default();
            if let Some(item) = object(event, "item")
                && let Some(place) = room.at(child(body, "output"), index)
            {
                room.put(place, item);
                *child(place, "index") = index.into();
                *content |= text(item, "type") == Some("function_call");
            }
        }
        "response.audio.delta" | "response.output_audio.delta" => *content = true,
        _ => {
            if let Some((_, field)) = DELTAS.iter().find(|(delta, _)| *delta == kind) {
                *content |= fold_delta(body, event, field, room);
            }
        }
    }
}

/// Another response begins: its counts are its own, and those before it are in another event.
fn start_over(body: &mut Value) {
    for key in ["id", "status", "status_details", "output", "usage", "error"] {
        *child(body, key) = Value::Null;
    }
    *child(body, EARLIER) = true.into();
}

fn fold_response(body: &mut Value, event: &Value, room: &mut Room) {
    let Some(response) = object(event, "response") else { return };
    for key in ["id", "object", "status", "status_details", "conversation_id"] {
        room.set(body, key, response);
    }
    if let Some(usage) = object(response, "usage") {
        room.overlay(child(body, "usage"), usage);
    }
    if !list(response, "output").is_empty() {
        room.set(body, "output", response);
    }
}

fn fold_delta(body: &mut Value, event: &Value, field: &str, room: &mut Room) -> bool {
    let Some(piece) = text(event, "delta") else { return false };
    let index = count(event, "output_index").unwrap_or_default();
    let Some(item) = room.at(child(body, "output"), index) else { return false };
    if field == "arguments" {
        if !has(item, "type") {
            *child(item, "type") = "function_call".into();
        }
        room.append(child(item, field), piece);
        return true;
    }
    let index = count(event, "content_index").unwrap_or_default();
    let Some(part) = room.at(child(item, "content"), index) else { return false };
    room.append(child(part, field), piece);
    true
}

#[cfg(test)]
mod tests;
