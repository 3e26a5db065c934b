//! Copying JSON without its texts.

use std::fmt;
use std::io::{self, Write};

use crate::content::LEFT_OUT;
use crate::provider::framing::{Found, Framing};

/// JSON keys whose text values are names and states, not content.
const KEPT_KEYS: &[&str] = &[
    "id",
    "model",
    "object",
    "type",
    "role",
    "finish_reason",
    "stop_reason",
    "stopReason",
    "completionReason",
    "status",
    "service_tier",
    "speed",
    "inference_geo",
    "code",
    "reason",
    "ttl",
    "system_fingerprint",
    "event",
    "effort",
    "provider",
    "request_id",
    "error_type",
    "__type",
    "conversation_id",
    "done_reason",
    "stop_type",
    "event_type",
    "generation_id",
    "response_id",
    // Google's, in both of its spellings.
    "modelVersion",
    "model_version",
    "responseId",
    "createTime",
    "create_time",
    "finishReason",
    "blockReason",
    "block_reason",
    "modality",
    "serviceTier",
    "trafficType",
    "traffic_type",
    "thinkingLevel",
    "thinking_level",
    "toolType",
    "tool_type",
];

/// JSON keys of objects whose keys and texts are all the user's.
const HIDDEN_OBJECTS: &[&str] = &[
    "input",
    "arguments",
    "parameters",
    "input_schema",
    "schema",
    "metadata",
    "args",
    "result",
    "executableCode",
    "executable_code",
    "functionResponse",
    "function_response",
    "toolResponse",
    "tool_response",
];

/// Longest literal of JSON (`false`), in bytes.
const MAX_WORD_BYTES: usize = 5;

/// Longest text kept under [`KEPT_KEYS`], in bytes.
const MAX_KEPT_BYTES: usize = 128;

/// Copies JSON without its texts: structure, numbers and the names under [`KEPT_KEYS`] pass, every other string
/// becomes `"*"`, or `""` if it is empty. Works on bytes in any chunking and holds no text longer than a name.
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
    /// Whether the string has no bytes so far.
    is_empty: bool,
    /// The depth of the outermost of [`HIDDEN_OBJECTS`] that is open; 0 for none.
    hidden: u32,
    /// Letters outside of strings.
    word: Vec<u8>,
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
            is_empty: true,
            hidden: 0,
            word: Vec::new(),
        }
    }

    /// Ready for another document.
    fn restart(&mut self) {
        self.state = State::Outside;
        (self.key, self.text) = (Short::EMPTY, Short::EMPTY);
        (self.objects, self.depth, self.hidden) = (0, 0, 0);
        (self.expects_key, self.keep) = (false, false);
        self.word.clear();
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
                self.is_empty = true;
                let is_kept = || KEPT_KEYS.iter().any(|key| key.as_bytes() == self.key.get());
                self.keep = self.hidden == 0 && (self.expects_key || is_kept());
                return Ok(());
            }
            _ => {}
        }
        self.symbol(byte)
    }

    /// Copies what stands outside of strings, if it can be JSON: a text that is none must not slip through.
    fn symbol(&mut self, byte: u8) -> io::Result<()> {
        if byte.is_ascii_alphabetic() && self.word.len() < MAX_WORD_BYTES {
            self.word.push(byte);
            return Ok(());
        }
        if [&b"true"[..], b"false", b"null", b"e", b"E"].contains(&&self.word[..]) {
            self.out.write_all(&self.word)?;
        }
        self.word.clear();
        if b"{}[],:+-.0123456789 \t\r\n".contains(&byte) { self.out.write_all(&[byte]) } else { Ok(()) }
    }

    fn end_of_text(&mut self) -> io::Result<()> {
        self.state = State::Outside;
        if self.expects_key {
            self.key = self.text;
        }
        self.out.write_all(b"\"")?;
        if self.keep {
            self.out.write_all(self.text.get())?;
        } else if !self.is_empty {
            self.out.write_all(LEFT_OUT.as_bytes())?;
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
                    self.is_empty = false;
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

impl Pruner<Vec<u8>> {
    /// Writes what was found in a stream as an event.
    fn event(&mut self, found: &Found) {
        let Found::Item(item) = found else { return };
        self.restart();
        // Elsewhere this name is one of `HIDDEN_OBJECTS`; this is the event that ends a stream of Bedrock Converse.
        let counts = item.get("metadata").filter(|metadata| metadata.get("usage").is_some());
        let (head, tail) = if counts.is_some() { ("{\"metadata\":", "}") } else { ("", "") };
        let _ = write!(self.out, "data:{head}");
        let _ = serde_json::to_writer(&mut *self, counts.unwrap_or(item));
        let _ = write!(self.out, "{tail}\n\n");
    }
}

/// Copies a JSON body without its texts; `false` if it is no JSON.
pub(crate) fn prune_json(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    is_json && Pruner::new(out).write_all(bytes).is_ok()
}

/// Copies the JSON of a stream's lines without its texts, in whatever pieces they come: server-sent events, or one
/// JSON object a line. Everything else is left out.
///
/// JSON that may go over many lines, and AWS event-stream frames, are read item by item, and come out as events.
pub(crate) struct LinePruner {
    line: Line,
    /// How a stream without lines is read; told from its first byte.
    framing: Option<Framing>,
    has_begun: bool,
    pruner: Pruner<Vec<u8>>,
}

/// Where in a line the stream stands.
#[derive(Clone, Copy, PartialEq)]
enum Line {
    /// So many bytes of `data:` have come.
    Start(usize),
    /// In what follows `data:`, before its first byte.
    Payload,
    Json,
    Other,
    /// In a body that is one document, before its first byte.
    #[cfg(feature = "reqwest-middleware")]
    Document,
    /// In that document.
    #[cfg(feature = "reqwest-middleware")]
    Whole,
    /// In a body that is none.
    #[cfg(feature = "reqwest-middleware")]
    NoDocument,
}

impl Default for LinePruner {
    fn default() -> Self {
        Self { line: Line::Start(0), framing: None, has_begun: false, pruner: Pruner::new(Vec::new()) }
    }
}

impl LinePruner {
    /// For a body that is one JSON document.
    #[cfg(feature = "reqwest-middleware")]
    pub(crate) fn whole() -> Self {
        Self { line: Line::Document, ..Self::default() }
    }

    /// Takes the next piece, and gives what may be kept of it.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> &[u8] {
        self.pruner.out.clear();
        if !self.has_begun {
            let start = piece.iter().position(|byte| !Framing::is_blank(*byte)).unwrap_or(piece.len());
            piece = piece.get(start..).unwrap_or_default();
            let has_no_lines = self.line == Line::Start(0) && matches!(piece.first(), Some(0 | b'[' | b'{'));
            self.framing = has_no_lines.then(Framing::default);
            self.has_begun = !piece.is_empty();
        }
        let Self { framing, pruner, .. } = self;
        match framing {
            Some(framing) => framing.push(piece, &mut |found| pruner.event(&found)),
            None => piece.iter().for_each(|byte| self.byte(*byte)),
        }
        &self.pruner.out
    }

    fn byte(&mut self, byte: u8) {
        const DATA: &[u8] = b"data:";
        self.line = match (self.line, byte) {
            #[cfg(feature = "reqwest-middleware")]
            (Line::Document, b' ' | b'\t' | b'\r' | b'\n') => Line::Document,
            #[cfg(feature = "reqwest-middleware")]
            (Line::Document, b'{' | b'[') | (Line::Whole, _) => {
                let _ = self.pruner.write_all(&[byte]);
                Line::Whole
            }
            #[cfg(feature = "reqwest-middleware")]
            (Line::Document | Line::NoDocument, _) => Line::NoDocument,
            (line, b'\n' | b'\r') => {
                if line == Line::Json {
                    self.pruner.out.extend_from_slice(b"\n\n");
                }
                Line::Start(0)
            }
            (Line::Start(0) | Line::Payload, b'{') => {
                self.pruner.restart();
                self.pruner.out.extend_from_slice(DATA);
                let _ = self.pruner.outside(byte);
                Line::Json
            }
            (Line::Start(n), _) if DATA.get(n) == Some(&byte) => {
                if n + 1 == DATA.len() {
                    Line::Payload
                } else {
                    Line::Start(n + 1)
                }
            }
            (Line::Payload, b' ') => Line::Payload,
            (Line::Json, _) => {
                let _ = self.pruner.write_all(&[byte]);
                Line::Json
            }
            _ => Line::Other,
        };
    }
}

impl fmt::Debug for LinePruner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinePruner")
    }
}

#[cfg(test)]
mod tests;
