//! `OpenAI` Responses (<https://platform.openai.com/docs/api-reference/responses>).

use serde_json::Value;

use super::fold::{Fold, Room, child};
use super::json::{
    count, float_parameter, has, has_any, int_parameter, list, object, owned, stream_parameter, text,
    text_parameter,
};
use super::openai::{self, UsageNames};
use super::openai_responses_items::{input, items_of, output, searches};
use super::openai_served::read_common;
use super::{Api, Exchange, Shape};
use crate::{Message, Part, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::OpenAiResponses, is_request, is_response, is_item, read_request, read_response, fold };

pub(super) const USAGE: UsageNames = UsageNames {
    input: "input_tokens",
    output: "output_tokens",
    input_details: "input_tokens_details",
    output_details: "output_tokens_details",
};

const OPERATION: &str = "chat";

/// Fields that only this API's requests have, among those with `model` and `input`.
const OWN_FIELDS: [&str; 14] = [
    "instructions",
    "max_output_tokens",
    "previous_response_id",
    "conversation",
    "reasoning",
    "text",
    "tools",
    "stream",
    "store",
    "include",
    "temperature",
    "top_p",
    "truncation",
    "background",
];

/// The first letters of models that answer here; they tell a plain text input from one that is to be embedded.
const MODELS: [&str; 5] = ["gpt-", "o1", "o3", "o4", "computer-use"];

fn is_request(body: &Value) -> bool {
    let Some(model) = text(body, "model") else { return false };
    let is_known = has_any(body, &OWN_FIELDS)
        || MODELS.iter().any(|prefix| model.strip_prefix("openai/").unwrap_or(model).starts_with(prefix));
    match body.get("input") {
        Some(Value::String(_)) => {
            is_known && !has_any(body, &["voice", "encoding_format", "dimensions", "messages"])
        }
        Some(Value::Array(items)) => {
            let is_item = |item: &Value| {
                item.is_object()
                    && (text(item, "type").is_some() || text(item, "role").is_some() && has(item, "content"))
            };
            !items.is_empty() && items.iter().all(is_item)
        }
        _ => false,
    }
}

fn is_response(body: &Value) -> bool {
    let output = list(body, "output");
    let is_named = text(body, "object") == Some("response");
    let is_output = has_any(body, &["id", "model"])
        && !output.is_empty()
        && output.iter().all(|item| {
            text(item, "type")
                .is_some_and(|kind| matches!(kind, "message" | "reasoning") || kind.ends_with("_call"))
        });
    let is_reduced = || {
        !has_any(body, &["output", "content", "choices"])
            && text(body, "model").is_some()
            && body.get("usage").is_some_and(|usage| {
                count(usage, USAGE.input).is_some()
                    && has_any(usage, &["input_tokens_details", "output_tokens_details", "total_tokens"])
                    && !has_any(usage, &["cache_read_input_tokens", "cache_creation_input_tokens"])
            })
    };
    is_named && (text(body, "id").is_some() || body.get("output").is_some_and(Value::is_array))
        || is_output && (has_any(body, &["status", "usage", "created_at"]))
        || is_reduced()
}

fn is_item(item: &Value) -> bool {
    let kind = text(item, "type").unwrap_or_default();
    let is_own =
        kind.starts_with("response.") && has_any(item, &["response", "item_id", "item", "part", "delta"]);
    // Realtime events have the same names, and an id each.
    !has(item, "event_id") && (is_own || kind == "error" && has(item, "sequence_number"))
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    match body.get("instructions") {
        Some(Value::String(instructions)) if !instructions.is_empty() => {
            exchange.system = vec![Part::text(instructions)];
        }
        Some(Value::Array(items)) => {
            exchange.system = items.iter().flat_map(|item| input(item).parts).collect();
        }
        _ => {}
    }
    match body.get("input") {
        Some(Value::String(text)) => exchange.input = vec![Message::user(text)],
        Some(Value::Array(items)) => exchange.input = items.iter().map(input).collect(),
        _ => {}
    }
    exchange.tools = openai::tools(list(body, "tools"));
    let parameters = &mut exchange.parameters;
    float_parameter(parameters, semconv::REQUEST_TEMPERATURE, body, "temperature");
    float_parameter(parameters, semconv::REQUEST_TOP_P, body, "top_p");
    int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, body, "max_output_tokens");
    text_parameter(parameters, semconv::REQUEST_PREVIOUS_RESPONSE_ID, body, "previous_response_id");
    text_parameter(parameters, semconv::OPENAI_REQUEST_SERVICE_TIER, body, "service_tier");
    if let Some(reasoning) = body.get("reasoning") {
        text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, reasoning, "effort");
    }
    openai::thinking(parameters, body);
    let format = body.get("text").and_then(|text| object(text, "format"));
    if let Some(kind) = format.and_then(openai::output_type) {
        parameters.set(semconv::OUTPUT_TYPE, kind);
    }
    stream_parameter(parameters, body);
    read_conversation(body, exchange);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    read_common(body, exchange);
    if let Some(usage) = body.get("usage") {
        exchange.usage = openai::usage(usage, &USAGE);
    }
    let items = list(body, "output");
    let stated = body.get("tool_usage").and_then(|tools| object(tools, "web_search"));
    let stated = stated.and_then(|search| count(search, "num_requests"));
    exchange.usage.web_searches =
        exchange.usage.web_searches.max(stated).max(searches(items, "web_search_call"));
    exchange.usage.file_searches = exchange.usage.file_searches.max(searches(items, "file_search_call"));
    read_fees(body, items, exchange);
    read_conversation(body, exchange);
    let incomplete = body.get("incomplete_details").and_then(|details| text(details, "reason"));
    let status = text(body, "status").filter(|status| !matches!(*status, "queued" | "in_progress"));
    let reason = incomplete.or(status);
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    if !items.is_empty() {
        let mut message = output(items);
        let calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
        message.finish_reason = reason.map(|reason| finish_word(reason, calls).to_owned());
        exchange.output = vec![message];
    }
}

/// Notes what is billed beside the tokens and the searches: code that was run, and pictures that another model drew.
fn read_fees(body: &Value, items: &[Value], exchange: &mut Exchange) {
    let runs = items_of(items, "code_interpreter_call");
    if let Some(runs) = runs {
        exchange.attributes.set(semconv::USAGE_CODE_RUNS, runs);
    }
    let drawn = body.get("tool_usage").and_then(|tools| count(tools.get("image_gen")?, "total_tokens"));
    let draws = drawn.is_some_and(|tokens| tokens > 0) || items_of(items, "image_generation_call").is_some();
    if (runs.is_some() || draws) && exchange.stated_cost.is_none() {
        exchange.attributes.set(semconv::COST_INCOMPLETE, true);
    }
    if items_of(items, "compaction").is_some() {
        exchange.attributes.set(semconv::CONVERSATION_COMPACTED, true);
    }
}

fn read_conversation(body: &Value, exchange: &mut Exchange) {
    let conversation = body.get("conversation");
    let id = conversation.and_then(|conversation| conversation.as_str().or_else(|| text(conversation, "id")));
    if let Some(id) = id {
        exchange.attributes.set(semconv::CONVERSATION_ID, id);
    }
}

fn finish_word(reason: &str, calls: bool) -> &str {
    match reason {
        "completed" | "complete" if calls => "tool_call",
        "completed" | "complete" => "stop",
        "failed" => "error",
        other => openai::finish_word(other),
    }
}

/// Where the text of a delta event belongs.
struct Delta {
    event: &'static str,
    item: &'static str,
    /// The list, the key of the index into it and the type of its elements, where the text is in a list.
    list: Option<(&'static str, &'static str, &'static str)>,
    field: &'static str,
}

const DELTAS: [Delta; 8] = [
    Delta {
        event: "response.output_text.delta",
        item: "message",
        list: Some(("content", "content_index", "output_text")),
        field: "text",
    },
    Delta {
        event: "response.refusal.delta",
        item: "message",
        list: Some(("content", "content_index", "refusal")),
        field: "refusal",
    },
    Delta {
        event: "response.reasoning_summary_text.delta",
        item: "reasoning",
        list: Some(("summary", "summary_index", "summary_text")),
        field: "text",
    },
    Delta {
        event: "response.reasoning_text.delta",
        item: "reasoning",
        list: Some(("content", "content_index", "reasoning_text")),
        field: "text",
    },
    Delta {
        event: "response.function_call_arguments.delta",
        item: "function_call",
        list: None,
        field: "arguments",
    },
    Delta {
        event: "response.custom_tool_call_input.delta",
        item: "custom_tool_call",
        list: None,
        field: "input",
    },
    Delta { event: "response.mcp_call_arguments.delta", item: "mcp_call", list: None, field: "arguments" },
    Delta {
        event: "response.code_interpreter_call_code.delta",
        item: "code_interpreter_call",
        list: None,
        field: "code",
    },
];

fn fold(event: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    let kind = text(event, "type").unwrap_or_default();
    match kind {
        "response.created" | "response.queued" | "response.in_progress" => fold_response(body, event, room),
        "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
            fold_response(body, event, room);
            *ended = true;
        }
        "response.output_item.added" | "response.output_item.done" => {
            *content |= fold_item(body, event, room);
        }
        "error" if !has(event, "error") => {
            *ended |= body.is_null();
            for key in ["code", "message"] {
                room.set(child(body, "error"), key, event);
            }
        }
        _ => {
            if let Some(delta) = DELTAS.iter().find(|delta| delta.event == kind) {
                *content |= fold_delta(body, event, delta, room);
            }
        }
    }
}

/// Lays what an event says of the response as a whole over the body; the items stay where it repeats none.
fn fold_response(body: &mut Value, event: &Value, room: &mut Room) {
    let Some(response) = object(event, "response") else { return };
    for key in ["id", "object", "model", "status", "service_tier", "conversation"] {
        room.set(body, key, response);
    }
    for key in ["usage", "error", "incomplete_details", "tool_usage"] {
        if let Some(later) = object(response, key) {
            room.overlay(child(body, key), later);
        }
    }
    if !list(response, "output").is_empty() {
        room.set(body, "output", response);
    }
}

/// Puts an item in its place and says whether it holds content.
fn fold_item(body: &mut Value, event: &Value, room: &mut Room) -> bool {
    let Some(item) = object(event, "item") else { return false };
    let index = count(event, "output_index").unwrap_or_default();
    let Some(place) = room.at(child(body, "output"), index) else { return false };
    room.put(place, item);
    *child(place, "index") = index.into();
    let is_call = matches!(text(item, "type"), Some("function_call" | "custom_tool_call"));
    let has_text = |part: &Value| text(part, "text").or_else(|| text(part, "refusal")).is_some();
    is_call || list(item, "content").iter().any(has_text)
}

fn fold_delta(body: &mut Value, event: &Value, delta: &Delta, room: &mut Room) -> bool {
    let Some(piece) = text(event, "delta") else { return false };
    let index = count(event, "output_index").unwrap_or_default();
    let Some(item) = room.at(child(body, "output"), index) else { return false };
    if !has(item, "type") {
        *child(item, "type") = delta.item.into();
    }
    let place = match delta.list {
        None => item,
        Some((key, index_key, kind)) => {
            let index = count(event, index_key).unwrap_or_default();
            let Some(part) = room.at(child(item, key), index) else { return false };
            *child(part, "type") = kind.into();
            part
        }
    };
    room.append(child(place, delta.field), piece);
    true
}

#[cfg(test)]
mod tests;
