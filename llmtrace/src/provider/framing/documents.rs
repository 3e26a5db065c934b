use super::{Found, MAX_ITEM_BYTES, clear, parse};

/// Levels of nesting whose brackets are remembered: as deep as `serde_json` reads.
const KNOWN_LEVELS: u32 = 128;

/// Finds JSON objects that follow each other: one document over many lines, one a line, or the elements of a list.
///
/// Each byte is looked at once, and an object is parsed once, when it is whole. What cannot be JSON, as after a
/// line that was cut off, is dropped, and reading goes on with the next object.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    /// The beginning of the object that is not over yet, from earlier chunks.
    kept: Vec<u8>,
    /// Whether that object is too long, or nested too deeply, to be read.
    is_lost: bool,
    /// Objects and lists that are open; 0 between objects.
    depth: u32,
    /// For each open level, the innermost lowest, whether it is a list.
    lists: u128,
    /// The last byte that was neither blank nor within a text.
    last: u8,
    text: Text,
    /// Whether a line has just begun.
    is_line_start: bool,
}

/// Where the reader is within a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

/// What a byte does to the object.
enum Step {
    On,
    /// A new object begins here; what stood before is dropped.
    Begin,
    /// The object is over with this byte.
    End,
}

impl Documents {
    /// Takes the next bytes and hands on the objects that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], found: &mut impl FnMut(Found)) {
        let mut start = 0;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.text == Text::Inside {
                let rest = bytes.get(at..).unwrap_or_default();
                let plain = memchr::memchr3(b'"', b'\\', b'\n', rest);
                let Some(plain) = plain else { break };
                at += plain;
                self.end_text(rest.get(plain).copied().unwrap_or_default());
            } else if self.text == Text::Outside && is_of_word(*byte) {
                let rest = bytes.get(at..).unwrap_or_default();
                at += rest.iter().position(|byte| !is_of_word(*byte)).unwrap_or(rest.len());
                self.last = *byte;
                self.is_line_start = false;
                continue;
            } else {
                match self.step(*byte) {
                    Step::On => {}
                    Step::Begin => {
                        start = at;
                        self.drop_kept();
                    }
                    Step::End => self.hand_on(bytes.get(start..=at).unwrap_or_default(), found),
                }
            }
            at += 1;
        }
        if self.depth > 0 {
            self.keep(bytes.get(start..).unwrap_or_default());
        }
    }

    /// Whether no object is open.
    pub(super) fn is_between(&self) -> bool {
        self.depth == 0
    }

    /// Drops the object that is open.
    pub(super) fn reset(&mut self) {
        self.depth = 0;
        self.text = Text::Outside;
        self.drop_kept();
    }

    /// Takes a byte that ends the plain part of a text.
    fn end_text(&mut self, byte: u8) {
        match byte {
            b'\\' => self.text = Text::Escaped,
            b'"' => self.text = Text::Outside,
            // No text goes over a line: what is open was cut off.
            _ => {
                self.reset();
                self.is_line_start = true;
            }
        }
    }

    fn step(&mut self, byte: u8) -> Step {
        if self.text == Text::Escaped {
            self.text = Text::Inside;
            return Step::On;
        }
        let is_line_start = std::mem::replace(&mut self.is_line_start, matches!(byte, b'\n' | b'\r'));
        let mut step = Step::On;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => return Step::On,
            b'"' => self.text = Text::Inside,
            b'{' if self.depth == 0 || self.is_torn(is_line_start) => {
                self.depth = 0;
                self.open(false);
                step = Step::Begin;
            }
            b'{' | b'[' if self.depth > 0 => self.open(byte == b'['),
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                self.lists >>= 1;
                if self.depth == 0 {
                    step = Step::End;
                }
            }
            _ => {}
        }
        self.last = byte;
        step
    }

    /// Whether a brace here shows that what is open was cut off: it stands where no object may, or begins a line
    /// where the brackets are not known any more.
    fn is_torn(&self, is_line_start: bool) -> bool {
        let is_in_list = self.lists & 1 == 1;
        let takes_object = matches!(self.last, b':' | b'[') || self.last == b',' && is_in_list;
        if self.is_lost { is_line_start } else { !takes_object }
    }

    fn open(&mut self, is_list: bool) {
        self.depth = self.depth.saturating_add(1);
        self.lists = self.lists << 1 | u128::from(is_list);
        if self.depth > KNOWN_LEVELS {
            self.is_lost = true;
            self.kept = Vec::new();
        }
    }

    fn hand_on(&mut self, tail: &[u8], found: &mut impl FnMut(Found)) {
        let is_here = self.kept.is_empty() && !self.is_lost && tail.len() <= MAX_ITEM_BYTES;
        let item = if is_here {
            parse(tail)
        } else {
            self.keep(tail);
            parse(&self.kept)
        };
        self.drop_kept();
        if let Some(item) = item {
            found(Found::Item(item));
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.is_lost || self.kept.len().saturating_add(bytes.len()) > MAX_ITEM_BYTES {
            self.is_lost = true;
            self.kept = Vec::new();
        } else {
            self.kept.extend_from_slice(bytes);
        }
    }

    fn drop_kept(&mut self) {
        self.is_lost = false;
        clear(&mut self.kept);
    }
}

/// Whether a byte outside of texts is part of a number or a word.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+')
}
