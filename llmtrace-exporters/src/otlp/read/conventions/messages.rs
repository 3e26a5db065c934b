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
            Some(json) => of_json(&json).or_else(|| Some(vec![Message::new(role, vec![json_part(json)])])),
            None => Some(vec![Message::new(role, vec![Part::text(text.to_string())])]),
        },
        _ => None,
    }
}

/// A value that is no message, as our own records have it.
pub(super) fn json_part(json: Json) -> Part {
    Part::Other(json!({"type": "json", "content": json}))
}

/// What parts of Google's messages have instead of a type.
const GEMINI: [&str; 5] = ["text", "functionCall", "functionResponse", "inlineData", "fileData"];

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
    if !first.is_object() || !has("role") {
        return None;
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
    some(provider::read_request_as(Api::OpenAiChat, &json!({"messages": items})).input)
}

fn some(messages: Vec<Message>) -> Option<Vec<Message>> {
    (!messages.is_empty()).then_some(messages)
}
