//! Readers of JSON that never fail: what is absent or of another type is `None` or empty.

use serde_json::{Map, Value};

use crate::content::LEFT_OUT;
use crate::{Attributes, Message, Part, Role, semconv};

/// The largest integer that a float holds exactly: 2^53.
const MAX_EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// The text under `key`; an empty one counts as absent.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The text under `key`, owned.
pub(super) fn owned(value: &Value, key: &str) -> Option<String> {
    text(value, key).map(str::to_owned)
}

/// The list under `key`, or nothing.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The count under `key`: a whole number that is not negative.
pub(super) fn count(value: &Value, key: &str) -> Option<u64> {
    let number = value.get(key)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let whole = |float: f64| {
        (float.fract() == 0.0 && (0.0..=MAX_EXACT_FLOAT).contains(&float)).then_some(float as u64)
    };
    number.as_u64().or_else(|| number.as_f64().and_then(whole))
}

/// Whether `key` is there and not null.
pub(super) fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|found| !found.is_null())
}

/// Whether any of `keys` is there and not null.
pub(super) fn has_any(value: &Value, keys: &[&str]) -> bool {
    keys.iter().any(|key| has(value, key))
}

/// Whether nothing stands under `key`: it is absent, null or an empty list.
pub(super) fn is_bare(value: &Value, key: &str) -> bool {
    value.get(key).is_none_or(|found| found.is_null() || found.as_array().is_some_and(Vec::is_empty))
}

/// The value under `key` if it is an object.
pub(super) fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|found| found.is_object())
}

/// Records the float under `key` of `body` as `name`.
pub(super) fn float_parameter(parameters: &mut Attributes, name: &'static str, body: &Value, key: &str) {
    if let Some(float) = body.get(key).and_then(Value::as_f64) {
        parameters.set(name, float);
    }
}

/// Records the integer under `key` of `body` as `name`.
pub(super) fn int_parameter(parameters: &mut Attributes, name: &'static str, body: &Value, key: &str) {
    if let Some(int) = body.get(key).and_then(Value::as_i64) {
        parameters.set(name, int);
    }
}

/// Records the text under `key` of `body` as `name`; one that was left out with the content (`*`) states nothing.
pub(super) fn text_parameter(parameters: &mut Attributes, name: &'static str, body: &Value, key: &str) {
    if let Some(text) = text(body, key).filter(|text| *text != LEFT_OUT) {
        parameters.set(name, text);
    }
}

/// Records that `body` asks for a stream.
pub(super) fn stream_parameter(parameters: &mut Attributes, body: &Value) {
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        parameters.set(semconv::REQUEST_STREAM, true);
    }
}

/// Records the stop sequences under `key`: a text or a list of texts.
pub(super) fn stop_parameter(parameters: &mut Attributes, body: &Value, key: &str) {
    let stops: Vec<String> = match body.get(key) {
        Some(Value::String(stop)) => vec![stop.clone()],
        Some(Value::Array(stops)) => stops.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return,
    };
    if !stops.is_empty() {
        parameters.set(semconv::REQUEST_STOP_SEQUENCES, stops);
    }
}

/// A text or a list of texts, as parts.
pub(super) fn text_parts(value: Option<&Value>) -> Vec<Part> {
    match value {
        Some(Value::String(text)) => vec![Part::text(text)],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(Part::text).collect(),
        _ => Vec::new(),
    }
}

/// One message of `parts`; none where there are none.
pub(super) fn message_of(role: Role, parts: Vec<Part>) -> Vec<Message> {
    if parts.is_empty() { Vec::new() } else { vec![Message::new(role, parts)] }
}

/// A tool call whose arguments are text or JSON.
pub(super) fn tool_call(id: Option<String>, name: &str, arguments: Option<&Value>) -> Part {
    match arguments {
        Some(Value::String(text)) => Part::tool_call(id, name, text),
        Some(arguments) if !arguments.is_null() => {
            Part::ToolCall { id, name: name.to_owned(), arguments: arguments.clone() }
        }
        _ => Part::tool_call(id, name, ""),
    }
}

/// A call of a tool that the provider runs, in the conventions' shape.
pub(super) fn server_tool_call(
    id: Option<&str>,
    name: &str,
    kind: &str,
    details: &[(&str, Option<&Value>)],
) -> Part {
    let mut call = Map::new();
    call.insert("type".to_owned(), kind.into());
    for (key, value) in details {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            call.insert((*key).to_owned(), value.clone());
        }
    }
    let mut part = Map::new();
    part.insert("type".to_owned(), "server_tool_call".into());
    if let Some(id) = id {
        part.insert("id".to_owned(), id.into());
    }
    part.insert("name".to_owned(), name.into());
    part.insert("server_tool_call".to_owned(), call.into());
    Part::Other(part.into())
}

/// A part of any kind that the conventions have no part for, without the place that a stream gave it.
///
/// It has a `type` of its own, so that nobody takes it for a part that it is not.
pub(super) fn other(value: &Value) -> Part {
    const KNOWN: [&str; 9] = [
        "text",
        "reasoning",
        "tool_call",
        "tool_call_response",
        "server_tool_call",
        "server_tool_call_response",
        "blob",
        "file",
        "uri",
    ];
    match value {
        Value::Object(fields) if text(value, "type").is_some_and(|kind| !KNOWN.contains(&kind)) => {
            let fields = fields.iter().filter(|(key, _)| *key != "index");
            Part::Other(fields.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into())
        }
        value => Part::Other(serde_json::json!({"type": "other", "content": value})),
    }
}

/// Media at `url`: inside the message for a `data:` address, else where the address says.
pub(super) fn media(url: &str, modality: &str) -> Part {
    let modality = modality.to_owned();
    let inline = url.strip_prefix("data:").and_then(|data| data.split_once(','));
    match inline.and_then(|(head, content)| Some((head.strip_suffix(";base64")?, content))) {
        Some((head, content)) => {
            let mime_type = head.split(';').next().filter(|mime| !mime.is_empty()).map(str::to_owned);
            Part::Blob { mime_type, modality, content: content.to_owned() }
        }
        None => Part::Uri { mime_type: None, modality, uri: url.to_owned() },
    }
}

/// The modality of a media type: `image`, `video`, `audio`, else `document`.
pub(super) fn modality(mime_type: &str) -> &'static str {
    match mime_type.split('/').next() {
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "document",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_whole_numbers_are_counts() {
        let check =
            |value: Value, expected| assert_eq!(count(&json!({"n": value}), "n"), expected, "{value}");
        check(json!(0), Some(0));
        check(json!(u64::MAX), Some(u64::MAX));
        check(json!(12.0), Some(12));
        check(json!(-1), None);
        check(json!(1.5), None);
        check(json!(1e300), None);
        check(json!("12"), None);
        check(json!(null), None);
        check(json!(true), None);
    }

    #[test]
    fn other_parts_have_a_type_of_their_own() {
        let check = |value: Value, expected: Value| assert_eq!(other(&value), Part::Other(expected));
        check(json!({"type": "video_url", "index": 3, "url": "u"}), json!({"type": "video_url", "url": "u"}));
        check(json!({"text": "a"}), json!({"type": "other", "content": {"text": "a"}}));
        check(
            json!({"type": "text", "text": 3}),
            json!({"type": "other", "content": {"type": "text", "text": 3}}),
        );
        check(json!(["a"]), json!({"type": "other", "content": ["a"]}));
    }

    #[test]
    fn data_addresses_become_blobs() {
        let check = |url: &str, expected: Part| assert_eq!(media(url, "image"), expected);
        let blob = |mime: Option<&str>| Part::Blob {
            mime_type: mime.map(str::to_owned),
            modality: "image".into(),
            content: "AAAA".into(),
        };
        check("data:image/png;base64,AAAA", blob(Some("image/png")));
        check("data:;base64,AAAA", blob(None));
        let uri = |uri: &str| Part::Uri { mime_type: None, modality: "image".into(), uri: uri.into() };
        check("https://a.b/c.png", uri("https://a.b/c.png"));
        check("data:text/plain,hi", uri("data:text/plain,hi"));
    }
}
