//! Lists that came leaf by leaf, the indices in the names of the attributes.

use llmtrace::Value;
use serde_json::{Map, Value as Json};

use super::draft::Draft;

/// Parts of a name that are told apart, at most.
const MAX_PARTS: usize = 12;

/// The items of the list whose leaves begin with `prefix`, which ends with a dot: each an object of what follows the
/// index. `None` where there are none, or no room for them.
pub(super) fn items(draft: &mut Draft<'_>, prefix: &str) -> Option<Vec<Json>> {
    let mut items: Vec<(usize, Json)> = Vec::new();
    for (rest, value) in draft.received.below(prefix) {
        let Some((index, path)) = rest.split_once('.') else { continue };
        let Ok(index) = index.parse::<usize>() else { continue };
        if items.last().is_none_or(|(known, _)| *known != index) {
            // By name: the leaves of an item stand together.
            draft.room.take_object().ok()?;
            items.push((index, Json::Object(Map::new())));
        }
        let Some((_, mut node)) = items.last_mut().map(|(index, node)| (index, node)) else { continue };
        let mut parts = path.splitn(MAX_PARTS, '.').peekable();
        while let Some(part) = parts.next() {
            let Json::Object(members) = node else { break };
            if parts.peek().is_none() {
                members.insert(part.to_owned(), plain(value));
                break;
            }
            if !members.contains_key(part) {
                draft.room.take_object().ok()?;
            }
            node = members.entry(part.to_owned()).or_insert_with(|| Json::Object(Map::new()));
        }
    }
    items.sort_by_key(|(index, _)| *index);
    (!items.is_empty()).then(|| items.into_iter().map(|(_, item)| item).collect())
}

/// The items of a list within an item.
pub(super) fn list<'j>(node: &'j Json, name: &str) -> Vec<&'j Json> {
    let members = node.get(name).and_then(Json::as_object).into_iter().flatten();
    let mut items: Vec<(usize, &Json)> =
        members.filter_map(|(index, item)| Some((index.parse().ok()?, item))).collect();
    items.sort_by_key(|(index, _)| *index);
    items.into_iter().map(|(_, item)| item).collect()
}

/// A text of an item; empty texts are none.
pub(super) fn text<'j>(node: &'j Json, name: &str) -> Option<&'j str> {
    node.get(name).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// Takes out the leaves that begin with `prefix` and end with one of these.
pub(super) fn take(draft: &mut Draft<'_>, prefix: &str, leaves: &[&str]) {
    for (rest, value) in draft.received.take_below(prefix) {
        let is_known =
            leaves.iter().any(|leaf| rest.strip_suffix(leaf).is_some_and(|rest| rest.ends_with('.')));
        if !is_known {
            draft.received.put(&format!("{prefix}{rest}"), value);
        }
    }
}

fn plain(value: &Value) -> Json {
    crate::otlp::read::protobuf::to_json(value.clone())
}
