//! The contents of Google's `generateContent`, as messages.

use serde_json::{Map, Value, json};

use super::gemini::{field, list_of, object_of, text_of};
use super::json::{modality, owned, server_tool_call, text};
use crate::{Message, Part, Role};

/// What a tool call is called that the provider ran as code.
const CODE_EXECUTION: &str = "code_execution";

/// Fields of a part that say something about its content and are none themselves.
const ASIDES: [&str; 5] = ["thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"];

/// A content: an object with a role and parts, or a text.
pub(super) fn message(content: &Value, default: Role) -> Message {
    let parts = parts(content);
    let is_answer = |part: &Part| matches!(part, Part::ToolCallResponse { .. });
    let role = match content.get("role").and_then(Value::as_str) {
        Some("function") => Role::Tool,
        _ if !parts.is_empty() && parts.iter().all(is_answer) => Role::Tool,
        Some("model") => Role::Assistant,
        Some(role) if !role.is_empty() => Role::from(role),
        _ => default,
    };
    Message::new(role, parts)
}

/// The parts of a content, of a list of parts, or of a text.
pub(super) fn parts(content: &Value) -> Vec<Part> {
    match content {
        Value::String(text) if !text.is_empty() => vec![Part::text(text)],
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        _ => list_of(content, "parts").iter().filter_map(part).collect(),
    }
}

/// Whether a part is the model's reasoning.
pub(super) fn is_thought(part: &Value) -> bool {
    part.get("thought").and_then(Value::as_bool) == Some(true)
}

fn part(part: &Value) -> Option<Part> {
    if let Some(content) = part.as_str().or_else(|| part.get("text").and_then(Value::as_str)) {
        let read = if is_thought(part) { Part::reasoning(content) } else { Part::text(content) };
        // An empty text carries a signature and nothing else.
        return (!content.is_empty()).then_some(read);
    }
    let read = object_of(part, "functionCall")
        .map(called)
        .or_else(|| object_of(part, "functionResponse").map(answered))
        .or_else(|| object_of(part, "inlineData").and_then(inline))
        .or_else(|| object_of(part, "fileData").and_then(file))
        .or_else(|| object_of(part, "executableCode").map(code))
        .or_else(|| object_of(part, "codeExecutionResult").map(code_result))
        .or_else(|| object_of(part, "toolCall").map(server_call))
        .or_else(|| object_of(part, "toolResponse").map(server_result));
    read.or_else(|| other(part))
}

fn called(call: &Value) -> Part {
    Part::ToolCall {
        id: owned(call, "id"),
        name: owned(call, "name").unwrap_or_default(),
        arguments: field(call, "args").cloned().unwrap_or_else(|| json!({})),
    }
}

/// An answer names its call by its id or, where it has none, by the function's name.
fn answered(answer: &Value) -> Part {
    let response = answer.get("response").cloned().unwrap_or_default();
    Part::ToolCallResponse { id: owned(answer, "id").or_else(|| owned(answer, "name")), response }
}

fn inline(data: &Value) -> Option<Part> {
    let mime_type = text_of(data, "mimeType").map(str::to_owned);
    let modality = mime_type.as_deref().map_or("document", modality).to_owned();
    Some(Part::Blob { mime_type, modality, content: owned(data, "data")? })
}

fn file(data: &Value) -> Option<Part> {
    let mime_type = text_of(data, "mimeType").map(str::to_owned);
    let modality = mime_type.as_deref().map_or("document", modality).to_owned();
    Some(Part::Uri { mime_type, modality, uri: text_of(data, "fileUri")?.to_owned() })
}

fn code(code: &Value) -> Part {
    let details = [("code", code.get("code")), ("language", code.get("language"))];
    server_tool_call(text(code, "id"), CODE_EXECUTION, CODE_EXECUTION, &details)
}

fn code_result(result: &Value) -> Part {
    answer(
        result,
        json!({"type": CODE_EXECUTION, "outcome": result.get("outcome"), "output": result.get("output")}),
    )
}

fn server_call(call: &Value) -> Part {
    let tool = tool_name(call);
    server_tool_call(text(call, "id"), &tool, &tool, &[("args", call.get("args"))])
}

fn server_result(result: &Value) -> Part {
    answer(result, json!({"type": tool_name(result), "response": result.get("response")}))
}

fn answer(result: &Value, response: Value) -> Part {
    let mut part = Map::from_iter([("type".to_owned(), json!("server_tool_call_response"))]);
    if let Some(id) = text(result, "id") {
        part.insert("id".to_owned(), id.into());
    }
    part.insert("server_tool_call_response".to_owned(), response);
    Part::Other(part.into())
}

fn tool_name(call: &Value) -> String {
    text_of(call, "toolType").unwrap_or("tool").to_ascii_lowercase()
}

/// A part of any other kind, under the name of its first field; one of asides only is none.
fn other(part: &Value) -> Option<Part> {
    let is_aside = |key: &str| ASIDES.iter().any(|aside| field(part, aside) == part.get(key));
    let (kind, content) = part.as_object()?.iter().find(|(key, value)| !value.is_null() && !is_aside(key))?;
    let fields = [("type".to_owned(), kind.as_str().into()), (kind.clone(), content.clone())];
    Some(Part::Other(Map::from_iter(fields).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_part_is_read_in_both_spellings() {
        let check = |part: Value, expected: Value| {
            let message = message(&json!({"role": "model", "parts": [part]}), Role::User);
            assert_eq!(message.role, Role::Assistant, "{part}");
            assert_eq!(serde_json::to_value(&message.parts).unwrap(), expected, "{part}");
        };
        check(json!({"text": "hi", "thought": null}), json!([{"type": "text", "content": "hi"}]));
        check(
            json!({"text": "hm", "thought": true, "thoughtSignature": "x"}),
            json!([{"type": "reasoning", "content": "hm"}]),
        );
        check(json!({"text": "", "thoughtSignature": "x"}), json!([]));
        check(json!({"thought_signature": "x", "thought": true}), json!([]));
        let call = json!([{"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}}]);
        check(json!({"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}}), call.clone());
        check(
            json!({"function_call": {"id": "1", "name": "f", "args": {"a": 1}}, "thought_signature": "x"}),
            call,
        );
        check(
            json!({"functionCall": {"name": "f"}}),
            json!([{"type": "tool_call", "name": "f", "arguments": {}}]),
        );
        let blob =
            json!([{"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AA=="}]);
        check(json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}}), blob.clone());
        check(json!({"inline_data": {"mime_type": "image/png", "data": "AA=="}}), blob);
        check(
            json!({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v.mp4"}}),
            json!([{"type": "uri", "mime_type": "video/mp4", "modality": "video", "uri": "gs://b/v.mp4"}]),
        );
        check(
            json!({"executableCode": {"language": "PYTHON", "code": "print(1)"}}),
            json!([{"type": "server_tool_call", "name": "code_execution", "server_tool_call":
                {"type": "code_execution", "code": "print(1)", "language": "PYTHON"}}]),
        );
        check(
            json!({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}),
            json!([{"type": "server_tool_call_response", "server_tool_call_response":
                {"type": "code_execution", "outcome": "OUTCOME_OK", "output": "1\n"}}]),
        );
        check(
            json!({"toolCall": {"toolType": "FILE_SEARCH", "id": "t"}, "thoughtSignature": "x"}),
            json!([{"type": "server_tool_call", "id": "t", "name": "file_search", "server_tool_call":
                {"type": "file_search"}}]),
        );
        check(
            json!({"hologram": {"depth": 3}, "thoughtSignature": "x"}),
            json!([{"type": "hologram", "hologram": {"depth": 3}}]),
        );
    }

    #[test]
    fn roles_are_the_conventions() {
        let check = |content: Value, role: Role| assert_eq!(message(&content, Role::User).role, role);
        let answer = json!({"functionResponse": {"name": "f", "response": {"result": 1}}});
        check(json!({"role": "user", "parts": [{"text": "hi"}]}), Role::User);
        check(json!({"parts": [{"text": "hi"}]}), Role::User);
        check(json!("hi"), Role::User);
        check(json!({"role": "model", "parts": [{"text": "hi"}]}), Role::Assistant);
        check(json!({"role": "user", "parts": [answer]}), Role::Tool);
        check(json!({"role": "function", "parts": [answer, {"text": "so"}]}), Role::Tool);
        check(json!({"role": "user", "parts": [answer, {"text": "so"}]}), Role::User);
        let read = message(&json!({"role": "user", "parts": [answer]}), Role::User);
        assert_eq!(
            read.parts,
            [Part::ToolCallResponse { id: Some("f".into()), response: json!({"result": 1}) }]
        );
    }
}
