//! The words of a span that a search finds.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use llmtrace::{Message, Part, SpanRecord, Status, Value, semconv};

/// Texts of the spans of one trace, each once.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) pieces: Vec<(u64, String)>,
    seen: HashSet<u64>,
    bytes: usize,
}

/// Bytes of one text that are searched.
const MAX_PIECE: usize = 64 << 10;

/// Bytes of the texts of one trace that are searched, of those that come at once.
const MAX_BYTES: usize = 4 << 20;

/// Attributes that hold text worth finding.
const ATTRIBUTES: [&str; 5] = [
    semconv::TOOL_NAME,
    semconv::TOOL_CALL_ARGUMENTS,
    semconv::TOOL_CALL_RESULT,
    semconv::ARGUMENTS,
    semconv::ERROR_TYPE,
];

impl Texts {
    /// Takes the texts of a span: its name, messages, tool arguments and results, errors, and remarks of scores.
    pub(super) fn add(&mut self, span: &SpanRecord) {
        self.piece(&span.name);
        for message in span.input.iter().chain(&span.output) {
            self.message(message);
        }
        for key in ATTRIBUTES {
            match span.attributes.get(key) {
                Some(Value::Json(json)) => self.json(json),
                Some(value) => self.piece(value.as_str().unwrap_or_default()),
                None => {}
            }
        }
        if let Status::Error { message } = &span.status {
            self.piece(message);
        }
        for event in &span.events {
            self.piece(event.attributes.get_str(semconv::EXCEPTION_MESSAGE).unwrap_or(&event.name));
        }
        for score in &span.scores {
            self.piece(score.comment.as_deref().unwrap_or_default());
        }
    }

    fn message(&mut self, message: &Message) {
        for part in &message.parts {
            match part {
                Part::Text { content } | Part::Reasoning { content } => self.piece(content),
                Part::ToolCall { name, arguments, .. } => {
                    self.piece(name);
                    self.json(arguments);
                }
                Part::ToolCallResponse { response, .. } => self.json(response),
                _ => {}
            }
        }
    }

    fn json(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) => self.piece(text),
            serde_json::Value::Null => {}
            other => self.piece(&other.to_string()),
        }
    }

    fn piece(&mut self, text: &str) {
        if text.is_empty() || self.bytes >= MAX_BYTES {
            return;
        }
        let end = (0..=text.len().min(MAX_PIECE)).rev().find(|end| text.is_char_boundary(*end));
        let text = text.get(..end.unwrap_or(0)).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if self.seen.insert(hash) {
            self.bytes += text.len();
            self.pieces.push((hash, text.to_owned()));
        }
    }
}
