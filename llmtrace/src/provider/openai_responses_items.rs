//! The items of the `OpenAI` Responses API, as messages.

use serde_json::{Value, json};

use super::json::{list, media, object, other, owned, server_tool_call, text, tool_call};
use super::openai_chat::{audio, file, refusal};
use crate::{Message, Part, Role};

/// One item of a request's `input`.
pub(super) fn input(item: &Value) -> Message {
    let kind = text(item, "type").unwrap_or("message");
    let role = match text(item, "role") {
        Some(role) => Role::from(role),
        None if kind.ends_with("_output") => Role::Tool,
        None if kind.starts_with("input_") => Role::User,
        None => Role::Assistant,
    };
    Message::new(role, parts(item, kind))
}

/// All items of a response's `output`: the one message that the model wrote.
pub(super) fn output(items: &[Value]) -> Message {
    let parts = items.iter().flat_map(|item| parts(item, text(item, "type").unwrap_or("message")));
    Message::new(Role::Assistant, parts.collect())
}

/// How many searches of a kind a response made; `None` if it has no such item. Opening a page and finding text in
/// it are not billed as searches.
pub(super) fn searches(items: &[Value], kind: &str) -> Option<u64> {
    let of_kind: Vec<&Value> = items.iter().filter(|item| text(item, "type") == Some(kind)).collect();
    let is_search = |item: &&&Value| {
        let action = item.get("action").and_then(|action| text(action, "type"));
        !matches!(action, Some("open_page" | "find_in_page" | "find"))
    };
    (!of_kind.is_empty()).then(|| of_kind.iter().filter(is_search).count() as u64)
}

/// Tools that the program runs at the model's wish, each with the field that says what to do.
const PROGRAM_TOOLS: [(&str, &str); 4] = [
    ("computer_call", "action"),
    ("local_shell_call", "action"),
    ("shell_call", "action"),
    ("apply_patch_call", "operation"),
];

/// How many items of a kind there are; `None` if there is none.
pub(super) fn items_of(items: &[Value], kind: &str) -> Option<u64> {
    let count = items.iter().filter(|item| text(item, "type") == Some(kind)).count();
    (count > 0).then_some(count as u64)
}

fn parts(item: &Value, kind: &str) -> Vec<Part> {
    if let Some((_, wish)) = PROGRAM_TOOLS.iter().find(|(tool, _)| *tool == kind) {
        let id = owned(item, "call_id").or_else(|| owned(item, "id"));
        let tool = kind.strip_suffix("_call").unwrap_or(kind);
        return vec![tool_call(id, tool, item.get(*wish))];
    }
    match kind {
        "message" => content(item),
        "reasoning" => reasoning(item).into_iter().collect(),
        "function_call" => vec![called(item, "arguments")],
        "custom_tool_call" => vec![called(item, "input")],
        "image_generation_call" => image(item),
        // What it holds is encrypted.
        "compaction" => vec![Part::Other(json!({"type": kind, "id": item.get("id")}))],
        _ if kind.ends_with("_call_output") => {
            let response = item.get("output").cloned().unwrap_or_default();
            let id = owned(item, "call_id").or_else(|| owned(item, "id"));
            vec![Part::ToolCallResponse { id, response }]
        }
        _ => match kind.strip_suffix("_call") {
            Some(tool) => vec![server_call(item, tool)],
            None => vec![part(item)],
        },
    }
}

fn content(item: &Value) -> Vec<Part> {
    match item.get("content") {
        Some(Value::String(content)) => vec![Part::text(content)],
        Some(Value::Array(parts)) => parts.iter().map(part).collect(),
        _ => Vec::new(),
    }
}

fn part(part: &Value) -> Part {
    let read = match text(part, "type") {
        Some("input_text" | "output_text" | "text") => {
            part.get("text").and_then(Value::as_str).map(Part::text)
        }
        Some("refusal") => text(part, "refusal").map(refusal),
        Some("input_image") => text(part, "image_url").map(|url| media(url, "image")).or_else(|| {
            Some(Part::File { mime_type: None, modality: "image".into(), file_id: owned(part, "file_id")? })
        }),
        Some("input_audio") => audio(object(part, "input_audio").unwrap_or(part)),
        Some("input_file") => file(part),
        _ => None,
    };
    read.unwrap_or_else(|| other(part))
}

/// The reasoning that is shown, its summary before its text; encrypted reasoning is not.
fn reasoning(item: &Value) -> Option<Part> {
    let texts =
        list(item, "summary").iter().chain(list(item, "content")).filter_map(|part| text(part, "text"));
    let texts: Vec<&str> = texts.collect();
    (!texts.is_empty()).then(|| Part::reasoning(texts.join("\n\n")))
}

fn called(item: &Value, arguments: &str) -> Part {
    let id = owned(item, "call_id").or_else(|| owned(item, "id"));
    tool_call(id, text(item, "name").unwrap_or_default(), item.get(arguments))
}

fn server_call(item: &Value, tool: &str) -> Part {
    let name = text(item, "name").unwrap_or(tool);
    let keys = ["action", "queries", "results", "arguments", "code", "outputs", "output", "server_label"];
    let details = keys.map(|key| (key, item.get(key)));
    server_tool_call(text(item, "id"), name, tool, &details)
}

/// The call that drew a picture, and the picture.
fn image(item: &Value) -> Vec<Part> {
    let mime_type = text(item, "output_format").map(|format| format!("image/{format}"));
    let picture =
        owned(item, "result").map(|content| Part::Blob { mime_type, modality: "image".into(), content });
    let details = [("revised_prompt", item.get("revised_prompt")), ("action", item.get("action"))];
    let call = server_tool_call(text(item, "id"), "image_generation", "image_generation", &details);
    [call].into_iter().chain(picture).collect()
}
