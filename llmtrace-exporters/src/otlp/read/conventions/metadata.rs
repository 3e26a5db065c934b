//! What programs say of their spans in their own names, as conventions put it together.

use llmtrace::Value;
use serde_json::Value as Json;

use super::draft::{As, Draft};
use crate::otlp::facts;

/// Reads the JSON object that stands under `key`: its members are attributes. It is taken out where all of them are.
pub(super) fn read(draft: &mut Draft<'_>, key: &str) {
    let Some(value) = draft.received.take(key) else { return };
    let mut is_said = false;
    if let Some(Value::Json(Json::Object(members))) = draft.read_as(&value, As::Json) {
        is_said = true;
        for (name, member) in members {
            is_said &= self::member(draft, &name, Value::from(member));
        }
    }
    if !is_said {
        draft.received.put(key, value);
    }
}

/// Reads attributes whose names begin with `prefix`: what follows is the program's own name.
pub(super) fn read_below(draft: &mut Draft<'_>, prefix: &str) {
    for (name, value) in draft.received.take_below(prefix) {
        if !member(draft, &name, value.clone()) {
            draft.received.put(&format!("{prefix}{name}"), value);
        }
    }
}

/// Texts that came as JSON, in quotes, are the texts.
pub(super) fn unquote_below(draft: &mut Draft<'_>, prefix: &str) {
    let names: Vec<String> =
        draft.received.below(prefix).map(|(rest, _)| format!("{prefix}{rest}")).collect();
    for name in names {
        unquote(draft, &name);
    }
}

/// A text that came as JSON, in quotes, is the text.
pub(super) fn unquote(draft: &mut Draft<'_>, key: &str) {
    let quoted = draft.received.text(key).filter(|text| text.starts_with('"'));
    if let Some(Ok(text)) = quoted.map(serde_json::from_str::<String>) {
        draft.received.put(key, text.into());
    }
}

/// Says something in the program's own name. Whether it is now said.
fn member(draft: &mut Draft<'_>, name: &str, value: Value) -> bool {
    if !facts::is_own(name) {
        return false;
    }
    if let Value::Json(json) = &value
        && let Some(text) = draft.received.text(name)
        && draft.room.parse(text).as_ref() == Some(json)
    {
        // The same as text: here it has its structure.
        draft.received.put(name, value);
        return true;
    }
    draft.offer(name.to_owned(), value)
}
