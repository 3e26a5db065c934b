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

/// A number that texts or JSON values share if they are the same.
pub(super) fn of(value: &(impl Serialize + ?Sized)) -> u64 {
    let mut hashed = Hashed(DefaultHasher::new());
    // What cannot be written has written a part of itself, which will do.
    drop(serde_json::to_writer(&mut hashed, value));
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
