//! Stream items laid over each other until they are the body of a whole response.

use serde_json::{Map, Value};

/// Most text kept of one part of a message, in bytes; what is longer is cut, and counts are not affected.
pub(super) const MAX_PART_BYTES: usize = 1024 * 1024;

/// Most kept of one response, all its parts together, in bytes.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Most elements kept of one list, such as choices, tool calls or blocks of content.
pub(super) const MAX_ELEMENTS: usize = 1024;

/// What a part costs besides its text, in bytes.
const PART_BYTES: usize = 128;

/// Deepest level of JSON that is weighed: as deep as `serde_json` reads.
const MAX_DEPTH: usize = 128;

/// The state of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Fold {
    /// The body so far.
    pub(super) body: Value,
    /// Whether something that a reader would see has arrived.
    pub(super) content: bool,
    /// Whether everything has arrived, the usage included where there is one.
    pub(super) ended: bool,
    /// Whether the stream comes as bytes, so that its closing `[DONE]` can be seen.
    pub(super) framed: bool,
    /// What may still be kept.
    pub(super) room: Room,
}

/// `is_item` of an API that does not stream.
pub(super) fn no_item(_: &Value) -> bool {
    false
}

/// `fold` of an API that does not stream: an object that comes all the same is laid over the body.
pub(super) fn whole(item: &Value, fold: &mut Fold) {
    if item.is_object() {
        fold.room.overlay(&mut fold.body, item);
    }
}

/// How much may still be kept of a stream.
#[derive(Clone, Debug)]
pub(super) struct Room {
    left: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { left: MAX_RESPONSE_BYTES }
    }
}

impl Room {
    /// Appends `text` to the text in `target`, as far as there is room.
    pub(super) fn append(&mut self, target: &mut Value, text: &str) {
        if !target.is_string() {
            *target = Value::String(String::new());
        }
        let Value::String(whole) = target else { return };
        let mut fits = text.len().min(self.left).min(MAX_PART_BYTES.saturating_sub(whole.len()));
        while !text.is_char_boundary(fits) {
            fits -= 1;
        }
        whole.push_str(text.get(..fits).unwrap_or_default());
        self.left -= fits;
    }

    /// Sets `target` to a copy of `value` if there is room for it; what was there makes room.
    pub(super) fn put(&mut self, target: &mut Value, value: &Value) {
        self.left = self.left.saturating_add(weight(target, MAX_DEPTH)).min(MAX_RESPONSE_BYTES);
        *target = self.copy(value).unwrap_or_default();
    }

    /// Sets `key` if `later` has a value for it that is neither null nor an empty text.
    pub(super) fn set(&mut self, value: &mut Value, key: &str, later: &Value) {
        let later = later.get(key).filter(|later| !later.is_null() && later.as_str() != Some(""));
        if let Some(later) = later
            && value.get(key) != Some(later)
        {
            self.put(child(value, key), later);
        }
    }

    /// Lays `later` over `value`: objects field by field, and null replaces nothing.
    pub(super) fn overlay(&mut self, value: &mut Value, later: &Value) {
        match later {
            Value::Null => {}
            Value::Object(later) => {
                for (key, later) in later.iter().filter(|(_, later)| !later.is_null()) {
                    if value.get(key).is_some() || self.take(key.len().saturating_add(PART_BYTES)) {
                        self.overlay(child(value, key), later);
                    }
                }
            }
            later if later == value => {}
            later => self.put(value, later),
        }
    }

    /// A copy of `value` if there is room for it.
    pub(super) fn copy(&mut self, value: &Value) -> Option<Value> {
        self.take(weight(value, MAX_DEPTH)).then(|| value.clone())
    }

    /// A copy of `value`; where there is no room for all of it, of those of its fields that fit, small ones first.
    pub(super) fn copy_fields(&mut self, value: &Value) -> Value {
        if let Some(copy) = self.copy(value) {
            return copy;
        }
        let mut fields: Vec<_> = value.as_object().into_iter().flatten().collect();
        fields.sort_by_cached_key(|(_, field)| weight(field, MAX_DEPTH));
        let copies = fields.into_iter().filter_map(|(key, field)| Some((key.clone(), self.copy(field)?)));
        copies.collect::<Map<_, _>>().into()
    }

    /// The element of a list whose `index` is `index`; it is made where it is not there yet and there is room.
    pub(super) fn at<'a>(&mut self, list: &'a mut Value, index: u64) -> Option<&'a mut Value> {
        let list = elements(list)?;
        let index_of = |element: &Value| element.get("index").and_then(Value::as_u64).unwrap_or_default();
        let place = list.partition_point(|element| index_of(element) < index);
        if list.get(place).is_none_or(|element| index_of(element) != index) {
            if list.len() >= MAX_ELEMENTS || !self.take(PART_BYTES) {
                return None;
            }
            list.insert(place, Value::Object(Map::from_iter([("index".to_owned(), index.into())])));
        }
        list.get_mut(place)
    }

    /// A new last element of a list, if there is room for it.
    pub(super) fn push<'a>(&mut self, list: &'a mut Value, element: Value) -> Option<&'a mut Value> {
        let end = list.as_array().map_or(0, Vec::len);
        self.insert(list, end, element)
    }

    /// A new element of a list at `place`, or at its end, if there is room for it.
    pub(super) fn insert<'a>(
        &mut self,
        list: &'a mut Value,
        place: usize,
        element: Value,
    ) -> Option<&'a mut Value> {
        let list = elements(list)?;
        if list.len() >= MAX_ELEMENTS || !self.take(PART_BYTES) {
            return None;
        }
        let place = place.min(list.len());
        list.insert(place, element);
        list.get_mut(place)
    }

    fn take(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.left;
        if fits {
            self.left -= bytes;
        }
        fits
    }
}

/// The value under `key`, null where there is none; what is no object becomes one.
pub(super) fn child<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Null;
    }
    // On null and on an object, indexing makes the field and cannot panic.
    &mut value[key]
}

/// The list in `value`; what is no list becomes one.
fn elements(value: &mut Value) -> Option<&mut Vec<Value>> {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut()
}

/// About how many bytes a copy of `value` takes.
fn weight(value: &Value, depth: usize) -> usize {
    let Some(depth) = depth.checked_sub(1) else { return usize::MAX };
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(|value| weight(value, depth)).fold(0, usize::saturating_add),
        Value::Object(fields) => {
            let weights = fields.iter().map(|(key, value)| key.len().saturating_add(weight(value, depth)));
            weights.fold(0, usize::saturating_add)
        }
        _ => 0,
    };
    inner.saturating_add(size_of::<Value>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_cut_at_the_bound_of_a_part_and_of_the_response() {
        let mut room = Room::default();
        let mut part = Value::Null;
        let euros = "€".repeat(MAX_PART_BYTES / 3 + 10);
        room.append(&mut part, &euros);
        let kept = part.as_str().unwrap();
        assert_eq!(kept.len(), MAX_PART_BYTES / 3 * 3);
        assert!(kept.chars().all(|c| c == '€'));

        let mut body = Value::Null;
        for index in 0..100 {
            if let Some(part) = room.at(&mut body, index) {
                room.append(child(part, "text"), &euros);
            }
        }
        let total: usize =
            body.as_array().unwrap().iter().map(|part| part["text"].as_str().map_or(0, str::len)).sum();
        assert!(total <= MAX_RESPONSE_BYTES && total > MAX_RESPONSE_BYTES - 2 * MAX_PART_BYTES, "{total}");
        assert!(room.copy(&json!({"a": euros})).is_none());
    }

    #[test]
    fn null_replaces_nothing() {
        let mut value = json!({"a": 1, "b": {"c": 2, "d": 3}});
        Room::default().overlay(&mut value, &json!({"a": null, "b": {"c": 4, "d": null}, "e": [1]}));
        assert_eq!(value, json!({"a": 1, "b": {"c": 4, "d": 3}, "e": [1]}));
    }

    #[test]
    fn elements_stand_in_the_order_of_their_index() {
        let mut list = Value::Null;
        let mut room = Room::default();
        for index in [2, 0, 1, 2] {
            room.at(&mut list, index);
        }
        assert_eq!(list, json!([{"index": 0}, {"index": 1}, {"index": 2}]));
    }

    #[test]
    fn of_what_is_not_streamed_objects_are_kept() {
        let mut fold = Fold::default();
        for item in
            [json!({"id": "a", "usage": {"n": 1}}), json!("noise"), json!([1]), json!({"usage": {"m": 2}})]
        {
            whole(&item, &mut fold);
        }
        assert_eq!(fold.body, json!({"id": "a", "usage": {"n": 1, "m": 2}}));
        assert!(!fold.ended && !fold.content);
    }
}
