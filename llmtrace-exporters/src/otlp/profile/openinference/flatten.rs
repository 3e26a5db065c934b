//! Lists as `OpenInference` has them: an attribute for each leaf, the indices in its key.

use llmtrace::{Message, Part, Score, Value};
use serde_json::Value as Json;

use crate::otlp::pairs::Pairs;
use crate::otlp::wire::Wire;

/// Most items of a list that are flattened. A list with more is not flattened at all: its attributes are counted as
/// dropped, and the whole stands in the conventions' attribute.
const MAX_ITEMS: usize = 64;

/// Most parts of a message that are flattened.
const MAX_PARTS: usize = 16;

/// Messages under `prefix`, which ends with a dot; instructions become the first of them.
pub(super) fn messages<W: Wire>(
    prefix: &str,
    instructions: Option<&Value>,
    messages: &[Message],
    out: &mut Pairs<'_, W>,
) {
    let first = usize::from(instructions.is_some());
    if !fits(messages.len() + first, out) {
        return;
    }
    if let Some(instructions) = instructions {
        out.joined(&[&prefix, &"0.message.role"], |out, key| out.text(key, "system"));
        out.joined(&[&prefix, &"0.message.content"], |out, key| match instructions {
            Value::Json(Json::Array(parts)) => out.written(key, 64, |out| {
                let texts = parts.iter().filter_map(|part| part.get("content")?.as_str());
                for (index, text) in texts.enumerate() {
                    out.extend_from_slice(if index == 0 { b"" } else { b"\n" });
                    out.extend_from_slice(text.as_bytes());
                }
            }),
            other => out.value(key, Some(other)),
        });
    }
    for (index, message) in messages.iter().enumerate() {
        self::message(prefix, index + first, message, out);
    }
}

fn message<W: Wire>(prefix: &str, index: usize, message: &Message, out: &mut Pairs<'_, W>) {
    let mut leaf = |name: &str, text: &str| {
        out.joined(&[&prefix, &index, &".message.", &name], |out, key| out.text(key, text));
    };
    leaf("role", message.role.as_str());
    if let Some(name) = &message.name {
        leaf("name", name);
    }
    if let [Part::Text { content }] = message.parts.as_slice() {
        return leaf("content", content);
    }
    let mut at = Place { prefix, index, contents: 0, calls: 0, answers: false };
    for part in message.parts.iter().take(MAX_PARTS) {
        at.part(part, out);
    }
    out.refuse(message.parts.len().saturating_sub(MAX_PARTS));
}

/// How far a message is written.
struct Place<'a> {
    prefix: &'a str,
    index: usize,
    contents: usize,
    calls: usize,
    /// It names the call that it answers; a message has room for one.
    answers: bool,
}

impl Place<'_> {
    fn part<W: Wire>(&mut self, part: &Part, out: &mut Pairs<'_, W>) {
        match part {
            Part::Text { content } => self.content("text", "text", content, out),
            Part::Reasoning { content } => self.content("reasoning", "text", content, out),
            Part::Uri { modality, uri, mime_type } if is_media(modality) => {
                self.media(modality, uri, mime_type.as_deref(), out);
            }
            Part::Blob { modality, content, mime_type: Some(media_type) } if is_media(modality) => {
                let url = format!("data:{media_type};base64,{content}");
                self.media(modality, &url, Some(media_type), out);
            }
            Part::ToolCall { id, name, arguments } => {
                if let Some(id) = id {
                    self.call("id", out, |out, key| out.text(key, id.as_str()));
                }
                self.call("function.name", out, |out, key| out.text(key, name.as_str()));
                self.call("function.arguments", out, |out, key| match arguments {
                    Json::String(torn) => out.text(key, torn.as_str()),
                    arguments => out.json(key, arguments),
                });
                self.calls += 1;
            }
            Part::ToolCallResponse { id, response } => {
                let Self { prefix, index, .. } = self;
                if let Some(id) = id
                    && !std::mem::replace(&mut self.answers, true)
                {
                    out.joined(&[prefix, index, &".message.tool_call_id"], |out, key| {
                        out.text(key, id.as_str());
                    });
                }
                // A message has one content; further answers are parts of it.
                if self.contents == 0 {
                    out.joined(&[prefix, index, &".message.content"], |out, key| match response {
                        Json::String(text) => out.text(key, text.as_str()),
                        response => out.json(key, response),
                    });
                    self.contents += 1;
                } else {
                    let text = response.to_string();
                    self.content("text", "text", &text, out);
                }
            }
            other => {
                let text = serde_json::to_string(other).unwrap_or_default();
                self.content("text", "text", &text, out);
            }
        }
    }

    fn content<W: Wire>(&mut self, kind: &str, leaf: &str, text: &str, out: &mut Pairs<'_, W>) {
        self.leaves(&[("type", kind), (leaf, text)], out);
    }

    /// An image or a recording, at an address or in one.
    fn media<W: Wire>(&mut self, kind: &str, url: &str, media_type: Option<&str>, out: &mut Pairs<'_, W>) {
        match media_type.filter(|_| kind == "audio") {
            Some(media_type) => self.leaves(
                &[("type", kind), ("audio.audio.url", url), ("audio.audio.mime_type", media_type)],
                out,
            ),
            None if kind == "audio" => self.content(kind, "audio.audio.url", url, out),
            None => self.content(kind, "image.image.url", url, out),
        }
    }

    fn leaves<W: Wire>(&mut self, leaves: &[(&str, &str)], out: &mut Pairs<'_, W>) {
        let Self { prefix, index, contents, .. } = self;
        for (leaf, text) in leaves {
            let parts: [&dyn std::fmt::Display; 6] =
                [prefix, index, &".message.contents.", contents, &".message_content.", leaf];
            out.joined(&parts, |out, key| out.text(key, *text));
        }
        self.contents += 1;
    }

    fn call<W: Wire>(&self, leaf: &str, out: &mut Pairs<'_, W>, write: impl FnOnce(&mut Pairs<'_, W>, &str)) {
        let Self { prefix, index, calls, .. } = self;
        let parts: [&dyn std::fmt::Display; 6] =
            [prefix, index, &".message.tool_calls.", calls, &".tool_call.", &leaf];
        out.joined(&parts, write);
    }
}

/// Whether media are shown as such.
fn is_media(modality: &str) -> bool {
    matches!(modality, "image" | "audio")
}

/// Tools that were offered.
pub(super) fn tools<W: Wire>(tools: &[Json], out: &mut Pairs<'_, W>) {
    if fits(tools.len(), out) {
        for (index, tool) in tools.iter().enumerate() {
            out.joined(&[&"llm.tools.", &index, &".tool.json_schema"], |out, key| out.json(key, tool));
        }
    }
}

/// Texts that were embedded.
pub(super) fn embedded<W: Wire>(messages: &[Message], out: &mut Pairs<'_, W>) {
    let texts = || {
        messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::Text { content } => Some(content.as_str()),
            _ => None,
        })
    };
    if fits(texts().count(), out) {
        for (index, text) in texts().enumerate() {
            out.joined(&[&"embedding.embeddings.", &index, &".embedding.text"], |out, key| {
                out.text(key, text);
            });
        }
    }
}

/// Documents that were found, under `prefix`, which ends with a dot: an array of objects with `id`, `score` and perhaps
/// `content` or `text`, and `metadata`.
pub(super) fn documents<W: Wire>(prefix: &str, documents: Option<&Value>, out: &mut Pairs<'_, W>) {
    let Some(Value::Json(Json::Array(documents))) = documents else { return };
    if !fits(documents.len(), out) {
        return;
    }
    for (index, document) in documents.iter().enumerate() {
        let content = document.get("content").or_else(|| document.get("text"));
        let members = [
            ("id", document.get("id")),
            ("score", document.get("score")),
            ("content", content.or(document.is_string().then_some(document))),
            ("metadata", document.get("metadata")),
        ];
        for (name, member) in members {
            let Some(member) = member else { continue };
            out.joined(&[&prefix, &index, &".document.", &name], |out, key| match member {
                Json::String(text) => out.text(key, text.as_str()),
                Json::Number(number) if name == "score" => out.float(key, number.as_f64()),
                member => out.json(key, member),
            });
        }
    }
}

/// Judgements.
pub(super) fn annotations<W: Wire>(scores: &[Score], out: &mut Pairs<'_, W>) {
    if !fits(scores.len(), out) {
        return;
    }
    for (index, score) in scores.iter().enumerate() {
        let mut leaf = |name: &str, write: &mut dyn FnMut(&mut Pairs<'_, W>, &str)| {
            out.joined(&[&"annotations.", &index, &".annotation.", &name], |out, key| write(out, key));
        };
        leaf("name", &mut |out, key| out.text(key, score.name.as_str()));
        leaf("score", &mut |out, key| out.float(key, Some(score.value)));
        leaf("explanation", &mut |out, key| out.text(key, score.comment.as_deref()));
    }
}

/// Whether so many items may be flattened; if not, they are counted as dropped.
fn fits<W: Wire>(items: usize, out: &mut Pairs<'_, W>) -> bool {
    let fits = items <= MAX_ITEMS;
    if !fits {
        out.refuse(items);
    }
    fits
}
