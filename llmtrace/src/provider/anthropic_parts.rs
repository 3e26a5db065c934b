//! The content blocks of Anthropic messages, as parts of a message.

use serde_json::{Value, json};

use super::json::{modality, object, other, owned, server_tool_call, text};
use crate::Part;

/// The parts of a `content` or a `system` field: a text, or a list of blocks.
pub(super) fn blocks(content: Option<&Value>) -> Vec<Part> {
    match content {
        Some(Value::String(content)) if !content.is_empty() => vec![Part::text(content)],
        Some(Value::Array(blocks)) => blocks.iter().map(block).collect(),
        _ => Vec::new(),
    }
}

fn block(block: &Value) -> Part {
    let kind = text(block, "type").unwrap_or_default();
    let read = match kind {
        "text" => block.get("text").and_then(Value::as_str).map(Part::text),
        "thinking" => block.get("thinking").and_then(Value::as_str).map(Part::reasoning),
        "tool_use" => Some(Part::ToolCall {
            id: owned(block, "id"),
            name: text(block, "name").unwrap_or_default().to_owned(),
            arguments: arguments(block),
        }),
        "server_tool_use" | "mcp_tool_use" => {
            let name = text(block, "name").unwrap_or_default();
            let kind = if kind == "mcp_tool_use" { "mcp" } else { name };
            let details = [("input", Some(&arguments(block))), ("server_name", block.get("server_name"))];
            Some(server_tool_call(text(block, "id"), name, kind, &details))
        }
        "tool_result" => {
            let response = block.get("content").cloned().unwrap_or_default();
            Some(Part::ToolCallResponse { id: owned(block, "tool_use_id"), response })
        }
        "image" => object(block, "source").and_then(|source| media(source, Some("image"))),
        "document" => object(block, "source").and_then(|source| media(source, None)),
        _ => kind.strip_suffix("_tool_result").map(|tool| server_result(block, tool)),
    };
    read.unwrap_or_else(|| other(block))
}

/// The arguments of a tool call; those of a stream came as pieces of text.
fn arguments(block: &Value) -> Value {
    match text(block, "partial_json") {
        Some(pieces) => serde_json::from_str(pieces).unwrap_or_else(|_| pieces.into()),
        None => block.get("input").cloned().unwrap_or_else(|| json!({})),
    }
}

fn server_result(block: &Value, tool: &str) -> Part {
    Part::Other(json!({
        "type": "server_tool_call_response",
        "id": block.get("tool_use_id"),
        "server_tool_call_response": {"type": tool, "content": block.get("content")},
    }))
}

fn media(source: &Value, known: Option<&str>) -> Option<Part> {
    let mime_type = owned(source, "media_type");
    let modality = known.or(mime_type.as_deref().map(modality)).unwrap_or("document").to_owned();
    match text(source, "type")? {
        "base64" => Some(Part::Blob { mime_type, modality, content: owned(source, "data")? }),
        "url" => Some(Part::Uri { mime_type, modality, uri: owned(source, "url")? }),
        "file" => Some(Part::File { mime_type, modality, file_id: owned(source, "file_id")? }),
        "text" => owned(source, "data").map(Part::text),
        _ => None,
    }
}
