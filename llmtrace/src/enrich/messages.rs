//! Messages as nearly everybody writes them, read without a parser's detours.

use memchr::memchr2;

use crate::{Message, Part, Role};

/// Reads messages whose parts are all text or reasoning, as `serde_json` would; `None` for any other JSON, and for what
/// is none.
pub(super) fn plain(text: &str) -> Option<Vec<Message>> {
    let mut reader = Reader { text, at: 0 };
    let messages = reader.list(Reader::message)?;
    reader.skip_blanks();
    (reader.at == text.len()).then_some(messages)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn message(&mut self) -> Option<Message> {
        let (mut role, mut parts, mut reason) = (None, None, None);
        self.members(|reader, name| {
            let is_new = match name {
                "role" => role.replace(Role::from(reader.string()?.as_str())).is_none(),
                "parts" => parts.replace(reader.list(Reader::part)?).is_none(),
                "finish_reason" => reason.replace(reader.string()?).is_none(),
                _ => false,
            };
            is_new.then_some(())
        })?;
        let mut message = Message::new(role?, parts?);
        message.finish_reason = reason;
        Some(message)
    }

    fn part(&mut self) -> Option<Part> {
        let (mut is_reasoning, mut content) = (None, None);
        self.members(|reader, name| {
            let is_new = match name {
                "type" => {
                    let kind = match reader.word()? {
                        "text" => false,
                        "reasoning" => true,
                        _ => return None,
                    };
                    is_reasoning.replace(kind).is_none()
                }
                "content" => content.replace(reader.string()?).is_none(),
                _ => false,
            };
            is_new.then_some(())
        })?;
        let content = content?;
        Some(if is_reasoning? { Part::Reasoning { content } } else { Part::Text { content } })
    }

    /// Reads `[...]` of at least one item.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.sign(b'[')?;
        let mut items = Vec::with_capacity(1);
        loop {
            items.push(item(self)?);
            if self.is_last(b']')? {
                return Some(items);
            }
        }
    }

    /// Reads `{...}` of at least one member, and has each value read by its name.
    fn members(&mut self, mut value: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.sign(b'{')?;
        loop {
            let name = self.word()?;
            self.sign(b':')?;
            value(self, name)?;
            if self.is_last(b'}')? {
                return Some(());
            }
        }
    }

    fn is_last(&mut self, end: u8) -> Option<bool> {
        self.skip_blanks();
        let byte = self.byte()?;
        self.at += 1;
        (byte == b',' || byte == end).then_some(byte == end)
    }

    fn sign(&mut self, sign: u8) -> Option<()> {
        self.skip_blanks();
        if self.byte()? != sign {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }
}

impl<'t> Reader<'t> {
    /// A string without escapes.
    fn word(&mut self) -> Option<&'t str> {
        self.sign(b'"')?;
        let (run, end) = self.run()?;
        (end == b'"').then_some(run)
    }

    /// A string with none but the one-letter escapes.
    fn string(&mut self) -> Option<String> {
        self.sign(b'"')?;
        let (run, end) = self.run()?;
        if end == b'"' {
            return Some(run.to_owned());
        }
        let mut string = String::with_capacity(2 * run.len() + 16);
        string.push_str(run);
        loop {
            string.push(match self.byte()? {
                escaped @ (b'"' | b'\\' | b'/') => char::from(escaped),
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                _ => return None,
            });
            self.at += 1;
            let (run, end) = self.run()?;
            string.push_str(run);
            if end == b'"' {
                return Some(string);
            }
        }
    }

    /// The characters up to the next quote or backslash, and which it was; it is passed.
    fn run(&mut self) -> Option<(&'t str, u8)> {
        let rest = self.text.get(self.at..)?;
        let len = memchr2(b'"', b'\\', rest.as_bytes())?;
        let (run, end) = (rest.get(..len)?, *rest.as_bytes().get(len)?);
        // Folded to the end, so that many bytes are looked at at once.
        let least = run.bytes().fold(u8::MAX, u8::min);
        self.at += len + 1;
        (least >= b' ').then_some((run, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_a_parser_reads() {
        let check = |text: &str| {
            let parsed: Vec<Message> = serde_json::from_str(text).unwrap();
            assert_eq!(plain(text), Some(parsed), "{text}");
        };
        check(r#"[{"role":"user","parts":[{"type":"text","content":"Why?"}]}]"#);
        check(r#"[{"parts":[{"content":"Why?","type":"text"}],"role":"user"}]"#);
        check(
            " [ { \"role\" : \"user\" , \"parts\" : [ { \"type\" : \"text\" , \"content\" : \"\" } ] } ]\n",
        );
        check(
            r#"[{"role":"system","parts":[{"type":"text","content":"a\nb\t\"c\"\\d\/\b\f\r"},{"type":"reasoning","content":"ä€😀"}]},
            {"role":"critic","parts":[{"type":"text","content":"\\"}],"finish_reason":"stop"}]"#,
        );
    }

    #[test]
    fn all_else_is_left_to_the_parser() {
        let check = |text: &str| assert_eq!(plain(text), None, "{text}");
        check("");
        check("[]");
        check("Why is the sky blue?");
        check(r#"[{"role":"user","parts":[]}]"#);
        check(r#"[{"role":"user"}]"#);
        check(r#"[{"parts":[{"type":"text","content":"x"}]}]"#);
        check(r#"[{"role":"user","content":"x"}]"#);
        check(r#"[{"role":"user","role":"user","parts":[{"type":"text","content":"x"}]}]"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"x","content":"y"}]}]"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"x","more":1}]}]"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":{"a":1}}]}]"#);
        check(r#"[{"role":"user","parts":[{"type":"text"}]}]"#);
        check(r#"[{"role":"user","parts":[{"content":"x"}]}]"#);
        check(r#"[{"role":"user","parts":[{"type":"uri","content":"x"}]}]"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"\u00e4"}]}]"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"\x"}]}]"#);
        check("[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"a\nb\"}]}]");
        check(r#"[{"role":"user","parts":[{"type":"text","content":"x"}]}] x"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"x"}]},]"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"x"}"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"x"#);
        check(r#"[{"role":"user","parts":[{"type":"text","content":"x\"#);
    }
}
