//! One part of a message.

use llmtrace::Part;
use maud::{Markup, html};
use serde_json::Value;

use super::json::{self, bounded, size, structured};
use crate::pages::components::fenced::fenced;
use crate::pages::components::icon::{Icon, icon};
use crate::pages::components::text::{cut, line, lines};

/// Reasoning that is shown at once, in bytes; longer one is folded.
const SHORT_REASONING: usize = 600;

/// Characters of an address that are shown.
const MAX_ADDRESS: usize = 120;

/// A part of a message; a tool call with the result that was given to it.
pub(super) fn part(part: &Part, result: Option<&Value>, whole: &str) -> Markup {
    match part {
        Part::Text { content } => text(content, whole),
        Part::Reasoning { content } => reasoning(content, whole),
        Part::ToolCall { id, name, arguments } => call(name, id.as_deref(), arguments, result, whole),
        Part::ToolCallResponse { id, response } => html! {
            div.call {
                div.call-head { span.label { "result" } (call_id(id.as_deref())) }
                (json::value(response, whole))
            }
        },
        Part::Blob { mime_type, modality, content } => {
            // Base64 has four characters for three bytes.
            media(
                modality,
                mime_type.as_deref(),
                &html! { (size(content.len() / 4 * 3)) " inside the message" },
            )
        }
        Part::File { mime_type, modality, file_id } => media(
            modality,
            mime_type.as_deref(),
            &html! { "file " code { (cut(&line(file_id), MAX_ADDRESS)) } },
        ),
        Part::Uri { mime_type, modality, uri } => media(modality, mime_type.as_deref(), &address(uri)),
        Part::Other(value) => other(value, whole),
        _ => html! { p.muted { "A part that this version cannot show" } },
    }
}

/// Text in which blocks between lines of three backticks are code; text that is JSON is indented.
fn text(content: &str, whole: &str) -> Markup {
    if let Some(value) = structured(content) {
        return json::value(&value, whole);
    }
    let (shown, rest) = bounded(content, whole);
    html! {
        (fenced(shown))
        (rest)
    }
}

fn reasoning(content: &str, whole: &str) -> Markup {
    let (shown, rest) = bounded(content, whole);
    html! {
        details.reasoning open[content.len() <= SHORT_REASONING] {
            summary { "Reasoning" @if content.is_empty() { " (not disclosed)" } }
            div.text dir="auto" { (lines(shown)) }
            (rest)
        }
    }
}

fn call(name: &str, id: Option<&str>, arguments: &Value, result: Option<&Value>, whole: &str) -> Markup {
    html! {
        div.call {
            div.call-head {
                svg.icon.k-tool aria-hidden="true" width="16" height="16" { use href="#k-tool" {} }
                strong { (cut(&line(name), MAX_ADDRESS)) }
                (call_id(id))
            }
            (json::value(arguments, whole))
            @if let Some(result) = result {
                div.result { span.label { "result" } (json::value(result, whole)) }
            }
        }
    }
}

fn call_id(id: Option<&str>) -> Markup {
    html! { @if let Some(id) = id { code.id { (cut(&line(id), 40)) } } }
}

fn media(modality: &str, mime_type: Option<&str>, what: &Markup) -> Markup {
    html! {
        div.media {
            (icon(Icon::Media))
            span {
                strong { (line(modality)) }
                @if let Some(mime_type) = mime_type { " " (line(mime_type)) }
                " · " (what)
            }
        }
    }
}

/// An address: a link where it leads to the web, else text.
fn address(uri: &str) -> Markup {
    let shown = cut(&line(uri), MAX_ADDRESS);
    let is_web = uri.starts_with("https://") || uri.starts_with("http://");
    html! {
        @if is_web { a href=(uri) rel="noopener noreferrer nofollow" target="_blank" { (shown) } }
        @else { code { (shown) } }
    }
}

/// A part that has no name of its own in the conventions.
fn other(value: &Value, whole: &str) -> Markup {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let kind = text("type").unwrap_or("part");
    if kind == "refusal" {
        let said = text("content").or_else(|| text("refusal")).unwrap_or_default();
        return html! {
            div.notice.warn { (icon(Icon::Cancelled)) div.text { strong { "Refused" } " " (lines(bounded(said, whole).0)) } }
        };
    }
    if let Some(bytes) = value.get("llmtrace_omitted_bytes").and_then(Value::as_u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let left_out = html! { (size(bytes)) ", too long to be kept" };
        return media(text("modality").unwrap_or("media"), text("mime_type"), &left_out);
    }
    html! { div.call { div.call-head { span.label { (cut(&line(kind), 60)) } } (json::value(value, whole)) } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pages::testing::assert_sound;

    #[test]
    fn hostile_parts_stay_text() {
        let check = |part_: &Part, expected: &str| {
            let shown = part(part_, None, "/whole").into_string();
            assert_sound(&shown);
            assert!(shown.contains(expected), "{shown}");
        };
        let uri = |uri: &str| Part::Uri { mime_type: None, modality: "image".into(), uri: uri.into() };
        check(&uri("javascript:alert(1)"), "<code>javascript:alert(1)</code>");
        check(&uri("https://a.example/?\"><script>"), "rel=\"noopener noreferrer nofollow\"");
        check(&Part::text("<img src=x onerror=alert(1)>"), "&lt;img src=x onerror=alert(1)&gt;");
        check(&Part::text("```<script>\nx\n```"), "&lt;script&gt;</span>");
        check(&Part::Other(json!({"type": "refusal", "content": "I <cannot>"})), "I &lt;cannot&gt;");
        check(&Part::Other(json!({"type": "<x>", "__proto__": {"a": 1}})), "__proto__");
        check(&Part::omitted_blob(Some("image/png"), "image", 5_000_000), "5.0 MB, too long to be kept");
    }
}
