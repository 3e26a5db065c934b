//! Token counts of texts, for calls whose provider states none.
//!
//! `OpenAI`'s models up to GPT-5 are counted with their own vocabularies (`cl100k_base`, `o200k_base`), exactly. For
//! other models there is one rule: as `o200k_base` counts. In recorded answers of Claude, Llama, Mistral, Gemma and
//! later GPT models it found between half and all of the tokens that the provider stated, mostly three quarters and
//! more; so take such a count as too low. Images, audio and files are not counted at all.
//!
//! Whole conversations add what `OpenAI` documents for chat models: three tokens a message, one a name, and three for
//! the start of the answer
//! (<https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken>). Tool calls, tool definitions and what
//! else is no text count as their JSON does. What a provider adds for tools, or spends on reasoning that it does not
//! show, nobody outside can count. So a count of a call is an estimate, whatever the vocabulary.
//!
//! Time grows with the length of a text, whatever stands in it.

use bpe_openai::{Tokenizer, cl100k_base, o200k_base};
use serde_json::Value;

use crate::{Message, Part};

/// How many tokens a text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenCount {
    /// The count.
    pub tokens: u64,
    /// How it came about.
    pub exactness: Exactness,
}

/// How near a [`TokenCount`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Exactness {
    /// With the model's own vocabulary: the very tokens of the text.
    Vocabulary,
    /// With another vocabulary, or of more than text.
    Approximate,
}

/// Tokens that a chat model spends on each message, and on the start of its answer.
const PER_MESSAGE: u64 = 3;
const PER_NAME: u64 = 1;
const ANSWER_START: u64 = 3;

/// Longest input, or output, that is counted for a span, in bytes of its texts; longer ones are not estimated.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Counts the tokens of `text` for `model`, under any of the names by which providers serve it.
///
/// The first call loads a vocabulary, which takes some tens of milliseconds and megabytes. The time of each call
/// grows with the length of the text.
///
/// ```
/// use llmtrace::tokens::{self, Exactness};
///
/// let count = tokens::count("gpt-4o-mini", "tiktoken is great!");
/// assert_eq!((count.tokens, count.exactness), (6, Exactness::Vocabulary));
/// assert_eq!(tokens::count("claude-opus-4-6", "tiktoken is great!").exactness, Exactness::Approximate);
/// ```
pub fn count(model: &str, text: &str) -> TokenCount {
    let (vocabulary, exactness) = vocabulary(model);
    TokenCount { tokens: vocabulary.count(text) as u64, exactness }
}

/// What went in; `None` for nothing, and for more than is counted.
pub(crate) fn count_input(model: &str, instructions: &[Part], messages: &[Message]) -> Option<TokenCount> {
    if instructions.is_empty() && messages.is_empty() {
        return None;
    }
    let mut counter = Counter::new(model);
    if !instructions.is_empty() {
        counter.tokens += PER_MESSAGE;
        counter.parts(instructions)?;
    }
    for message in messages {
        counter.tokens += PER_MESSAGE;
        counter.text(message.role.as_str())?;
        if let Some(name) = &message.name {
            counter.tokens += PER_NAME;
            counter.text(name)?;
        }
        counter.parts(&message.parts)?;
    }
    counter.tokens += ANSWER_START;
    Some(counter.finish())
}

/// What came out; `None` for nothing, and for more than is counted.
pub(crate) fn count_output(model: &str, messages: &[Message]) -> Option<TokenCount> {
    if messages.iter().all(|message| message.parts.is_empty()) {
        return None;
    }
    let mut counter = Counter::new(model);
    for message in messages {
        counter.parts(&message.parts)?;
    }
    Some(counter.finish())
}

struct Counter {
    vocabulary: &'static Tokenizer,
    exactness: Exactness,
    tokens: u64,
    /// Bytes that may still be counted.
    room: usize,
}

impl Counter {
    fn new(model: &str) -> Self {
        let (vocabulary, exactness) = vocabulary(model);
        Self { vocabulary, exactness, tokens: 0, room: MAX_BYTES }
    }

    fn text(&mut self, text: &str) -> Option<()> {
        self.room = self.room.checked_sub(text.len())?;
        self.tokens = self.tokens.saturating_add(self.vocabulary.count(text) as u64);
        Some(())
    }

    /// A value of any shape: text as it is, the rest as JSON.
    fn json(&mut self, value: &Value) -> Option<()> {
        match value {
            Value::String(text) => self.text(text),
            other => self.text(&other.to_string()),
        }
    }

    fn parts(&mut self, parts: &[Part]) -> Option<()> {
        for part in parts {
            match part {
                Part::Text { content } => self.text(content)?,
                Part::Reasoning { content } => {
                    self.exactness = Exactness::Approximate;
                    self.text(content)?;
                }
                Part::ToolCall { name, arguments, .. } => {
                    self.exactness = Exactness::Approximate;
                    self.text(name)?;
                    self.json(arguments)?;
                }
                Part::ToolCallResponse { response, .. } => {
                    self.exactness = Exactness::Approximate;
                    self.json(response)?;
                }
                Part::Other(value) => {
                    self.exactness = Exactness::Approximate;
                    self.json(value)?;
                }
                Part::Blob { .. } | Part::File { .. } | Part::Uri { .. } => {
                    self.exactness = Exactness::Approximate;
                }
            }
        }
        Some(())
    }

    fn finish(self) -> TokenCount {
        TokenCount { tokens: self.tokens, exactness: self.exactness }
    }
}

/// Names whose vocabulary is known, and the starts of longer ones, as `OpenAI`'s tiktoken lists them
/// (<https://github.com/openai/tiktoken/blob/main/tiktoken/model.py>).
const O200K: [&str; 9] =
    ["gpt-5", "gpt-4o", "gpt-4.1", "gpt-4.5", "chatgpt-4o", "gpt-oss", "o1", "o3", "o4-mini"];
const CL100K: [&str; 7] = [
    "gpt-4",
    "gpt-3.5-turbo",
    "gpt-35-turbo",
    "text-embedding-3",
    "text-embedding-ada-002",
    "davinci-002",
    "babbage-002",
];

fn vocabulary(model: &str) -> (&'static Tokenizer, Exactness) {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let name = ["ft:", "openai."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name);
    let is = |known: &&str| {
        name.strip_prefix(*known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ':']))
    };
    if O200K.iter().any(is) {
        (o200k_base(), Exactness::Vocabulary)
    } else if CL100K.iter().any(is) {
        (cl100k_base(), Exactness::Vocabulary)
    } else {
        (o200k_base(), Exactness::Approximate)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_cut_as_openai_cuts_them() {
        let check = |model: &str, text: &str, tokens: u64| {
            let expected = TokenCount { tokens, exactness: Exactness::Vocabulary };
            assert_eq!(count(model, text), expected, "{model} {text}");
        };
        check("gpt-4", "", 0);
        // Counts that OpenAI publishes for both vocabularies.
        check("gpt-4", "antidisestablishmentarianism", 6);
        check("gpt-4o", "antidisestablishmentarianism", 6);
        check("gpt-4", "2 + 2 = 4", 7);
        check("gpt-4o", "2 + 2 = 4", 7);
        check("gpt-4", "お誕生日おめでとう", 9);
        check("gpt-4o", "お誕生日おめでとう", 8);
    }

    #[test]
    fn a_vocabulary_is_told_from_the_name() {
        let check = |model: &str, expected: Option<&'static Tokenizer>| {
            let (found, exactness) = vocabulary(model);
            assert!(std::ptr::eq(found, expected.unwrap_or(o200k_base())), "{model}");
            assert_eq!(exactness == Exactness::Vocabulary, expected.is_some(), "{model}");
        };
        let (new, old) = (Some(o200k_base()), Some(cl100k_base()));
        check("gpt-4o-mini-2024-07-18", new);
        check("openai/GPT-4.1", new);
        check("o3", new);
        check("ft:gpt-4o-2024-08-06:org::id", new);
        check("openai.gpt-oss-120b-1:0", new);
        check("gpt-4-0613", old);
        check("gpt-35-turbo", old);
        check("text-embedding-3-small", old);
        check("gpt-4.7", None);
        check("gpt-6.1-terra", None);
        check("claude-opus-4-6", None);
        check("gemini-2.5-pro", None);
        check("o30", None);
        check("", None);
    }

    #[test]
    fn a_conversation_has_tokens_besides_its_texts() {
        let text = |text: &str| count("gpt-4o", text).tokens;
        let mut named = Message::user("Why is the sky blue?");
        named.name = Some("Ada".to_owned());
        let messages = [Message::system("Be short."), named];
        let whole = count_input("gpt-4o", &[], &messages).unwrap();
        let texts =
            ["system", "Be short.", "user", "Ada", "Why is the sky blue?"].map(text).iter().sum::<u64>();
        assert_eq!((whole.tokens, whole.exactness), (texts + 3 + 3 + 1 + 3, Exactness::Vocabulary));
        let instructed = count_input("gpt-4o", &[Part::text("Be short.")], &messages[1..]).unwrap();
        assert_eq!(instructed.tokens + text("system"), whole.tokens);
        let answer = count_output("gpt-4o", &[Message::assistant("Scattering.")]).unwrap();
        assert_eq!(answer.tokens, text("Scattering."));
        let call = Part::ToolCall { id: None, name: "look_up".to_owned(), arguments: json!({"word": "sky"}) };
        let called = count_output("gpt-4o", &[Message::new(crate::Role::Assistant, vec![call])]).unwrap();
        assert_eq!(called.tokens, text("look_up") + text(r#"{"word":"sky"}"#));
        assert_eq!(called.exactness, Exactness::Approximate);
    }

    #[test]
    fn nothing_and_too_much_are_not_counted() {
        assert_eq!(count_input("gpt-4o", &[], &[]), None);
        assert_eq!(count_output("gpt-4o", &[]), None);
        assert_eq!(count_output("gpt-4o", &[Message::new(crate::Role::Assistant, Vec::new())]), None);
        let long = Message::assistant("a".repeat(MAX_BYTES + 1));
        assert_eq!(count_output("gpt-4o", &[long]), None);
    }

    #[test]
    fn time_grows_with_the_length_only() {
        const SHORT: usize = 32 * 1024;
        const TIMES: usize = 8;
        let quickest = |model: &str, text: &str| -> Duration {
            let measure = || {
                let started = Instant::now();
                count(model, text);
                started.elapsed()
            };
            (0..3).map(|_| measure()).min().unwrap()
        };
        for piece in ["a", " ", "\n", "!?", "é", "ab1 "] {
            let text = |bytes: usize| piece.repeat(bytes / piece.len());
            for model in ["gpt-4", "gpt-4o"] {
                count(model, "load");
                let (short, long) = (quickest(model, &text(SHORT)), quickest(model, &text(SHORT * TIMES)));
                // A square law would make it 64 times as long.
                assert!(long < short * 30, "{model} {piece:?}: {short:?}, {long:?}");
            }
        }
    }
}
