//! Amazon Bedrock Converse and `ConverseStream`
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).

use std::borrow::Cow;

use serde_json::{Value, json};

use super::bedrock_parts::blocks;
use super::fold::{Fold, Room, child};
use super::json::{
    count, float_parameter, has, has_any, int_parameter, list, object, owned, stop_parameter, text,
    text_parameter,
};
use super::{Api, Exchange, Shape, anthropic_messages, openai};
use crate::{Attributes, Message, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::BedrockConverse, is_request, is_response, is_item, read_request, read_response, fold };

pub(super) const PROVIDER: &str = "aws.bedrock";

const OPERATION: &str = "chat";

/// The kinds of content block.
const BLOCKS: [&str; 12] = [
    "text",
    "image",
    "document",
    "video",
    "audio",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "guardContent",
    "cachePoint",
    "citationsContent",
    "searchResult",
];

/// The events of a stream.
const EVENTS: [&str; 6] =
    ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];

fn is_request(body: &Value) -> bool {
    let is_block = |block: &Value| has_any(block, &BLOCKS) && !has(block, "type");
    let is_message = |message: &Value| {
        let content = list(message, "content");
        matches!(text(message, "role"), Some("user" | "assistant"))
            && !content.is_empty()
            && content.iter().all(is_block)
    };
    let messages = list(body, "messages");
    // With a version, it is the body of Nova's models.
    !has(body, "schemaVersion") && !messages.is_empty() && messages.iter().all(is_message)
}

pub(super) fn is_response(body: &Value) -> bool {
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let states_usage = count(usage, "inputTokens").is_some() && count(usage, "outputTokens").is_some();
    match body.get("output") {
        Some(output) => {
            let is_message = |message: &Value| message.get("content").is_some_and(Value::is_array);
            object(output, "message").is_some_and(is_message) && (states_usage || has(body, "stopReason"))
        }
        None => states_usage && object(body, "metrics").is_some_and(|metrics| has(metrics, "latencyMs")),
    }
}

pub(super) fn is_item(item: &Value) -> bool {
    let is_event = |name: &str| {
        let Some(event) = object(item, name) else { return false };
        match name {
            "messageStart" => has(event, "role"),
            "messageStop" => has(event, "stopReason"),
            "metadata" => has_any(event, &["usage", "metrics"]),
            _ => count(event, "contentBlockIndex").is_some(),
        }
    };
    EVENTS.iter().any(|name| is_event(name)) || exception(item).is_some()
}

/// The exception that a stream ends with, as the SDKs name it.
fn exception(item: &Value) -> Option<(&String, &Value)> {
    let mut fields = item.as_object()?.iter();
    let (kind, exception) = fields.next()?;
    let is_only = fields.next().is_none();
    (is_only && kind.ends_with("Exception") && exception.is_object()).then_some((kind, exception))
}

pub(super) fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.provider = Some(Cow::Borrowed(PROVIDER));
    exchange.request_model = owned(body, "modelId");
    exchange.system = blocks(list(body, "system"));
    let message = |message: &Value| {
        Message::new(text(message, "role").map_or(Role::User, Role::from), blocks(list(message, "content")))
    };
    exchange.input = list(body, "messages").iter().map(message).collect();
    exchange.tools = object(body, "toolConfig").and_then(|config| tools(list(config, "tools")));
    let parameters = &mut exchange.parameters;
    if let Some(config) = object(body, "inferenceConfig") {
        float_parameter(parameters, semconv::REQUEST_TEMPERATURE, config, "temperature");
        for key in ["topP", "top_p"] {
            float_parameter(parameters, semconv::REQUEST_TOP_P, config, key);
        }
        for key in ["maxTokens", "max_new_tokens"] {
            int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, config, key);
        }
        stop_parameter(parameters, config, "stopSequences");
        top_k(parameters, config);
    }
    if let Some(fields) = object(body, "additionalModelRequestFields") {
        top_k(parameters, fields);
        top_k(parameters, fields.get("inferenceConfig").unwrap_or(&Value::Null));
        text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, fields, "reasoning_effort");
        let config = fields.get("output_config").or_else(|| fields.get("reasoningConfig"));
        for key in ["effort", "maxReasoningEffort"] {
            text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, config.unwrap_or(&Value::Null), key);
        }
    }
    if let Some(tier) = object(body, "serviceTier") {
        text_parameter(parameters, semconv::REQUEST_SERVICE_TIER, tier, "type");
    }
    let format = object(body, "outputConfig").and_then(|config| object(config, "textFormat"));
    if let Some(kind) = format.and_then(openai::output_type) {
        parameters.set(semconv::OUTPUT_TYPE, kind);
    }
}

/// Models disagree on the name.
fn top_k(parameters: &mut Attributes, fields: &Value) {
    for key in ["top_k", "topK"] {
        int_parameter(parameters, semconv::REQUEST_TOP_K, fields, key);
    }
}

fn tools(tools: &[Value]) -> Option<Value> {
    let definition = |tool: &Value| {
        if let Some(spec) = object(tool, "toolSpec") {
            let mut function = spec.clone();
            *child(&mut function, "inputSchema") = spec.get("inputSchema")?.get("json")?.clone();
            return Some(openai::function_definition(&function, "inputSchema"));
        }
        let name = text(object(tool, "systemTool")?, "name")?;
        Some(json!({"type": "systemTool", "name": name}))
    };
    let tools: Vec<Value> = tools.iter().filter_map(definition).collect();
    (!tools.is_empty()).then_some(Value::Array(tools))
}

pub(super) fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.provider = Some(Cow::Borrowed(PROVIDER));
    if let Some(stated) = object(body, "usage") {
        exchange.usage = usage(stated);
    }
    exchange.service_tier = object(body, "serviceTier").and_then(|tier| owned(tier, "type"));
    if let Some(latency) = object(body, "performanceConfig").and_then(|config| text(config, "latency"))
        && latency != "standard"
    {
        exchange.attributes.set(semconv::SPEED, latency);
    }
    let reason = text(body, "stopReason");
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    if let Some(output) = object(body, "output").and_then(|output| object(output, "message")) {
        let mut message = Message::new(Role::Assistant, blocks(list(output, "content")));
        message.finish_reason = reason.map(|reason| finish_word(reason).to_owned());
        exchange.output = vec![message];
    }
}

pub(super) fn finish_word(reason: &str) -> &str {
    match reason {
        "guardrail_intervened" | "content_filtered" => "content_filter",
        "malformed_model_output" | "malformed_tool_use" => "error",
        other => anthropic_messages::finish_word(other),
    }
}

fn usage(stated: &Value) -> Usage {
    let either = |key: &str, older: &str| count(stated, key).or_else(|| count(stated, older));
    let written_for = |ttl: &str| {
        let details = list(stated, "cacheDetails").iter().filter(|row| text(row, "ttl") == Some(ttl));
        details.filter_map(|row| count(row, "inputTokens")).reduce(u64::saturating_add)
    };
    let (short, long) = (written_for("5m"), written_for("1h"));
    let written = short.into_iter().chain(long).reduce(u64::saturating_add);
    let mut usage = inclusive(
        count(stated, "inputTokens"),
        count(stated, "outputTokens"),
        either("cacheReadInputTokens", "cacheReadInputTokenCount"),
        either("cacheWriteInputTokens", "cacheWriteInputTokenCount").or(written),
    );
    usage.total_tokens = count(stated, "totalTokens");
    usage.cache_write_5m_tokens = short;
    usage.cache_write_1h_tokens = long;
    let is_more = usage.total_tokens.zip(usage.input_tokens.zip(usage.output_tokens));
    if is_more.is_some_and(|(total, (input, output))| total > input.saturating_add(output)) {
        // The total counts something that no part does.
        usage.status = UsageStatus::Partial;
    }
    usage.checked()
}

/// Counts whose stated input leaves out what was read from and written to the cache.
pub(super) fn inclusive(
    input: Option<u64>,
    output: Option<u64>,
    read: Option<u64>,
    written: Option<u64>,
) -> Usage {
    let beside = read.unwrap_or(0).saturating_add(written.unwrap_or(0));
    let mut usage = Usage {
        input_tokens: input.map(|input| input.saturating_add(beside)),
        output_tokens: output,
        cache_read_tokens: read,
        cache_write_tokens: written,
        ..Usage::default()
    };
    usage.status = usage.stated_status();
    usage
}

pub(super) fn fold(item: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    if let Some((kind, exception)) = exception(item) {
        *ended |= body.is_null();
        let error = child(body, "error");
        room.set(error, "message", exception);
        *child(error, "type") = kind.clone().into();
    }
    if let Some(start) = object(item, "messageStart") {
        room.set(child(child(body, "output"), "message"), "role", start);
    }
    if let Some(event) = object(item, "contentBlockStart")
        && let Some(start) = object(event, "start")
        && let Some(block) = block(body, event, room)
    {
        room.overlay(block, start);
        *content |= has(start, "toolUse");
    }
    if let Some(event) = object(item, "contentBlockDelta")
        && let Some(delta) = object(event, "delta")
        && let Some(block) = block(body, event, room)
    {
        *content |= fold_delta(block, delta, room);
    }
    if let Some(stop) = object(item, "messageStop") {
        room.set(body, "stopReason", stop);
    }
    if let Some(metadata) = object(item, "metadata") {
        for key in ["usage", "serviceTier", "performanceConfig"] {
            room.overlay(child(body, key), metadata.get(key).unwrap_or(&Value::Null));
        }
        *ended = true;
    }
}

/// The block that an event is about.
fn block<'a>(body: &'a mut Value, event: &Value, room: &mut Room) -> Option<&'a mut Value> {
    let content = child(child(child(body, "output"), "message"), "content");
    room.at(content, count(event, "contentBlockIndex").unwrap_or_default())
}

/// Lays a delta over a block and says whether it is content.
fn fold_delta(block: &mut Value, delta: &Value, room: &mut Room) -> bool {
    if let Some(piece) = text(delta, "text") {
        room.append(child(block, "text"), piece);
        return true;
    }
    if let Some(call) = object(delta, "toolUse") {
        if let Some(piece) = text(call, "input") {
            room.append(child(child(block, "toolUse"), "input"), piece);
        }
        return true;
    }
    if let Some(reasoning) = object(delta, "reasoningContent") {
        let whole = child(block, "reasoningContent");
        if let Some(redacted) = text(reasoning, "redactedContent") {
            room.append(child(whole, "redactedContent"), redacted);
        }
        let Some(piece) = text(reasoning, "text") else { return false };
        room.append(child(child(whole, "reasoningText"), "text"), piece);
        return true;
    }
    for piece in list(delta, "toolResult") {
        if let Some(piece) = room.copy(piece) {
            room.push(child(child(block, "toolResult"), "content"), piece);
        }
    }
    if let Some(image) = object(delta, "image") {
        room.overlay(child(block, "image"), image);
        return true;
    }
    false
}

#[cfg(test)]
mod tests;
