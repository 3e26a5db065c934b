//! Lines of a body into the JSON items in it: server-sent events, or JSON lines, or one JSON document.
//!
//! Server-sent events are read as the HTML standard has it
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>), save that an
//! item is handed on as soon as its data is whole JSON: some servers leave out the blank line between events.

use serde_json::Value;

/// Longest line, and longest item over several lines, in bytes; what is longer is skipped.
pub(super) const MAX_LINE_BYTES: usize = 1024 * 1024;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One thing found in a body.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// A JSON item.
    Item(Value),
    /// The closing `[DONE]`.
    Done,
}

/// The state between two chunks of a body.
#[derive(Clone, Debug, Default)]
pub(super) struct Framing {
    /// The line that is not over yet.
    line: Vec<u8>,
    /// Whether that line is too long already.
    skipping: bool,
    /// Whether the last byte was a carriage return, whose line feed may follow.
    after_return: bool,
    /// Data lines that are no whole JSON yet.
    data: Vec<u8>,
    form: Form,
}

/// How a body holds its items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// Not told yet.
    #[default]
    Unknown,
    /// Events.
    Events,
    /// JSON without framing.
    Plain,
}

impl Framing {
    /// Takes the next bytes of the body and hands on what is whole.
    pub(super) fn push(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Found)) {
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.after_return) {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = bytes.split_at(end);
            self.extend(head);
            self.end_line(found);
            let is_return = tail.first() == Some(&b'\r');
            let ending = if is_return && tail.get(1) == Some(&b'\n') { 2 } else { 1 };
            bytes = tail.get(ending..).unwrap_or_default();
            self.after_return = is_return && ending == 1 && bytes.is_empty();
        }
        self.extend(bytes);
    }

    /// Ends the body: hands on what is whole without its last line ending.
    pub(super) fn finish(&mut self, found: &mut impl FnMut(Found)) {
        self.end_line(found);
        self.end_event(found);
        *self = Self::default();
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.skipping || self.line.len().saturating_add(bytes.len()) > MAX_LINE_BYTES {
            self.skipping = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, found: &mut impl FnMut(Found)) {
        let mut whole = std::mem::take(&mut self.line);
        if !std::mem::take(&mut self.skipping) {
            let mut line = whole.as_slice();
            if self.form == Form::Unknown {
                line = line.strip_prefix(BOM).unwrap_or(line);
                self.form = match line.trim_ascii_start().first() {
                    None => Form::Unknown,
                    Some(b'{') => Form::Plain,
                    Some(_) => Form::Events,
                };
            }
            self.take_line(line, found);
        }
        whole.clear();
        self.line = whole;
    }

    fn take_line(&mut self, line: &[u8], found: &mut impl FnMut(Found)) {
        if self.form == Form::Plain {
            return self.take_data(line, found);
        }
        if line.is_empty() {
            return self.end_event(found);
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            self.take_data(data.strip_prefix(b" ").unwrap_or(data), found);
        }
    }

    fn take_data(&mut self, line: &[u8], found: &mut impl FnMut(Found)) {
        if self.data.is_empty() {
            let trimmed = line.trim_ascii();
            if trimmed.is_empty() {
                return;
            }
            if trimmed == b"[DONE]" {
                return found(Found::Done);
            }
            if trimmed.ends_with(b"}")
                && let Ok(item) = serde_json::from_slice(trimmed)
            {
                return found(Found::Item(item));
            }
        }
        if self.data.len().saturating_add(line.len()) < MAX_LINE_BYTES {
            self.data.extend_from_slice(line);
            self.data.push(b'\n');
        }
    }

    fn end_event(&mut self, found: &mut impl FnMut(Found)) {
        if let Ok(item) = serde_json::from_slice(&self.data) {
            found(Found::Item(item));
        }
        self.data.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<Found> {
        let mut all = Vec::new();
        let mut framing = Framing::default();
        for chunk in chunks {
            framing.push(chunk, &mut |found| all.push(found));
        }
        framing.finish(&mut |found| all.push(found));
        all
    }

    fn check(body: &str, expected: &[Value]) {
        let items = |found: Vec<Found>| -> Vec<Value> {
            let of = |found| match found {
                Found::Item(item) => item,
                Found::Done => json!("DONE"),
            };
            found.into_iter().map(of).collect()
        };
        assert_eq!(items(read(&[body.as_bytes()])), expected, "{body:?}");
        let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        assert_eq!(items(read(&bytes)), expected, "{body:?} byte by byte");
        let pairs: Vec<&[u8]> = body.as_bytes().chunks(2).collect();
        assert_eq!(items(read(&pairs)), expected, "{body:?} two by two");
    }

    #[test]
    fn every_framing_is_read() {
        let (a, b) = (json!({"a": 1}), json!({"b": 2}));
        let both = [a.clone(), b.clone()];
        check("data: {\"a\":1}\n\ndata: {\"b\":2}\n\n", &both);
        check("data:{\"a\":1}\r\n\r\ndata:{\"b\":2}\r\n\r\n", &both);
        check("data: {\"a\":1}\r\rdata: {\"b\":2}\r\r", &both);
        check("\u{feff}data: {\"a\":1}\n\ndata: {\"b\":2}", &both);
        check("data: {\"a\":1}\ndata: {\"b\":2}\n", &both);
        check("data: {\"a\":\ndata: 1}\n\nevent: x\nid: 1\n: comment\ndata: {\"b\":2}\n\n", &both);
        check(
            ": OPENROUTER PROCESSING\n\n\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n",
            &[a.clone(), json!("DONE")],
        );
        check("data: {\"a\":1\n\ndata: {\"b\":2}\n\n", std::slice::from_ref(&b));
        check("{\"a\":1}\n{\"b\":2}\n", &both);
        check("{\n  \"a\": 1\n}\n", std::slice::from_ref(&a));
        check("\n{\"a\":1}", &[a]);
        check("<html>\n\n</html>", &[]);
        check("", &[]);
    }

    #[test]
    fn a_line_over_the_bound_is_skipped_and_the_next_is_read() {
        let long = format!("data: {{\"a\":\"{}\"}}\n\ndata: {{\"b\":2}}\n\n", "x".repeat(MAX_LINE_BYTES));
        let expected = [Found::Item(json!({"b": 2}))];
        assert_eq!(read(&[long.as_bytes()]), expected);
        assert_eq!(read(&long.as_bytes().chunks(4096).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_skipped() {
        assert_eq!(read(&[b"data: \xff\xfe}\n\n", b"data: {}\n\n"]), [Found::Item(json!({}))]);
    }
}
