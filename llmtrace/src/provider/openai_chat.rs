//! `OpenAI` chat completions, as spoken by `OpenAI` and by many others
//! (<https://platform.openai.com/docs/api-reference/chat>).

use serde_json::Value;

use super::json::{
    count, has, has_any, int_parameter, is_bare, list, media, modality, object, other, owned, stop_parameter,
    stream_parameter, text, text_parameter, tool_call,
};
use super::openai::{self, UsageNames};
use super::openai_chat_stream::fold;
use super::openai_served::read_common;
use super::{Api, ApiError, Exchange, Shape, llamacpp_completion};
use crate::message::OMITTED_BYTES;
use crate::{Message, Part, Role, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::OpenAiChat, is_request, is_response, is_item, read_request, read_response, fold };

pub(super) const USAGE: UsageNames = UsageNames {
    input: "prompt_tokens",
    output: "completion_tokens",
    input_details: "prompt_tokens_details",
    output_details: "completion_tokens_details",
};

const OPERATION: &str = "chat";

fn is_request(body: &Value) -> bool {
    let is_message = |message: &Value| {
        matches!(
            text(message, "role"),
            Some("system" | "developer" | "user" | "assistant" | "tool" | "function")
        ) && has_any(message, &["content", "tool_calls", "function_call", "refusal", "audio"])
    };
    let messages = list(body, "messages");
    text(body, "model").is_some() && !messages.is_empty() && messages.iter().all(is_message)
}

fn is_response(body: &Value) -> bool {
    let is_choice = |choice: &Value| {
        object(choice, "message").is_some_and(|message| {
            has_any(message, &["role", "content", "tool_calls", "function_call", "reasoning_content"])
        })
    };
    let kind = text(body, "object");
    let choices = list(body, "choices");
    // An answer may hold nothing but what it cost; of a stream it would be a chunk.
    let is_counted = || {
        body.get("usage").is_some_and(|usage| {
            count(usage, USAGE.input).is_some() && count(usage, USAGE.output).is_some() && !has(body, "data")
        })
    };
    let is_empty = || is_bare(body, "choices") && kind != Some("chat.completion.chunk");
    (kind == Some("chat.completion") || text(body, "model").is_some())
        && (!choices.is_empty() && choices.iter().all(is_choice) || is_empty() && is_counted())
}

fn is_item(item: &Value) -> bool {
    let is_choice = |choice: &Value| object(choice, "delta").is_some();
    let choices = list(item, "choices");
    text(item, "object") == Some("chat.completion.chunk")
        || !choices.is_empty() && choices.iter().all(is_choice)
        || item.get("choices").is_some_and(|choices| choices == &Value::Array(Vec::new()))
            && has_any(item, &["usage", "prompt_filter_results"])
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.input = list(body, "messages").iter().map(message).collect();
    let functions: Vec<Value> = list(body, "functions")
        .iter()
        .map(|function| openai::function_definition(function, "parameters"))
        .collect();
    exchange.tools =
        openai::tools(list(body, "tools")).or((!functions.is_empty()).then_some(Value::Array(functions)));
    let parameters = &mut exchange.parameters;
    openai::sampling(parameters, body);
    for key in ["max_tokens", "max_completion_tokens"] {
        int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, body, key);
    }
    int_parameter(parameters, semconv::REQUEST_SEED, body, "seed");
    openai::choice_count(parameters, body);
    stop_parameter(parameters, body, "stop");
    text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, body, "reasoning_effort");
    if let Some(reasoning) = body.get("reasoning") {
        text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, reasoning, "effort");
    }
    openai::thinking(parameters, body);
    text_parameter(parameters, semconv::OPENAI_REQUEST_SERVICE_TIER, body, "service_tier");
    let speaks = list(body, "modalities").iter().any(|modality| modality == "audio");
    let format = body.get("response_format").and_then(openai::output_type);
    if let Some(kind) = if speaks { Some("speech") } else { format } {
        parameters.set(semconv::OUTPUT_TYPE, kind);
    }
    stream_parameter(parameters, body);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    read_choices(body, exchange, |choice| message(choice.get("message").unwrap_or(&Value::Null)));
}

/// Reads a response that is made of choices, of which each holds a `message`.
pub(super) fn read_choices(body: &Value, exchange: &mut Exchange, message: impl Fn(&Value) -> Message) {
    read_common(body, exchange);
    if let Some(usage) = body.get("usage") {
        exchange.usage = openai::usage(usage, &USAGE);
    }
    llamacpp_completion::read_timings(body, exchange);
    for choice in list(body, "choices") {
        let mut message = message(choice);
        if let Some(reason) = text(choice, "finish_reason") {
            message = message.with_finish_reason(openai::finish_word(reason));
            exchange.finish_reasons.push(reason.to_owned());
        }
        exchange.output.push(message);
        // OpenRouter answers with the choice in which the provider failed.
        if let Some(error) = ApiError::read(choice).filter(|_| has(choice, "error")) {
            exchange.error.get_or_insert(error);
        }
    }
}

/// One message of the conversation or of the answer.
pub(super) fn message(message: &Value) -> Message {
    let role = text(message, "role").map_or(Role::Assistant, Role::from);
    if role == Role::Tool {
        let response = message.get("content").cloned().unwrap_or_default();
        let id = owned(message, "tool_call_id").or_else(|| owned(message, "name"));
        return Message::new(role, vec![Part::ToolCallResponse { id, response }]);
    }
    let mut parts = Vec::new();
    let reasoning = text(message, "reasoning_content").or_else(|| text(message, "reasoning"));
    let details = || {
        let texts = list(message, "reasoning_details").iter();
        let shown = texts.filter_map(|detail| text(detail, "text").or_else(|| text(detail, "summary")));
        Some(shown.collect::<String>()).filter(|shown| !shown.is_empty())
    };
    parts.extend(reasoning.map(str::to_owned).or_else(details).map(Part::reasoning));
    match message.get("content") {
        Some(Value::String(content)) if !content.is_empty() => parts.push(Part::text(content)),
        Some(Value::Array(content)) => parts.extend(content.iter().map(part)),
        _ => {}
    }
    parts.extend(text(message, "refusal").map(refusal));
    for call in list(message, "tool_calls") {
        parts.push(called(call));
    }
    if let Some(call) = object(message, "function_call") {
        parts.push(tool_call(None, text(call, "name").unwrap_or_default(), call.get("arguments")));
    }
    if let Some(audio) = object(message, "audio") {
        parts.extend(text(audio, "transcript").map(Part::text));
        let blob =
            |data: &str| Part::Blob { mime_type: None, modality: "audio".into(), content: data.to_owned() };
        parts.extend(match count(audio, OMITTED_BYTES) {
            Some(bytes) => Some(Part::omitted_blob(None, "audio", bytes)),
            None => text(audio, "data").map(blob),
        });
    }
    let mut read = Message::new(role, parts);
    read.name = owned(message, "name");
    read
}

/// One entry of `tool_calls`: a function, or a custom tool that takes text.
fn called(call: &Value) -> Part {
    let (tool, arguments) = match object(call, "custom") {
        Some(custom) => (custom, "input"),
        None => (call.get("function").unwrap_or(&Value::Null), "arguments"),
    };
    tool_call(owned(call, "id"), text(tool, "name").unwrap_or_default(), tool.get(arguments))
}

/// A refusal; the conventions have no part for it.
pub(super) fn refusal(content: &str) -> Part {
    Part::Other(serde_json::json!({"type": "refusal", "content": content}))
}

fn part(part: &Value) -> Part {
    let read = match text(part, "type") {
        Some("text") => part.get("text").and_then(Value::as_str).map(Part::text),
        Some("refusal") => text(part, "refusal").map(refusal),
        Some("thinking") => Some(Part::reasoning(joined(part.get("thinking")))),
        Some("image_url") => {
            let image = part.get("image_url").unwrap_or(&Value::Null);
            image.as_str().or_else(|| text(image, "url")).map(|url| media(url, "image"))
        }
        Some("input_audio") => part.get("input_audio").and_then(audio),
        Some("file") => part.get("file").and_then(file),
        _ => None,
    };
    read.unwrap_or_else(|| other(part))
}

/// The audio of an `input_audio` part.
pub(super) fn audio(audio: &Value) -> Option<Part> {
    let mime_type = text(audio, "format").map(|format| format!("audio/{format}"));
    Some(Part::Blob { mime_type, modality: "audio".into(), content: owned(audio, "data")? })
}

/// The file of a `file` or an `input_file` part.
pub(super) fn file(file: &Value) -> Option<Part> {
    if let Some(file_id) = owned(file, "file_id") {
        return Some(Part::File { mime_type: None, modality: "document".into(), file_id });
    }
    let url = text(file, "file_data").or_else(|| text(file, "file_url"))?;
    let mime_type = url.strip_prefix("data:").unwrap_or_default();
    Some(media(url, modality(mime_type)))
}

/// The texts of a list of text parts, or the text itself.
pub(super) fn joined(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| text(part, "text")).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
