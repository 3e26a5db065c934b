//! JSON for people.

use std::fmt::Write as _;

use maud::{Markup, html};
use serde_json::Value;

use crate::pages::components::text::{cut, line, lines};

/// Bytes of a text that are shown.
pub(super) const MAX_TEXT_BYTES: usize = 20_000;

/// Members of an object that are shown as a table.
const MAX_TABLE: usize = 24;

/// Characters of a value in a table's row.
const MAX_CELL: usize = 400;

/// A text of which only so much is shown, and the way to all of it.
pub(super) fn bounded<'a>(text: &'a str, whole: &str) -> (&'a str, Markup) {
    if text.len() <= MAX_TEXT_BYTES {
        return (text, html! {});
    }
    let end = (0..=MAX_TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let rest = html! {
        p.more {
            "Shown are the first 20 kB of " (size(text.len())) ". "
            a href=(whole) download { "Download all of the span" }
        }
    };
    (text.get(..end).unwrap_or_default(), rest)
}

/// A size in bytes for people.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A value as indented JSON, in which what could turn letters around is escaped as JSON escapes it.
pub(super) fn pretty(value: &Value) -> String {
    let mut safe = String::new();
    for char in serde_json::to_string_pretty(value).unwrap_or_default().chars() {
        // The writer escapes the controls of ASCII itself.
        if char.is_ascii() || lines(char.encode_utf8(&mut [0; 4])).chars().eq([char]) {
            safe.push(char);
        } else {
            // Writing to a text cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(char));
        }
    }
    safe
}

/// The object or the list that a text is, where it is one.
pub(super) fn structured(text: &str) -> Option<Value> {
    let text = text.trim();
    let wraps =
        (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'));
    (wraps && text.len() <= MAX_TEXT_BYTES).then(|| serde_json::from_str(text).ok()).flatten()
}

/// A value: a short flat object as a table, a text as text, anything else as indented JSON.
pub(super) fn value(value: &Value, whole: &str) -> Markup {
    match value {
        Value::String(text) => match structured(text) {
            Some(inner) => self::value(&inner, whole),
            None => text_block(text, whole),
        },
        Value::Object(members) if members.is_empty() => html! { p.muted { "nothing" } },
        Value::Object(members) if is_flat(members) => html! {
            dl.facts.flat {
                @for (name, member) in members {
                    dt { (line(name)) }
                    dd dir="auto" { (cut(&scalar(member), MAX_CELL)) }
                }
            }
        },
        _ => {
            let pretty = pretty(value);
            let (shown, rest) = bounded(&pretty, whole);
            html! { pre.json { code { (shown) } } (rest) }
        }
    }
}

fn text_block(text: &str, whole: &str) -> Markup {
    let (shown, rest) = bounded(text, whole);
    html! { div.text dir="auto" { (lines(shown)) } (rest) }
}

/// Whether a table says all of it in few short rows.
fn is_flat(members: &serde_json::Map<String, Value>) -> bool {
    members.len() <= MAX_TABLE
        && members.values().all(|member| match member {
            Value::String(text) => text.len() <= MAX_CELL,
            Value::Object(inner) => inner.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => true,
        })
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => lines(text),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_by_their_shape() {
        let check = |json: &Value, expected: &str| {
            let shown = value(json, "/whole").into_string();
            assert!(shown.contains(expected), "{shown}");
        };
        check(&json!({"order": "1017", "n": 2}), "<dt>order</dt><dd dir=\"auto\">1017</dd>");
        check(&json!({"a": {"b": 1}}), "<pre class=\"json\">");
        check(&json!("{\"a\": 1}"), "<dt>a</dt>");
        check(&json!("<b>plain</b>"), "&lt;b&gt;plain&lt;/b&gt;");
        check(&json!({}), "nothing");
        check(&json!("x".repeat(20_001)), "href=\"/whole\" download");
        check(&json!("é".repeat(15_000)), "of 30.0 kB");
    }
}
