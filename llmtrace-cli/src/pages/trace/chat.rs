//! A conversation as chat.

use std::collections::{HashMap, HashSet, VecDeque};

use llmtrace::{Message, Part, Role};
use maud::{Markup, html};
use serde_json::Value;

use super::json::MAX_TEXT_BYTES;
use super::part::part;
use crate::pages::components::text::{copy_of, cut, line};

/// Messages that are shown of a conversation: its last.
const MAX_MESSAGES: usize = 200;

/// Text that is shown of a conversation, in bytes, before older messages are left out.
const MAX_BYTES: usize = 1 << 20;

/// Messages at the end of a conversation that stand open.
const OPEN: usize = 8;

/// Instructions that stand open, in bytes.
const SHORT_SYSTEM: usize = 700;

/// Characters of a folded message that are shown.
const MAX_PREVIEW: usize = 140;

/// A message's place in the conversation and a part's place in it.
type At = (usize, usize);

/// Messages from some name on, such as `in` for what went in.
pub(super) fn conversation(name: &str, messages: &[Message], whole: &str) -> Markup {
    let pairs = Pairs::of(messages);
    let hidden = hidden(messages);
    let open_from = messages.len().saturating_sub(OPEN);
    html! {
        @if hidden > 0 {
            p.more { (hidden) " earlier messages are not shown. " a href=(whole) download { "Download all of the span" } }
        }
        @for (index, message) in messages.iter().enumerate().skip(hidden) {
            @if !pairs.tells_all(index, message) {
                (self::message(&format!("{name}-{index}"), index, message, &pairs, index >= open_from, whole))
            }
        }
    }
}

/// How many messages at the start are not shown: the last ones that have room are.
fn hidden(messages: &[Message]) -> usize {
    let mut left = MAX_BYTES;
    let fit = messages.iter().rev().take(MAX_MESSAGES).take_while(|message| {
        let bytes = message.parts.iter().map(|part| length(part).min(MAX_TEXT_BYTES)).sum();
        let fits = left > 0;
        left = left.saturating_sub(bytes);
        fits
    });
    messages.len() - fit.count()
}

fn message(
    id: &str,
    index: usize,
    message: &Message,
    pairs: &Pairs<'_>,
    is_late: bool,
    whole: &str,
) -> Markup {
    let role = role(&message.role);
    let length: usize = message.parts.iter().map(length).sum();
    let is_open = if message.role == Role::System { length <= SHORT_SYSTEM } else { is_late };
    let body = format!("{id}-body");
    html! {
        details class={ "message r-" (role) } id=(id) open[is_open] {
            summary {
                span.role {
                    @if role == "other" { (cut(&line(message.role.as_str()), 40)) } @else { (role) }
                }
                @if let Some(name) = &message.name { span.muted { (cut(&line(name), 60)) } }
                span.preview dir="auto" { (preview(message)) }
                @if let Some(reason) = &message.finish_reason { (finish(reason)) }
                a.anchor href={ "#" (id) } title="Link to this message" aria-label="Link to this message" { "#" }
                (copy_of(&body, "message"))
            }
            div.parts id=(body) {
                @for (at, one) in message.parts.iter().enumerate() {
                    @if !pairs.answers.contains(&(index, at)) {
                        (part(one, pairs.results.get(&(index, at)).copied(), whole))
                    }
                }
                @if message.parts.is_empty() { p.muted { "Empty" } }
            }
        }
    }
}

/// Why the model stopped, where that is not a matter of course.
fn finish(reason: &str) -> Markup {
    let usual = matches!(reason, "stop" | "tool_call" | "tool_calls" | "end_turn" | "tool_use" | "completed");
    let reason = cut(&line(reason), 40);
    html! {
        @if usual { span.muted.finish { (reason) } } @else { span.badge.warn title="Why it stopped" { (reason) } }
    }
}

fn role(role: &Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
        _ => "other",
    }
}

/// How much of a part there is to read, in bytes.
fn length(part: &Part) -> usize {
    match part {
        Part::Text { content } | Part::Reasoning { content } => content.len(),
        Part::ToolCallResponse { response: Value::String(text), .. } => text.len(),
        _ => 0,
    }
}

/// What a folded message says on one line.
fn preview(message: &Message) -> String {
    let said = message.parts.iter().find_map(|part| match part {
        Part::Text { content } if !content.trim().is_empty() => {
            // What is shown needs no more of a long text.
            Some(content.chars().take(MAX_PREVIEW * 4).collect::<String>())
        }
        Part::ToolCall { name, arguments, .. } => Some(format!("{name} {arguments}")),
        Part::ToolCallResponse { response, .. } => {
            Some(response.as_str().map_or_else(|| response.to_string(), str::to_owned))
        }
        _ => None,
    });
    cut(&line(&said.unwrap_or_default()), MAX_PREVIEW)
}

/// Which results belong to which calls.
#[derive(Debug, Default)]
struct Pairs<'a> {
    results: HashMap<At, &'a Value>,
    /// Results that stand with their calls.
    answers: HashSet<At>,
}

impl<'a> Pairs<'a> {
    /// The first result after a call that has its id answers it; where ids are left out, the first that has none.
    fn of(messages: &'a [Message]) -> Self {
        let mut waiting: HashMap<Option<&str>, VecDeque<At>> = HashMap::new();
        let mut pairs = Self::default();
        for (index, message) in messages.iter().enumerate() {
            for (at, part) in message.parts.iter().enumerate() {
                match part {
                    Part::ToolCall { id, .. } => {
                        waiting.entry(id.as_deref()).or_default().push_back((index, at));
                    }
                    Part::ToolCallResponse { id, response } => {
                        let call = waiting.get_mut(&id.as_deref()).and_then(VecDeque::pop_front);
                        if let Some(call) = call {
                            pairs.results.insert(call, response);
                            pairs.answers.insert((index, at));
                        }
                    }
                    _ => {}
                }
            }
        }
        pairs
    }

    /// Whether all that a message says stands with the calls that it answers.
    fn tells_all(&self, index: usize, message: &Message) -> bool {
        !message.parts.is_empty() && (0..message.parts.len()).all(|at| self.answers.contains(&(index, at)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pages::testing::assert_sound;

    fn call(id: Option<&str>, name: &str) -> Message {
        Message::new(Role::Assistant, vec![Part::tool_call(id.map(str::to_owned), name, "{\"n\": 1}")])
    }

    fn result(id: Option<&str>, said: &str) -> Message {
        let part = Part::ToolCallResponse { id: id.map(str::to_owned), response: json!(said) };
        Message::new(Role::Tool, vec![part])
    }

    #[test]
    fn results_stand_with_their_calls() {
        let check = |messages: &[Message], expected: &[(&str, bool)]| {
            let shown = conversation("in", messages, "/whole").into_string();
            assert_sound(&shown);
            for (text, is_paired) in expected {
                let before = &shown[..shown.find(text).unwrap_or_else(|| panic!("{text} in {shown}"))];
                let in_call = before.rfind("class=\"result\"") > before.rfind("<summary>");
                assert_eq!(in_call, *is_paired, "{text} in {shown}");
                assert_eq!(shown.matches(text).count(), if *is_paired { 1 } else { 2 }, "{text} in {shown}");
            }
        };
        let (a, b) = (Some("a"), Some("b"));
        check(&[call(a, "x"), call(b, "y"), result(b, "B!"), result(a, "A!")], &[("A!", true), ("B!", true)]);
        check(&[call(None, "x"), result(None, "A!")], &[("A!", true)]);
        // The same id again, a result before its call, and one of a call that is not there.
        check(&[call(a, "x"), result(a, "A!"), call(a, "y"), result(a, "B!")], &[("A!", true), ("B!", true)]);
        check(&[result(a, "A!"), call(a, "x")], &[("A!", false)]);
        check(&[call(a, "x"), result(b, "B!")], &[("B!", false)]);
    }

    #[test]
    fn what_is_old_is_folded_and_what_is_too_much_is_told() {
        let messages: Vec<_> = (0..300).map(|n| Message::user(format!("<{n}>"))).collect();
        let shown = conversation("in", &messages, "/whole").into_string();
        assert_sound(&shown);
        assert!(shown.contains("100 earlier messages are not shown"), "{shown}");
        assert_eq!(shown.matches("<details").count(), MAX_MESSAGES);
        assert_eq!(shown.matches(" open>").count(), OPEN);
        assert!(shown.contains("id=\"in-299\"") && shown.contains("&lt;299&gt;"));
        let long: Vec<_> = (0..100).map(|_| Message::user("x".repeat(1 << 20))).collect();
        let shown = conversation("in", &long, "/whole").into_string();
        assert!(
            shown.contains("47 earlier messages are not shown") && shown.len() < 2 << 20,
            "{}",
            shown.len()
        );
    }

    #[test]
    fn an_unusual_end_stands_out() {
        let check = |reason: &str, expected: &str| {
            let message = Message::assistant("x").with_finish_reason(reason);
            let shown = conversation("out", &[message], "/whole").into_string();
            assert!(shown.contains(expected), "{shown}");
        };
        check("stop", "<span class=\"muted finish\">stop</span>");
        check("length", "<span class=\"badge warn\" title=\"Why it stopped\">length</span>");
    }
}
