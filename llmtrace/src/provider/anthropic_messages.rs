//! Anthropic messages (<https://docs.anthropic.com/en/api/messages>).

use std::borrow::Cow;

use serde_json::Value;

use super::anthropic_parts::blocks;
use super::fold::{Fold, Room, child};
use super::json::{
    count, float_parameter, has, has_any, int_parameter, list, object, owned, stop_parameter,
    stream_parameter, text, text_parameter,
};
use super::{Api, ApiError, Exchange, Shape, bedrock_converse, gemini, openai};
use crate::{Message, Role, Usage, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::AnthropicMessages,
    is_request,
    is_response,
    is_item,
    read_request,
    read_response,
    fold,
};

const OPERATION: &str = "chat";

/// Fields that `OpenAI`'s chat requests have and these do not.
const FOREIGN_FIELDS: [&str; 12] = [
    "n",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "response_format",
    "max_completion_tokens",
    "stream_options",
    "logprobs",
    "logit_bias",
    "seed",
    "functions",
    "reasoning_effort",
];

/// Fields that these requests have and `OpenAI`'s chat requests do not.
const OWN_FIELDS: [&str; 6] =
    ["system", "stop_sequences", "thinking", "anthropic_version", "output_config", "context_management"];

fn is_request(body: &Value) -> bool {
    let is_message = |message: &Value| {
        let is_content = |content: &Value| {
            content.is_string()
                || content.as_array().is_some_and(|parts| parts.iter().all(|part| has(part, "type")))
        };
        matches!(text(message, "role"), Some("user" | "assistant"))
            && message.get("content").is_some_and(is_content)
            && !has_any(message, &["tool_calls", "function_call"])
    };
    let has_own_part = |message: &Value| {
        let is_own = |part: &Value| {
            matches!(text(part, "type"), Some("tool_use" | "tool_result" | "thinking" | "document"))
                || object(part, "source").is_some()
        };
        list(message, "content").iter().any(is_own)
    };
    let messages = list(body, "messages");
    let is_shape = text(body, "model").is_some()
        && count(body, "max_tokens").is_some()
        && !messages.is_empty()
        && messages.iter().all(is_message)
        && !has_any(body, &FOREIGN_FIELDS)
        && !list(body, "tools").iter().any(|tool| has(tool, "function"));
    is_shape
        && (has_any(body, &OWN_FIELDS)
            || text(body, "model").is_some_and(is_own_model)
            || list(body, "tools").iter().any(|tool| has(tool, "input_schema"))
            || messages.iter().any(has_own_part))
}

fn is_response(body: &Value) -> bool {
    let content = body.get("content").and_then(Value::as_array);
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let is_message = || {
        text(body, "role") == Some("assistant")
            && content.is_some_and(|parts| parts.iter().all(|part| text(part, "type").is_some()))
            && (text(body, "type") == Some("message")
                || has(body, "stop_reason")
                || count(usage, "input_tokens").is_some())
            && has_any(body, &["id", "model"])
    };
    let is_error = || {
        text(body, "type") == Some("error")
            && ApiError::is_body(body)
            && !has_any(body, &["sequence_number", "event_id"])
    };
    let is_reduced = || {
        let states_cache = has_any(usage, &["cache_read_input_tokens", "cache_creation_input_tokens"]);
        !has_any(body, &["content", "choices", "output"])
            && text(body, "model").is_some_and(|model| states_cache || is_own_model(model))
            && count(usage, "input_tokens").is_some()
            && !has(usage, "total_tokens")
    };
    is_message() || is_error() || is_reduced()
}

fn is_item(item: &Value) -> bool {
    match text(item, "type") {
        Some("message_start") => object(item, "message").is_some(),
        Some("content_block_start" | "content_block_delta" | "content_block_stop") => {
            count(item, "index").is_some()
        }
        Some("message_delta") => object(item, "delta").is_some(),
        Some("message_stop" | "ping") => true,
        _ => false,
    }
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.provider = provider(body.get("model"), None);
    exchange.system = blocks(body.get("system"));
    let message = |message: &Value| {
        Message::new(text(message, "role").map_or(Role::User, Role::from), blocks(message.get("content")))
    };
    exchange.input = list(body, "messages").iter().map(message).collect();
    exchange.tools = tools(list(body, "tools"));
    let parameters = &mut exchange.parameters;
    float_parameter(parameters, semconv::REQUEST_TEMPERATURE, body, "temperature");
    float_parameter(parameters, semconv::REQUEST_TOP_P, body, "top_p");
    int_parameter(parameters, semconv::REQUEST_TOP_K, body, "top_k");
    int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, body, "max_tokens");
    stop_parameter(parameters, body, "stop_sequences");
    text_parameter(parameters, semconv::REQUEST_SERVICE_TIER, body, "service_tier");
    if let Some(config) = object(body, "output_config") {
        text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, config, "effort");
    }
    openai::thinking(parameters, body);
    let config = body.get("output_config").unwrap_or(&Value::Null);
    let format = object(config, "format").or_else(|| object(body, "output_format"));
    if let Some(kind) = format.and_then(openai::output_type) {
        parameters.set(semconv::OUTPUT_TYPE, kind);
    }
    stream_parameter(parameters, body);
}

fn tools(tools: &[Value]) -> Option<Value> {
    let definition = |tool: &Value| match text(tool, "type") {
        None | Some("custom") => openai::function_definition(tool, "input_schema"),
        Some(_) => openai::provided_tool(tool),
    };
    (!tools.is_empty()).then(|| tools.iter().map(definition).collect())
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_id = owned(body, "id");
    exchange.response_model = owned(body, "model");
    exchange.provider = provider(body.get("model"), text(body, "id"));
    if let Some(stated) = object(body, "usage") {
        exchange.usage = usage(stated);
        exchange.service_tier = owned(stated, "service_tier");
        text_parameter(&mut exchange.attributes, semconv::SPEED, stated, "speed");
        if text(stated, "inference_geo") != Some("not_available") {
            text_parameter(&mut exchange.attributes, semconv::INFERENCE_GEO, stated, "inference_geo");
        }
        let others = other_models(stated, body.get("model"));
        if !others.is_empty() {
            exchange.attributes.set(semconv::USAGE_OTHER_MODELS, others);
        }
    }
    let reason = text(body, "stop_reason");
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    if has(body, "content") {
        let mut message = Message::new(Role::Assistant, blocks(body.get("content")));
        message.finish_reason = reason.map(|reason| finish_word(reason).to_owned());
        exchange.output = vec![message];
    }
}

/// The reason in the words of the conventions; Bedrock took these over.
pub(super) fn finish_word(reason: &str) -> &str {
    match reason {
        "end_turn" | "stop_sequence" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_call",
        "refusal" => "content_filter",
        other => other,
    }
}

/// Who serves the shape: the response's id and the model's name show where it is not Anthropic itself.
fn provider(model: Option<&Value>, id: Option<&str>) -> Option<Cow<'static, str>> {
    let id = id.unwrap_or_default();
    let model = model.and_then(Value::as_str);
    let name = if id.starts_with("msg_bdrk_") {
        bedrock_converse::PROVIDER
    } else if id.starts_with("msg_vrtx_") {
        gemini::VERTEX
    } else if model.is_none_or(is_own_model) {
        "anthropic"
    } else {
        return None;
    };
    Some(Cow::Borrowed(name))
}

fn is_own_model(model: &str) -> bool {
    model.starts_with("claude")
}

/// Counts of the whole call. The stated input leaves out what was read from and written to the cache; the stated
/// totals leave out what compaction and advisors took, which stands in `iterations` with everything else.
fn usage(stated: &Value) -> Usage {
    let iterations = list(stated, "iterations");
    let is_known =
        |row: &Value| count(row, "input_tokens").is_some() && count(row, "output_tokens").is_some();
    let is_more = iterations.iter().any(|row| text(row, "type").is_some_and(|kind| kind != "message"));
    let rows =
        if is_more && iterations.iter().all(is_known) { iterations } else { std::slice::from_ref(stated) };
    let sum = |of: &dyn Fn(&Value) -> Option<u64>| rows.iter().filter_map(of).reduce(u64::saturating_add);
    let thinking =
        |row: &Value| row.get("output_tokens_details").and_then(|details| count(details, "thinking_tokens"));
    let read = |row: &Value| count(row, "cache_read_input_tokens");
    let input = |row: &Value| {
        let beside = read(row).unwrap_or(0).saturating_add(written(row).unwrap_or(0));
        Some(count(row, "input_tokens")?.saturating_add(beside))
    };
    let mut usage = Usage {
        input_tokens: sum(&input),
        output_tokens: sum(&|row| count(row, "output_tokens")),
        cache_read_tokens: sum(&read),
        cache_write_tokens: sum(&written),
        cache_write_5m_tokens: sum(&|row| written_for(row, "ephemeral_5m_input_tokens")),
        cache_write_1h_tokens: sum(&|row| written_for(row, "ephemeral_1h_input_tokens")),
        reasoning_tokens: sum(&thinking).or_else(|| thinking(stated)),
        web_searches: stated.get("server_tool_use").and_then(|tools| count(tools, "web_search_requests")),
        ..Usage::default()
    };
    usage.status = usage.stated_status();
    usage.checked()
}

fn written(row: &Value) -> Option<u64> {
    count(row, "cache_creation_input_tokens").or_else(|| {
        let short = written_for(row, "ephemeral_5m_input_tokens");
        let long = written_for(row, "ephemeral_1h_input_tokens");
        short.into_iter().chain(long).reduce(u64::saturating_add)
    })
}

fn written_for(row: &Value, lifetime: &str) -> Option<u64> {
    row.get("cache_creation").and_then(|split| count(split, lifetime))
}

/// Models besides the answering one whose tokens are in the counts.
fn other_models(stated: &Value, model: Option<&Value>) -> Vec<String> {
    let mut others = Vec::new();
    for row in list(stated, "iterations") {
        let other = owned(row, "model").filter(|other| model.and_then(Value::as_str) != Some(other));
        others.extend(other.filter(|other| !others.contains(other)));
    }
    others
}

fn fold(event: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    match text(event, "type") {
        Some("message_start") => {
            let message = event.get("message").unwrap_or(&Value::Null);
            for key in ["id", "type", "role", "model", "stop_reason"] {
                room.set(body, key, message);
            }
            room.overlay(child(body, "usage"), message.get("usage").unwrap_or(&Value::Null));
        }
        Some("content_block_start") => {
            let started = event.get("content_block").unwrap_or(&Value::Null);
            if let Some(place) = room.at(child(body, "content"), count(event, "index").unwrap_or_default()) {
                room.overlay(place, started);
            }
            *content |= text(started, "type") == Some("tool_use") || has_text(started);
        }
        Some("content_block_delta") => {
            let delta = event.get("delta").unwrap_or(&Value::Null);
            if let Some(place) = room.at(child(body, "content"), count(event, "index").unwrap_or_default()) {
                *content |= fold_delta(place, delta, room);
            }
        }
        Some("message_delta") => {
            let usage = event.get("usage").unwrap_or(&Value::Null);
            room.overlay(child(body, "usage"), usage);
            let delta = event.get("delta").unwrap_or(&Value::Null);
            room.set(body, "stop_reason", delta);
            // The counts are cumulative: with the reason to stop they are final.
            *ended |= has(delta, "stop_reason") && count(usage, "output_tokens").is_some();
        }
        Some("message_stop") => *ended = true,
        _ => {}
    }
}

fn has_text(block: &Value) -> bool {
    text(block, "text").is_some() || text(block, "thinking").is_some()
}

/// Lays a delta over a block and says whether it is content.
fn fold_delta(block: &mut Value, delta: &Value, room: &mut Room) -> bool {
    let (kind, key, field) = match text(delta, "type") {
        Some("text_delta") => ("text", "text", "text"),
        Some("thinking_delta") => ("thinking", "thinking", "thinking"),
        Some("input_json_delta") => ("tool_use", "partial_json", "partial_json"),
        Some("compaction_delta") => ("compaction", "content", "content"),
        _ => return false,
    };
    if !has(block, "type") {
        *child(block, "type") = kind.into();
    }
    let Some(piece) = text(delta, field) else { return false };
    room.append(child(block, key), piece);
    true
}

#[cfg(test)]
mod tests;
