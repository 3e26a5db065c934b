//! Messages as JSON text.
//!
//! The shape is that of `gen_ai.input.messages` and `gen_ai.output.messages`
//! (<https://github.com/open-telemetry/semantic-conventions>, docs/gen-ai, JSON schemas). Backends want it as a string.

use llmtrace::{Message, Part, Status};

use super::facts::Facts;
use super::facts::slot::Slot;
use crate::jsonl::encode;
use crate::jsonl::line::write_message;

/// What a span took or gave, where it is no more than one text or one value.
#[derive(Clone, Copy)]
pub(super) enum Plain<'a> {
    Text(&'a str),
    Json(&'a serde_json::Value),
}

impl<'a> Plain<'a> {
    /// The one text or the one value of the messages, if that is all.
    pub(super) fn of(messages: &'a [Message]) -> Option<Self> {
        let [Message { parts, .. }] = messages else { return None };
        match parts.as_slice() {
            [Part::Text { content }] => Some(Self::Text(content)),
            [Part::Other(json)] if json.get("type").is_some_and(|kind| kind == "json") => {
                json.get("content").map(Self::Json)
            }
            _ => None,
        }
    }
}

/// Roughly how many bytes the JSON of the messages has; a little less where much must be escaped.
pub(super) fn size(messages: &[Message]) -> usize {
    messages.iter().map(|message| 64 + message.parts.iter().map(part_size).sum::<usize>()).sum()
}

fn part_size(part: &Part) -> usize {
    32 + match part {
        Part::Text { content } | Part::Reasoning { content } | Part::Blob { content, .. } => content.len(),
        _ => 64,
    }
}

/// Writes the messages that went in.
pub(super) fn input(messages: &[Message], out: &mut Vec<u8>) {
    list(messages, |message, out| write_message(message, message.finish_reason.as_deref(), out), out);
}

/// Writes the messages that went in, after the instructions as a message of `system`.
pub(super) fn input_with_instructions(facts: &Facts<'_>, out: &mut Vec<u8>) {
    let Some(instructions) = facts.value(Slot::Instructions) else {
        return input(&facts.span.input, out);
    };
    out.extend_from_slice(br#"[{"role":"system","parts":"#);
    match instructions {
        // Parts that were recorded as text are JSON already.
        llmtrace::Value::Str(text) if is_json_list(text) => out.extend_from_slice(text.as_bytes()),
        llmtrace::Value::Str(text) => {
            out.extend_from_slice(br#"[{"type":"text","content":"#);
            encode::string(text, out);
            out.extend_from_slice(b"}]");
        }
        other => encode::value(other, 3, out),
    }
    out.push(b'}');
    for message in &facts.span.input {
        out.push(b',');
        write_message(message, message.finish_reason.as_deref(), out);
    }
    out.push(b']');
}

fn is_json_list(text: &str) -> bool {
    text.starts_with('[') && matches!(serde_json::from_str(text), Ok(serde_json::Value::Array(_)))
}

/// Writes the messages that came out, each with a reason to stop: the conventions' schema demanded one up to version
/// 1.41, and a reader that holds to it drops them all for one that has none.
///
/// Where the provider stated none it is `error` on a span that failed or was given up, else `stop`.
pub(super) fn output(facts: &Facts<'_>, out: &mut Vec<u8>) {
    let unstated = match facts.span.status {
        Status::Error { .. } | Status::Cancelled => "error",
        _ => "stop",
    };
    let mut choice = 0;
    list(
        &facts.span.output,
        |message, out| {
            let reason = message.finish_reason.as_deref().or_else(|| facts.finish_reason(choice));
            choice += 1;
            write_message(message, Some(reason.unwrap_or(unstated)), out);
        },
        out,
    );
}

fn list(messages: &[Message], mut write: impl FnMut(&Message, &mut Vec<u8>), out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(message, out);
    }
    out.push(b']');
}
