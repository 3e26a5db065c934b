//! Cohere chat, version 2 and, as far as it differs, version 1 (<https://docs.cohere.com/reference/chat>).

use std::borrow::Cow;

use serde_json::{Value, json};

use super::fold::{Fold, Room, child};
use super::json::{
    count, float_parameter, has, has_any, int_parameter, list, object, owned, stop_parameter,
    stream_parameter, text, text_parameter, tool_call,
};
use super::{Api, ApiError, Exchange, Shape, openai, openai_chat};
use crate::{Message, Part, Role, Usage, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::CohereChat, is_request, is_response, is_item, read_request, read_response, fold };

pub(super) const PROVIDER: &str = "cohere";

const OPERATION: &str = "chat";

/// The words for why generation stopped.
const FINISH_REASONS: [&str; 9] = [
    "COMPLETE",
    "STOP_SEQUENCE",
    "MAX_TOKENS",
    "TOOL_CALL",
    "ERROR",
    "ERROR_TOXIC",
    "ERROR_LIMIT",
    "TIMEOUT",
    "USER_CANCEL",
];

/// Fields that these requests have and `OpenAI`'s do not.
const OWN_FIELDS: [&str; 5] = ["citation_options", "safety_mode", "strict_tools", "preamble", "connectors"];

/// Types of the events of a version 2 stream.
const EVENTS: [&str; 12] = [
    "message-start",
    "content-start",
    "content-delta",
    "content-end",
    "tool-plan-delta",
    "tool-call-start",
    "tool-call-delta",
    "tool-call-end",
    "citation-start",
    "citation-end",
    "message-end",
    "debug",
];

fn is_request(body: &Value) -> bool {
    let is_own = text(body, "model").is_some_and(is_own_model) || has_any(body, &OWN_FIELDS);
    let is_message = |message: &Value| {
        text(message, "role").is_some() && has_any(message, &["content", "tool_calls", "tool_plan"])
    };
    let messages = list(body, "messages");
    let is_chat = text(body, "model").is_some() && !messages.is_empty() && messages.iter().all(is_message);
    is_own && (is_chat || text(body, "message").is_some())
}

/// Whether a model is one of Cohere's; its name on another platform has a path or a prefix.
fn is_own_model(model: &str) -> bool {
    model == "command" || model.starts_with("command-") || model.starts_with("c4ai-")
}

fn is_response(body: &Value) -> bool {
    let is_known = text(body, "finish_reason").is_some_and(|reason| FINISH_REASONS.contains(&reason));
    let is_billed = || billed(body).is_some_and(|units| count(units, "output_tokens").is_some());
    let is_message = || {
        object(body, "message").is_some_and(|message| text(message, "role") == Some("assistant"))
            && text(body, "id").is_some()
            && (is_known || is_billed())
    };
    let is_v1 = || {
        body.get("text").is_some_and(Value::is_string)
            && has_any(body, &["generation_id", "response_id"])
            && (is_known || is_billed())
    };
    let is_reduced =
        || text(body, "model").is_some() && is_billed() && !has_any(body, &["choices", "output"]);
    is_message() || is_v1() || is_reduced()
}

fn is_item(item: &Value) -> bool {
    let is_v1 = text(item, "event_type").is_some() && item.get("is_finished").is_some_and(Value::is_boolean);
    is_v1
        || text(item, "type").is_some_and(|kind| EVENTS.contains(&kind)) && has_any(item, &["delta", "index"])
}

/// What was billed: version 2 states it in the usage, version 1 and the other endpoints in `meta`.
pub(super) fn billed(body: &Value) -> Option<&Value> {
    let stated = object(body, "usage").or_else(|| object(body, "meta"))?;
    object(stated, "billed_units")
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.system.extend(text(body, "preamble").map(Part::text));
    let document = |document: &Value| Part::Other(json!({"type": "document", "document": document}));
    let documents: Vec<Part> = list(body, "documents").iter().map(document).collect();
    if !documents.is_empty() {
        exchange.input.push(Message::new(Role::Other("documents".to_owned()), documents));
    }
    exchange.input.extend(list(body, "messages").iter().map(message));
    exchange.input.extend(list(body, "chat_history").iter().map(v1_message));
    exchange.input.extend(text(body, "message").map(Message::user));
    exchange.tools = tools(list(body, "tools"));
    let parameters = &mut exchange.parameters;
    float_parameter(parameters, semconv::REQUEST_TEMPERATURE, body, "temperature");
    float_parameter(parameters, semconv::REQUEST_TOP_P, body, "p");
    int_parameter(parameters, semconv::REQUEST_TOP_K, body, "k");
    int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, body, "max_tokens");
    int_parameter(parameters, semconv::REQUEST_SEED, body, "seed");
    float_parameter(parameters, semconv::REQUEST_FREQUENCY_PENALTY, body, "frequency_penalty");
    float_parameter(parameters, semconv::REQUEST_PRESENCE_PENALTY, body, "presence_penalty");
    stop_parameter(parameters, body, "stop_sequences");
    if let Some(thinking) = object(body, "thinking") {
        text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, thinking, "type");
    }
    if let Some(citations) = object(body, "citation_options") {
        text_parameter(parameters, semconv::REQUEST_CITATION_MODE, citations, "mode");
    }
    if let Some(kind) = object(body, "response_format").and_then(openai::output_type) {
        parameters.set(semconv::OUTPUT_TYPE, kind);
    }
    stream_parameter(parameters, body);
}

fn message(message: &Value) -> Message {
    let mut read = openai_chat::message(message);
    if let Some(plan) = text(message, "tool_plan") {
        read.parts.insert(0, Part::reasoning(plan));
    }
    read
}

/// A message of version 1, whose roles are in capitals.
fn v1_message(message: &Value) -> Message {
    let role = match text(message, "role") {
        Some("CHATBOT") => Role::Assistant,
        Some(role) => Role::from(role.to_ascii_lowercase().as_str()),
        None => Role::User,
    };
    let mut parts: Vec<Part> = text(message, "message").map(Part::text).into_iter().collect();
    parts.extend(list(message, "tool_calls").iter().map(v1_call));
    let result = |result: &Value| Part::ToolCallResponse {
        id: result.get("call").and_then(|call| owned(call, "name")),
        response: result.get("outputs").cloned().unwrap_or_default(),
    };
    parts.extend(list(message, "tool_results").iter().map(result));
    Message::new(role, parts)
}

/// A call of version 1, which has no id.
fn v1_call(call: &Value) -> Part {
    tool_call(owned(call, "id"), text(call, "name").unwrap_or_default(), call.get("parameters"))
}

fn tools(tools: &[Value]) -> Option<Value> {
    if tools.iter().any(|tool| has(tool, "function")) {
        return openai::tools(tools);
    }
    let definition = |tool| openai::function_definition(tool, "parameter_definitions");
    (!tools.is_empty()).then(|| tools.iter().map(definition).collect())
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_id =
        ["id", "response_id", "generation_id"].into_iter().find_map(|key| owned(body, key));
    exchange.response_model = owned(body, "model");
    exchange.usage = usage(body);
    if billed(body).is_some() {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
    }
    let reason = text(body, "finish_reason");
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    let answer = object(body, "message").map(message).or_else(|| v1_answer(body));
    if let Some(mut answer) = answer {
        answer.finish_reason = reason.map(|reason| finish_word(reason).to_owned());
        exchange.output = vec![answer];
    } else if let Some(message) = text(body, "message") {
        // An error's body has nothing else.
        let error = || ApiError { message: message.to_owned(), ..ApiError::default() };
        exchange.error.get_or_insert_with(error);
    }
}

fn v1_answer(body: &Value) -> Option<Message> {
    let content = body.get("text")?.as_str()?;
    let mut parts: Vec<Part> = list(body, "tool_calls").iter().map(v1_call).collect();
    if !content.is_empty() {
        parts.insert(0, Part::text(content));
    }
    Some(Message::new(Role::Assistant, parts))
}

fn finish_word(reason: &str) -> &str {
    match reason {
        "COMPLETE" | "STOP_SEQUENCE" => "stop",
        "MAX_TOKENS" | "ERROR_LIMIT" => "length",
        "TOOL_CALL" => "tool_call",
        "ERROR_TOXIC" => "content_filter",
        "ERROR" | "TIMEOUT" => "error",
        other => other,
    }
}

/// What was billed; what the model read and wrote beside it (`tokens`) counts only where nothing is said of that.
fn usage(body: &Value) -> Usage {
    let stated = object(body, "usage").or_else(|| object(body, "meta")).unwrap_or(&Value::Null);
    let units = billed(body).or_else(|| object(stated, "tokens")).unwrap_or(&Value::Null);
    let input = count(units, "input_tokens");
    // Cached tokens are counted among `tokens`, of which not all are billed.
    let cached = count(stated, "cached_tokens").map(|cached| input.map_or(cached, |input| cached.min(input)));
    let mut usage = Usage {
        input_tokens: input,
        output_tokens: count(units, "output_tokens"),
        cache_read_tokens: cached,
        ..Usage::default()
    };
    usage.status = usage.stated_status();
    usage.checked()
}

fn fold(event: &Value, fold: &mut Fold) {
    if has(event, "event_type") {
        return fold_v1(event, fold);
    }
    let Fold { body, content, room, ended, .. } = fold;
    let delta = event.get("delta").unwrap_or(&Value::Null);
    let message = delta.get("message").unwrap_or(&Value::Null);
    let index = count(event, "index").unwrap_or_default();
    match text(event, "type") {
        Some("message-start") => {
            room.set(body, "id", event);
            room.set(child(body, "message"), "role", message);
        }
        Some("content-start" | "content-delta") => {
            let piece = message.get("content").unwrap_or(&Value::Null);
            if let Some(part) = room.at(child(child(body, "message"), "content"), index) {
                *content |= fold_content(part, piece, room);
            }
        }
        Some("tool-plan-delta") => {
            if let Some(plan) = text(message, "tool_plan") {
                room.append(child(child(body, "message"), "tool_plan"), plan);
                *content = true;
            }
        }
        Some("tool-call-start" | "tool-call-delta") => {
            let piece = message.get("tool_calls").unwrap_or(&Value::Null);
            if let Some(call) = room.at(child(child(body, "message"), "tool_calls"), index) {
                fold_call(call, piece, room);
                *content = true;
            }
        }
        Some("message-end") => {
            for key in ["finish_reason", "error"] {
                room.set(body, key, delta);
            }
            room.overlay(child(body, "usage"), delta.get("usage").unwrap_or(&Value::Null));
            *ended = true;
        }
        _ => {}
    }
}

/// Lays a piece of text or of reasoning over its part and says whether there is anything in it.
fn fold_content(part: &mut Value, piece: &Value, room: &mut Room) -> bool {
    room.set(part, "type", piece);
    let mut content = false;
    for key in ["text", "thinking"] {
        if let Some(text) = text(piece, key) {
            if !has(part, "type") {
                *child(part, "type") = key.into();
            }
            room.append(child(part, key), text);
            content = true;
        }
    }
    content
}

fn fold_call(call: &mut Value, piece: &Value, room: &mut Room) {
    for key in ["id", "type"] {
        room.set(call, key, piece);
    }
    let function = piece.get("function").unwrap_or(&Value::Null);
    let whole = child(call, "function");
    room.set(whole, "name", function);
    if let Some(arguments) = text(function, "arguments") {
        room.append(child(whole, "arguments"), arguments);
    }
}

fn fold_v1(event: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    match text(event, "event_type") {
        Some("stream-start") => room.set(body, "generation_id", event),
        Some("text-generation") => {
            let piece = text(event, "text").unwrap_or_default();
            room.append(child(body, "text"), piece);
            *content |= !piece.is_empty();
        }
        Some("tool-calls-generation") => {
            room.set(body, "tool_calls", event);
            *content = true;
        }
        Some("stream-end") => {
            // The closing event repeats the whole response.
            let whole = event.get("response").unwrap_or(&Value::Null);
            for key in ["response_id", "generation_id", "text", "tool_calls", "meta"] {
                room.set(body, key, whole);
            }
            room.set(body, "finish_reason", event);
            room.set(body, "finish_reason", whole);
            *ended = true;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
