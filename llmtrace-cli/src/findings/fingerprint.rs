//! Whether two spans were given the same.

use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::io;

use llmtrace::{Message, SpanRecord, semconv};
use serde::Serialize;

/// A number that two spans share if they were given the same; `None` where nothing is known of what they were given.
pub(super) fn of_input(span: &SpanRecord) -> Option<u64> {
    let arguments = [semconv::TOOL_CALL_ARGUMENTS, semconv::ARGUMENTS]
        .into_iter()
        .find_map(|key| span.attributes.get(key));
    match arguments {
        Some(arguments) => Some(of(arguments)),
        None => of_messages(&span.input),
    }
}

/// A number that two spans share if they gave back the same; `None` where nothing is known of that.
pub(super) fn of_output(span: &SpanRecord) -> Option<u64> {
    match span.attributes.get(semconv::TOOL_CALL_RESULT) {
        Some(result) => Some(of(result)),
        None => of_messages(&span.output),
    }
}

fn of_messages(messages: &[Message]) -> Option<u64> {
    (!messages.is_empty()).then(|| of(messages))
}

/// A number that texts or JSON values share if they are the same, in whatever order members of objects stand.
pub(super) fn of(value: &(impl Serialize + ?Sized)) -> u64 {
    // What cannot be written is like nothing.
    let mut value = serde_json::to_value(value).unwrap_or_default();
    value.sort_all_objects();
    let mut hashed = Hashed(DefaultHasher::new());
    drop(serde_json::to_writer(&mut hashed, &value));
    hashed.0.finish()
}

/// A number for something under a name.
pub(super) fn named(name: &str, value: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, value).hash(&mut hasher);
    hasher.finish()
}

/// A number for a text.
pub(super) fn of_text(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

struct Hashed(DefaultHasher);

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::of;

    #[test]
    fn the_order_of_members_makes_no_difference() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let one = of(&read(r#"[{"a": {"c": 1, "d": [2]}, "b": "x"}]"#));
        assert_eq!(one, of(&read(r#"[{"b": "x", "a": {"d": [2], "c": 1}}]"#)));
        assert_ne!(one, of(&json!([{"a": {"c": 1, "d": [3]}, "b": "x"}])));
        assert_ne!(of(&json!([1, 2])), of(&json!([2, 1])));
    }
}
