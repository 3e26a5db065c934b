//! The steps and contents of Google's Interactions, as messages.

use serde_json::{Value, json};

use super::json::{list, modality, object, other, owned, server_tool_call, text};
use crate::{Message, Part, Role};

/// The `input` of a request: a text, contents, turns, or steps of earlier interactions.
pub(super) fn input(input: &Value) -> Vec<Message> {
    let elements = match input {
        Value::String(text) => return vec![Message::user(text)],
        Value::Array(elements) => elements.as_slice(),
        Value::Object(_) => std::slice::from_ref(input),
        _ => return Vec::new(),
    };
    let mut messages: Vec<Message> = Vec::new();
    for element in elements {
        let (role, mut parts) = speaker(element);
        match messages.last_mut().filter(|last| last.role == role) {
            Some(last) => last.parts.append(&mut parts),
            None => messages.push(Message::new(role, parts)),
        }
    }
    messages
}

/// The steps of a response: the one message that the model wrote.
pub(super) fn output(steps: &[Value]) -> Message {
    let own = steps.iter().filter(|step| !matches!(text(step, "type"), Some("user_input")));
    Message::new(Role::Assistant, own.flat_map(parts).collect())
}

fn speaker(element: &Value) -> (Role, Vec<Part>) {
    if let Some(role) = text(element, "role") {
        let role = if role == "model" { Role::Assistant } else { Role::from(role) };
        return (role, contents(element.get("content")));
    }
    let role = match text(element, "type").unwrap_or_default() {
        "function_result" => Role::Tool,
        "thought" | "model_output" => Role::Assistant,
        kind if kind.ends_with("_call") || kind.ends_with("_result") => Role::Assistant,
        _ => Role::User,
    };
    (role, parts(element))
}

fn contents(content: Option<&Value>) -> Vec<Part> {
    match content {
        Some(Value::String(text)) if !text.is_empty() => vec![Part::text(text)],
        Some(Value::Array(contents)) => contents.iter().flat_map(parts).collect(),
        _ => Vec::new(),
    }
}

/// The parts of a step or of a content.
fn parts(step: &Value) -> Vec<Part> {
    let kind = text(step, "type").unwrap_or_default();
    match kind {
        "text" => step.get("text").and_then(Value::as_str).map(Part::text).into_iter().collect(),
        "user_input" | "model_output" => contents(step.get("content")),
        "thought" => {
            let texts = list(step, "summary").iter().filter_map(|part| text(part, "text"));
            texts.map(Part::reasoning).collect()
        }
        "function_call" => vec![called(step)],
        "function_result" => {
            let response = step.get("result").cloned().unwrap_or_default();
            vec![Part::ToolCallResponse { id: owned(step, "call_id"), response }]
        }
        "image" | "audio" | "video" | "document" => vec![media(step, kind).unwrap_or_else(|| other(step))],
        _ => match (kind.strip_suffix("_call"), kind.strip_suffix("_result")) {
            (Some(tool), _) => {
                let details = [("arguments", step.get("arguments"))];
                vec![server_tool_call(text(step, "id"), tool, tool, &details)]
            }
            (_, Some(tool)) => vec![Part::Other(json!({
                "type": "server_tool_call_response",
                "id": step.get("call_id"),
                "server_tool_call_response": {"type": tool, "result": step.get("result")},
            }))],
            _ => vec![other(step)],
        },
    }
}

/// A function call; the arguments of a stream came as pieces of text.
fn called(call: &Value) -> Part {
    let (id, name) = (owned(call, "id"), text(call, "name").unwrap_or_default());
    if let Some(pieces) = text(call, "partial_arguments") {
        return Part::tool_call(id, name, pieces);
    }
    let arguments = object(call, "arguments").cloned().unwrap_or_else(|| json!({}));
    Part::ToolCall { id, name: name.to_owned(), arguments }
}

fn media(content: &Value, kind: &str) -> Option<Part> {
    let mime_type = owned(content, "mime_type");
    let modality = mime_type.as_deref().map_or(kind, |mime_type| modality(mime_type)).to_owned();
    if let Some(data) = owned(content, "data") {
        return Some(Part::Blob { mime_type, modality, content: data });
    }
    Some(Part::Uri { mime_type, modality, uri: owned(content, "uri")? })
}
