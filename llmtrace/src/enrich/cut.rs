//! Keeping what messages hold to the configured length.

use serde_json::Value as Json;

use crate::content::{self, decoded_len};
use crate::message::OMITTED_BYTES;
use crate::{Part, SpanRecord, Value, semconv};

/// Cuts the texts of messages to `max_bytes`. Media that is longer is left out whole, with its size in its place: a
/// part of it could not be read.
pub(super) fn cut_texts(record: &mut SpanRecord, max_bytes: usize) {
    let mut cut = 0_u64;
    let messages = record.input.iter_mut().chain(&mut record.output);
    for part in messages.flat_map(|message| &mut message.parts) {
        cut += cut_part(part, max_bytes);
    }
    if cut > 0 {
        let before = record.attributes.get(semconv::TRUNCATED).and_then(Value::as_count).unwrap_or(0);
        record.attributes.set(semconv::TRUNCATED, before + cut);
    }
}

/// Says how many texts it cut.
fn cut_part(part: &mut Part, max_bytes: usize) -> u64 {
    match part {
        Part::Text { content } | Part::Reasoning { content } => cut_text(content, max_bytes),
        Part::Blob { mime_type, modality, content } => {
            if content.len() <= max_bytes {
                return 0;
            }
            *part = Part::omitted_blob(mime_type.as_deref(), modality, decoded_len(content));
            1
        }
        Part::ToolCall { arguments: json, .. }
        | Part::ToolCallResponse { response: json, .. }
        | Part::Other(json) => cut_json(json, max_bytes),
        Part::File { .. } | Part::Uri { .. } => 0,
    }
}

fn cut_text(text: &mut String, max_bytes: usize) -> u64 {
    if text.len() <= max_bytes {
        return 0;
    }
    text.truncate(content::cut(text, max_bytes).len());
    1
}

fn cut_json(json: &mut Json, max_bytes: usize) -> u64 {
    match json {
        Json::String(text) if is_media(text) && text.len() > max_bytes => {
            text.clear();
            1
        }
        Json::String(text) => cut_text(text, max_bytes),
        Json::Array(items) => items.iter_mut().map(|item| cut_json(item, max_bytes)).sum(),
        Json::Object(members) => {
            let media = |value: &Json| {
                value.as_str().filter(|text| text.len() > max_bytes && is_media(text)).map(decoded_len)
            };
            let omitted: u64 = members.values().filter_map(media).sum();
            let cut = members.values_mut().map(|value| cut_json(value, max_bytes)).sum();
            if omitted > 0 {
                members.insert(OMITTED_BYTES.to_owned(), omitted.into());
            }
            cut
        }
        _ => 0,
    }
}

/// Whether a text is base64, alone or in a `data:` address.
fn is_media(text: &str) -> bool {
    let base64 = text.split_once(";base64,").map_or(text, |(_, base64)| base64);
    base64.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MAX: usize = 8;

    #[test]
    fn texts_are_cut_and_media_is_whole_or_left_out() {
        let check = |mut part: Part, expected: Part, cut: u64| {
            assert_eq!(cut_part(&mut part, MAX), cut, "{expected:?}");
            assert_eq!(part, expected);
        };
        let keep = |part: Part| check(part.clone(), part, 0);
        let blob = |content: &str| Part::Blob {
            mime_type: Some("image/png".into()),
            modality: "image".into(),
            content: content.into(),
        };
        check(Part::text("123456789"), Part::text("12345678"), 1);
        check(Part::reasoning("1234567€"), Part::reasoning("1234567"), 1);
        keep(Part::text("12345678"));
        keep(blob("AAAABBBB"));
        check(blob("AAAABBBBCC=="), Part::omitted_blob(Some("image/png"), "image", 7), 1);
        let response = |response: Json| Part::ToolCallResponse { id: None, response };
        check(response(json!("a b c d e")), response(json!("a b c d ")), 1);
        check(
            response(
                json!([{"type": "image", "source": {"media_type": "image/x", "data": "AAAABBBBCCCC"}}, {"text": "a b c d e"}]),
            ),
            response(json!([
                {"type": "image", "source": {"media_type": "image/x", "data": "", "llmtrace_omitted_bytes": 9}},
                {"text": "a b c d "},
            ])),
            2,
        );
        check(
            Part::Other(json!({"type": "x", "url": "data:image/png;base64,AAAA"})),
            Part::Other(json!({"type": "x", "url": "", "llmtrace_omitted_bytes": 3})),
            1,
        );
        keep(Part::tool_call(None, "f", r#"{"a":"12345678","n":123456789}"#));
        keep(Part::omitted_blob(None, "audio", 1_000_000));
    }
}
