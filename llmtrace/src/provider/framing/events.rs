use super::documents::Documents;
use super::lines::Lines;
use super::{Found, parse};

/// Reads server-sent events.
///
/// They are read as the HTML standard has it
/// (<https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>), save that an
/// item is handed on as soon as its data is whole JSON: some servers leave out the blank line between events.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    lines: Lines,
    data: Data,
}

/// The data of the event that is not over yet.
#[derive(Clone, Debug, Default)]
struct Data {
    /// Data lines that are no whole JSON yet.
    parts: Documents,
}

impl Events {
    /// Takes the next bytes and hands on what is whole.
    pub(super) fn push(&mut self, bytes: &[u8], found: &mut impl FnMut(Found)) {
        let Self { lines, data } = self;
        lines.push(bytes, &mut |line| data.take_line(line, found));
    }

    /// Ends the body, its last line included.
    pub(super) fn finish(&mut self, found: &mut impl FnMut(Found)) {
        let Self { lines, data } = self;
        lines.finish(&mut |line| data.take_line(line, found));
    }
}

impl Data {
    fn take_line(&mut self, line: &[u8], found: &mut impl FnMut(Found)) {
        if line.is_empty() {
            self.parts.reset();
        } else if let Some(data) = line.strip_prefix(b"data:") {
            self.take_data(data.strip_prefix(b" ").unwrap_or(data), found);
        }
    }

    fn take_data(&mut self, data: &[u8], found: &mut impl FnMut(Found)) {
        if self.parts.is_between() {
            let trimmed = data.trim_ascii();
            if trimmed == b"[DONE]" {
                return found(Found::Done);
            }
            if trimmed.starts_with(b"{")
                && trimmed.ends_with(b"}")
                && let Some(item) = parse(trimmed)
            {
                return found(Found::Item(item));
            }
        }
        self.parts.push(data, found);
        self.parts.push(b"\n", found);
    }
}
