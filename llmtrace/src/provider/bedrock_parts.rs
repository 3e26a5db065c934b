//! The content blocks of Bedrock Converse, as parts of a message.

use serde_json::{Map, Value};

use super::json::{has, list, object, owned, server_tool_call, text, tool_call};
use crate::Part;

/// The parts of a `content` or a `system` field; markers of the cache are none.
pub(super) fn blocks(blocks: &[Value]) -> Vec<Part> {
    blocks.iter().filter(|block| !has(block, "cachePoint")).filter_map(block).collect()
}

/// A block is an object whose only field says its kind; what has none is no block.
fn block(block: &Value) -> Option<Part> {
    // A stream gives the block a place.
    let (kind, value) = block.as_object()?.iter().find(|(key, _)| *key != "index")?;
    let read = match kind.as_str() {
        "text" => value.as_str().map(Part::text),
        "reasoningContent" => object(value, "reasoningText")
            .and_then(|reasoning| reasoning.get("text")?.as_str())
            .map(Part::reasoning),
        "toolUse" => Some(called(value)),
        "toolResult" => {
            Some(Part::ToolCallResponse { id: owned(value, "toolUseId"), response: result(value) })
        }
        "guardContent" => guarded(value),
        "citationsContent" => Some(Part::text(joined(list(value, "content")))),
        "image" | "video" | "audio" | "document" => media(kind, value),
        _ => None,
    };
    Some(read.unwrap_or_else(|| {
        Part::Other(
            Map::from_iter([("type".to_owned(), kind.clone().into()), (kind.clone(), value.clone())]).into(),
        )
    }))
}

fn called(call: &Value) -> Part {
    let (id, name) = (owned(call, "toolUseId"), text(call, "name").unwrap_or_default());
    // The arguments of a stream came as pieces of text.
    let part = tool_call(id, name, call.get("input"));
    match part {
        Part::ToolCall { id, name, arguments } if text(call, "type") == Some("server_tool_use") => {
            server_tool_call(id.as_deref(), &name, &name, &[("input", Some(&arguments))])
        }
        part => part,
    }
}

/// What a tool returned: its text or its JSON where that is all, else the list of blocks.
fn result(result: &Value) -> Value {
    let content = list(result, "content");
    match content {
        [only] => only.get("json").or_else(|| only.get("text")).unwrap_or(only).clone(),
        content => content.to_vec().into(),
    }
}

fn guarded(content: &Value) -> Option<Part> {
    match object(content, "text") {
        Some(guarded) => owned(guarded, "text").map(Part::text),
        None => media("image", object(content, "image")?),
    }
}

fn joined(content: &[Value]) -> String {
    content.iter().filter_map(|part| text(part, "text")).collect()
}

fn media(kind: &str, media: &Value) -> Option<Part> {
    let source = object(media, "source")?;
    let mime_type = text(media, "format").map(|format| mime_type(kind, format));
    let modality = kind.to_owned();
    if let Some(content) = owned(source, "bytes") {
        return Some(Part::Blob { mime_type, modality, content });
    }
    if let Some(uri) = object(source, "s3Location").and_then(|place| owned(place, "uri")) {
        return Some(Part::Uri { mime_type, modality, uri });
    }
    let content = list(source, "content");
    owned(source, "text").or_else(|| (!content.is_empty()).then(|| joined(content))).map(Part::text)
}

/// The media type that a `format` stands for.
fn mime_type(kind: &str, format: &str) -> String {
    let known = match (kind, format) {
        ("image", "jpg") => "image/jpeg",
        ("video", "mov") => "video/quicktime",
        ("video", "mkv") => "video/x-matroska",
        ("video", "three_gp") => "video/3gpp",
        ("audio", "mp3") => "audio/mpeg",
        ("document", "pdf") => "application/pdf",
        ("document", "doc") => "application/msword",
        ("document", "docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ("document", "xls") => "application/vnd.ms-excel",
        ("document", "xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ("document", "txt") => "text/plain",
        ("document", "md") => "text/markdown",
        ("document", format) => return format!("text/{format}"),
        (kind, format) => return format!("{kind}/{format}"),
    };
    known.to_owned()
}
