//! What text may be kept.

use std::io::{self, Write};

/// Whether prompts, completions, arguments and results are kept.
///
/// ```
/// # use llmtrace::ContentPolicy;
/// assert_eq!(ContentPolicy::default(), ContentPolicy::Keep);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentPolicy {
    /// Keep them.
    #[default]
    Keep,
    /// Never copy them: models, token counts, costs and finish reasons are still read.
    Omit,
}

/// Argument names that mean a secret. A name counts if it is one of these, or ends in `_` and one of these.
const SECRET_NAMES: &[&str] = &[
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "credential",
    "credentials",
    "password",
    "passwd",
    "private_key",
    "pwd",
    "secret",
    "secrets",
    "secret_key",
    "token",
    "access_key",
    "key_secret",
];

/// Whether an argument of this name is never captured. Asked at compile time, once an argument.
pub const fn is_secret_name(name: &str) -> bool {
    let mut secrets = SECRET_NAMES;
    while let [secret, rest @ ..] = secrets {
        if ends_as(name.as_bytes(), secret.as_bytes()) {
            return true;
        }
        secrets = rest;
    }
    false
}

/// Whether the name is the word, or ends in `_` and the word, in any case.
const fn ends_as(mut name: &[u8], mut word: &[u8]) -> bool {
    while let ([name_rest @ .., a], [word_rest @ .., b]) = (name, word) {
        if !a.eq_ignore_ascii_case(b) {
            return false;
        }
        (name, word) = (name_rest, word_rest);
    }
    word.is_empty() && matches!(name, [] | [.., b'_' | b'#'])
}

/// JSON keys whose text values are names and states, not content.
const KEPT_KEYS: &[&str] = &[
    "id",
    "model",
    "object",
    "type",
    "role",
    "finish_reason",
    "stop_reason",
    "status",
    "service_tier",
    "speed",
    "inference_geo",
    "code",
    "reason",
    "system_fingerprint",
    "event",
    "effort",
    "provider",
];

/// JSON keys of objects whose keys and texts are all the user's.
const HIDDEN_OBJECTS: &[&str] =
    &["input", "arguments", "parameters", "input_schema", "schema", "metadata", "args"];

/// Longest text kept under [`KEPT_KEYS`], in bytes.
const MAX_KEPT_BYTES: usize = 128;

/// Copies JSON without its texts: structure, numbers and the names under [`KEPT_KEYS`] pass, every other string
/// becomes `""`. Works on bytes in any chunking and holds no text longer than a name.
pub(crate) struct Pruner<W> {
    out: W,
    state: State,
    /// The last complete string at key position, if it is short.
    key: Short,
    text: Short,
    /// Whether each open bracket is an object (bit set); deeper nesting than 64 is treated as arrays.
    objects: u64,
    depth: u32,
    expects_key: bool,
    keep: bool,
    /// The depth of the outermost of [`HIDDEN_OBJECTS`] that is open; 0 for none.
    hidden: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Outside,
    Inside,
    Escape,
}

#[derive(Clone, Copy)]
struct Short {
    bytes: [u8; MAX_KEPT_BYTES],
    len: usize,
}

impl Short {
    const EMPTY: Self = Self { bytes: [0; MAX_KEPT_BYTES], len: 0 };

    /// `false` once the text is too long to be a name.
    fn push(&mut self, byte: u8) -> bool {
        match self.bytes.get_mut(self.len) {
            Some(slot) => *slot = byte,
            None => return false,
        }
        self.len += 1;
        true
    }

    fn get(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl<W: Write> Pruner<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            state: State::Outside,
            key: Short::EMPTY,
            text: Short::EMPTY,
            objects: 0,
            depth: 0,
            expects_key: false,
            keep: false,
            hidden: 0,
        }
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.depth <= 64 && self.objects >> (self.depth - 1) & 1 == 1
    }

    fn outside(&mut self, byte: u8) -> io::Result<()> {
        match byte {
            b'{' | b'[' => {
                self.depth += 1;
                if (1..=64).contains(&self.depth) {
                    let bit = 1 << (self.depth - 1);
                    self.objects = if byte == b'{' { self.objects | bit } else { self.objects & !bit };
                }
                let is_hidden = || HIDDEN_OBJECTS.iter().any(|key| key.as_bytes() == self.key.get());
                if self.hidden == 0 && byte == b'{' && !self.expects_key && is_hidden() {
                    self.hidden = self.depth;
                }
                self.key = Short::EMPTY;
                self.expects_key = byte == b'{';
            }
            b'}' | b']' => {
                if self.hidden == self.depth {
                    self.hidden = 0;
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b',' => self.expects_key = self.in_object(),
            b':' => self.expects_key = false,
            b'"' => {
                self.state = State::Inside;
                self.text = Short::EMPTY;
                let is_kept = || KEPT_KEYS.iter().any(|key| key.as_bytes() == self.key.get());
                self.keep = self.hidden == 0 && (self.expects_key || is_kept());
                return Ok(());
            }
            _ => {}
        }
        self.out.write_all(&[byte])
    }

    fn end_of_text(&mut self) -> io::Result<()> {
        self.state = State::Outside;
        if self.expects_key {
            self.key = self.text;
        }
        self.out.write_all(b"\"")?;
        if self.keep {
            self.out.write_all(self.text.get())?;
        }
        self.out.write_all(b"\"")
    }
}

impl<W: Write> Write for Pruner<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            match (self.state, byte) {
                (State::Outside, _) => self.outside(byte)?,
                (State::Inside, b'"') => self.end_of_text()?,
                (state, _) => {
                    self.state =
                        if state == State::Inside && byte == b'\\' { State::Escape } else { State::Inside };
                    let is_name = byte.is_ascii_alphanumeric() || b"_.:/@-".contains(&byte);
                    self.keep = self.keep && is_name && self.text.push(byte);
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies a JSON body, or the JSON of server-sent events, without its texts; `false` if it is neither.
pub(crate) fn prune(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    if is_json(bytes) {
        return Pruner::new(out).write_all(bytes).is_ok();
    }
    let payloads = bytes.split(|&byte| byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
    for payload in payloads.filter(|payload| is_json(payload)) {
        out.extend_from_slice(b"data:");
        let _ = Pruner::new(&mut *out).write_all(payload);
        out.extend_from_slice(b"\n\n");
    }
    !out.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_a_secret_are_known() {
        for secret in [
            "api_key",
            "openai_api_key",
            "token",
            "_token",
            "access_token",
            "PASSWORD",
            "db_password",
            "r#auth",
        ] {
            assert!(is_secret_name(secret), "{secret}");
        }
        for harmless in ["tokens", "max_tokens", "tokenizer", "question", "keyword", "secretary", "author"] {
            assert!(!is_secret_name(harmless), "{harmless}");
        }
    }

    #[test]
    fn only_json_is_copied() {
        let check = |bytes: &str, expected: Option<&str>| {
            let mut out = Vec::new();
            let copied = prune(bytes.as_bytes(), &mut out).then(|| String::from_utf8(out).unwrap());
            assert_eq!(copied.as_deref(), expected);
        };
        check("call 555-1234", None);
        check("{call 555-1234}", None);
        check(r#"{"content":"hi"}"#, Some(r#"{"content":""}"#));
        check(
            "event: x\ndata: {\"type\":\"delta\",\"text\":\"hi\"}\n\ndata: [DONE]\n\n",
            Some("data: {\"type\":\"delta\",\"text\":\"\"}\n\n"),
        );
    }

    #[test]
    fn pruned_json_keeps_structure_numbers_and_names_only() {
        let check = |json: &str, expected: &str| {
            for step in [1, 3, json.len()] {
                let mut out = Vec::new();
                let mut pruner = Pruner::new(&mut out);
                for chunk in json.as_bytes().chunks(step) {
                    pruner.write_all(chunk).unwrap();
                }
                assert_eq!(String::from_utf8(out).unwrap(), expected);
            }
        };
        check(
            r#"{"model":"gpt-4o","choices":[{"message":{"role":"assistant","content":"a \"secret\" {"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#,
            r#"{"model":"gpt-4o","choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#,
        );
        check(
            r#"{"stop":["a","b"],"id":"x","n":1.5,"t":null}"#,
            r#"{"stop":["",""],"id":"x","n":1.5,"t":null}"#,
        );
        check(r#""only text""#, r#""""#);
        check(r#"{"input":{"reason":"ill"},"id":"x"}"#, r#"{"input":{"":""},"id":"x"}"#);
        check(
            r#"{"input":[{"role":"user","status":"two words"}]}"#,
            r#"{"input":[{"role":"user","status":""}]}"#,
        );
        check(&format!(r#"{{"model":"{}"}}"#, "m".repeat(300)), r#"{"model":""}"#);
    }
}
