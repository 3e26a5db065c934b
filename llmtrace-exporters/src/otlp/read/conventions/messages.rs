//! Messages in whatever shape a sender has them.

use llmtrace::provider::{self, Api};
use llmtrace::{Message, Part, Role, Value};
use serde_json::{Value as Json, json};

use crate::otlp::read::room::Room;

/// The messages of an attribute: in the conventions' shape or in a provider's, as JSON or as text. Any other text is one
/// message of `role`.
pub(super) fn of_value(value: &Value, role: Role, room: &mut Room) -> Option<Vec<Message>> {
    match value {
        Value::Json(json) => of_json(json),
        Value::Str(text) => match room.parse(text) {
            Some(json) => of_json(&json).or_else(|| Some(vec![Message::new(role, vec![json_part(&json)])])),
            None => Some(vec![Message::new(role, vec![Part::text(text.to_string())])]),
        },
        _ => None,
    }
}

/// A value that is no message, as our own records have it.
pub(super) fn json_part(json: &Json) -> Part {
    Part::Other(json!({"type": "json", "content": json}))
}

/// The messages that a JSON value is, in the conventions' shape or in a provider's.
pub(super) fn of_json(json: &Json) -> Option<Vec<Message>> {
    let items = match json {
        Json::Array(items) => items.as_slice(),
        Json::Object(members) => match members.get("messages") {
            Some(Json::Array(items)) => items.as_slice(),
            _ if members.contains_key("role") => std::slice::from_ref(json),
            _ => return None,
        },
        _ => return None,
    };
    let has = |name: &str| items.iter().all(|item| item.get(name).is_some());
    let first = items.first()?;
    if !items.iter().all(Json::is_object) {
        return None;
    }
    if !has("role") {
        return if first.get("type").is_some_and(|kind| LANGCHAIN.iter().any(|(name, _)| kind == name)) {
            langchain(items)
        } else if items.iter().all(is_response_item) {
            some(provider::read_request_as(Api::OpenAiResponses, &json!({"input": items})).input)
        } else {
            None
        };
    }
    if has("parts") {
        let mut parts = items.iter().filter_map(|item| item.get("parts")?.as_array()).flatten();
        let is_gemini =
            |part: &Json| part.get("type").is_none() && GEMINI.iter().any(|name| part.get(name).is_some());
        return if parts.clone().next().is_some() && parts.all(is_gemini) {
            some(provider::read_request_as(Api::GeminiGenerate, &json!({"contents": items})).input)
        } else {
            items.iter().map(|item| serde_json::from_value(item.clone()).ok()).collect()
        };
    }
    if !items.iter().any(|item| item.get("content").is_some() || item.get("tool_calls").is_some()) {
        return None;
    }
    let blocks = || items.iter().filter_map(|item| item.get("content")?.as_array()).flatten();
    let of_kind = |kinds: &[&str]| {
        blocks()
            .any(|block| block.get("type").and_then(Json::as_str).is_some_and(|kind| kinds.contains(&kind)))
    };
    let (api, body) = if of_kind(&["tool-call", "tool-result", "reasoning"]) {
        return Some(items.iter().map(vercel).collect());
    } else if of_kind(&["tool_use", "tool_result", "thinking"]) {
        (Api::AnthropicMessages, "messages")
    } else if of_kind(&["input_text", "output_text", "input_image"]) {
        (Api::OpenAiResponses, "input")
    } else {
        (Api::OpenAiChat, "messages")
    };
    some(provider::read_request_as(api, &json!({ body: items })).input)
}

fn some(messages: Vec<Message>) -> Option<Vec<Message>> {
    (!messages.is_empty()).then_some(messages)
}

/// What parts of Google's messages have instead of a type.
const GEMINI: [&str; 5] = ["text", "functionCall", "functionResponse", "inlineData", "fileData"];

/// Whether an object is an item of `OpenAI`'s Responses.
fn is_response_item(item: &Json) -> bool {
    const KINDS: [&str; 4] = ["message", "function_call", "function_call_output", "reasoning"];
    let kind = item.get("type").and_then(Json::as_str);
    kind.is_some_and(|kind| KINDS.contains(&kind)) || item.get("role").is_some()
}

/// What messages of `LangChain` have instead of a role, and the role.
const LANGCHAIN: [(&str, &str); 4] =
    [("human", "user"), ("ai", "assistant"), ("system", "system"), ("tool", "tool")];

fn langchain(items: &[Json]) -> Option<Vec<Message>> {
    let message = |item: &Json| {
        let kind = item.get("type")?.as_str()?;
        let (_, role) = LANGCHAIN.iter().find(|(name, _)| *name == kind)?;
        let mut message = item.as_object()?.clone();
        message.insert("role".to_owned(), (*role).into());
        let calls = item.get("tool_calls").and_then(Json::as_array).cloned().unwrap_or_default();
        let calls = calls.into_iter().map(|call| {
            json!({"id": call.get("id"), "type": "function", "function": {
                "name": call.get("name"), "arguments": call.get("args").map(Json::to_string),
            }})
        });
        message.insert("tool_calls".to_owned(), calls.collect());
        Some(Json::Object(message))
    };
    let messages = items.iter().map(message).collect::<Option<Vec<_>>>()?;
    some(provider::read_request_as(Api::OpenAiChat, &json!({ "messages": messages })).input)
}

/// A message of the Vercel AI SDK.
fn vercel(item: &Json) -> Message {
    let role = item.get("role").and_then(Json::as_str).map_or(Role::User, Role::from);
    let parts = match item.get("content") {
        Some(Json::Array(blocks)) => blocks.iter().map(vercel_part).collect(),
        Some(Json::String(text)) => vec![Part::text(text.as_str())],
        _ => Vec::new(),
    };
    Message::new(role, parts)
}

fn vercel_part(block: &Json) -> Part {
    let text = |name: &str| block.get(name).and_then(Json::as_str);
    match (text("type"), text("text")) {
        (Some("text"), Some(content)) => Part::text(content),
        (Some("reasoning"), Some(content)) => Part::reasoning(content),
        (Some("tool-call"), _) => super::vercel::call(block),
        (Some("tool-result"), _) => {
            let output = block.get("output").or_else(|| block.get("result")).cloned().unwrap_or_default();
            let typed = output.get("type").and(output.get("value")).cloned();
            let id = text("toolCallId").map(str::to_owned);
            Part::ToolCallResponse { id, response: typed.unwrap_or(output) }
        }
        _ => Part::Other(block.clone()),
    }
}
