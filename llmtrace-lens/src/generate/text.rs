//! From tokens to text, one token at a time.

use std::ops::Range;

use tokenizers::Tokenizer;

use super::error::GenerateError;

/// Decodes an answer while it is written.
///
/// A token may hold only a part of a character. Its text is held back until later tokens complete it, as streaming
/// decoders do; bytes that never become a character end as U+FFFD. Text that goes on from the prompt is decoded beside
/// its last tokens, so that spaces are where they are in the whole. Special tokens have no text.
#[derive(Debug)]
pub(crate) struct TextStream<'t> {
    tokenizer: &'t Tokenizer,
    /// What the next token is decoded beside, and after it what is held back.
    tokens: Vec<u32>,
    /// Where in `tokens` those begin that are held back.
    known: usize,
    text: String,
    /// Where each token stands in the text.
    ranges: Vec<Range<usize>>,
}

/// How many tokens of the prompt an answer is decoded beside.
const CONTEXT_TOKENS: usize = 6;

/// How many tokens the next one is decoded beside at most.
const MAX_CONTEXT_TOKENS: usize = 64;

/// How many tokens are held back at most: a character has four bytes, and a token at least one.
const MAX_HELD_TOKENS: usize = 16;

/// What stands for bytes that are no character.
const REPLACEMENT: char = '\u{FFFD}';

impl<'t> TextStream<'t> {
    /// An answer to `prompt`.
    pub(crate) fn after(prompt: &[u32], tokenizer: &'t Tokenizer) -> Self {
        let tokens = prompt[prompt.len().saturating_sub(CONTEXT_TOKENS)..].to_vec();
        let known = tokens.len();
        Self { tokenizer, tokens, known, text: String::new(), ranges: Vec::new() }
    }

    /// The text so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Takes the next token; returns which bytes of the text are new.
    pub(crate) fn push(&mut self, token: u32) -> Result<Range<usize>, GenerateError> {
        self.tokens.push(token);
        self.ranges.push(self.text.len()..self.text.len());
        let before = self.decode(0..self.known)?;
        let now = self.decode(0..self.tokens.len())?;
        match now.strip_prefix(before.as_str()) {
            Some(new) if !new.ends_with(REPLACEMENT) => Ok(self.accept(new)),
            _ if self.tokens.len() - self.known >= MAX_HELD_TOKENS => self.flush(),
            _ => Ok(self.text.len()..self.text.len()),
        }
    }

    /// Gives up what is held back: it becomes the text it is, whole characters or not.
    pub(crate) fn flush(&mut self) -> Result<Range<usize>, GenerateError> {
        let before = self.decode(0..self.known)?;
        let now = self.decode(0..self.tokens.len())?;
        let alone = match now.strip_prefix(before.as_str()) {
            Some(new) => return Ok(self.accept(new)),
            None => self.decode(self.known..self.tokens.len())?,
        };
        Ok(self.accept(&alone))
    }

    /// Where each token stands in the text: tokens that hold parts of one character all have that character's bytes.
    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    fn accept(&mut self, new: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(new);
        if !new.is_empty() {
            let held = self.tokens.len() - self.known;
            for range in self.ranges.iter_mut().rev().take(held) {
                *range = start..self.text.len();
            }
            self.tokens.drain(..self.known);
        } else if self.tokens.len() > MAX_CONTEXT_TOKENS {
            // Tokens without text, such as special ones, are no context.
            self.tokens.truncate(self.known);
        }
        self.known = self.tokens.len();
        start..self.text.len()
    }

    fn decode(&self, tokens: Range<usize>) -> Result<String, GenerateError> {
        let tokens = self.tokens.get(tokens).unwrap_or_default();
        self.tokenizer.decode(tokens, true).map_err(|source| GenerateError::Decode { source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a character are tokens of their own, as in every byte-level vocabulary.
    fn byte_level() -> Tokenizer {
        let vocabulary: Vec<(String, u32)> = [("a", 0), ("Ġb", 1), ("ð", 2), ("Ł", 3), ("ĺ", 4), ("Ģ", 5)]
            .map(|(token, id)| (token.to_owned(), id))
            .to_vec();
        tokenizer(
            &vocabulary,
            r#"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#,
        )
    }

    /// Spaces are written as U+2581, the first is stripped, and unknown characters are bytes (Llama).
    fn byte_fallback() -> Tokenizer {
        let vocabulary: Vec<(String, u32)> =
            [("▁a", 0), ("▁b", 1), ("<0xF0>", 2), ("<0x9F>", 3), ("<0x98>", 4), ("<0x80>", 5), ("▁", 6)]
                .map(|(token, id)| (token.to_owned(), id))
                .to_vec();
        let decoder = r#"{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
            {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"#;
        tokenizer(&vocabulary, decoder)
    }

    /// A vocabulary with a special token 9.
    fn tokenizer(vocabulary: &[(String, u32)], decoder: &str) -> Tokenizer {
        let vocabulary: std::collections::BTreeMap<_, _> = vocabulary.iter().cloned().collect();
        let vocabulary = serde_json::to_string(&vocabulary).unwrap();
        let special = r#"{"id":9,"content":"<end>","special":true,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false}"#;
        let json = format!(
            r#"{{"version":"1.0","added_tokens":[{special}],"decoder":{decoder},
               "model":{{"type":"BPE","vocab":{vocabulary},"merges":[]}}}}"#
        );
        json.parse().unwrap()
    }

    #[test]
    fn text_comes_when_its_characters_are_whole() {
        let check = |tokenizer: &Tokenizer, prompt: &[u32], tokens: &[u32], pieces: &[&str]| {
            let mut stream = TextStream::after(prompt, tokenizer);
            let mut found = Vec::new();
            for &token in tokens {
                let range = stream.push(token).unwrap();
                found.push(stream.text()[range].to_owned());
            }
            let rest = stream.flush().unwrap();
            found.push(stream.text()[rest].to_owned());
            assert_eq!(found, pieces, "{prompt:?} {tokens:?}");
            assert_eq!(stream.text(), pieces.concat());
        };
        let (bytes, fallback) = (byte_level(), byte_fallback());
        check(&bytes, &[], &[0, 1, 0], &["a", " b", "a", ""]);
        check(&bytes, &[0], &[2, 3, 4, 5, 0], &["", "", "", "😀", "a", ""]);
        // A character that never becomes whole.
        check(&bytes, &[], &[0, 2, 3], &["a", "", "", "\u{FFFD}"]);
        check(&bytes, &[], &[2, 0, 0], &["", "\u{FFFD}a", "a", ""]);
        // The answer's first space is part of it, the text's first is not.
        check(&fallback, &[], &[0, 1], &["a", " b", ""]);
        check(&fallback, &[0], &[0, 1], &[" a", " b", ""]);
        check(&fallback, &[0], &[2, 3, 4, 5, 1], &["", "", "", "😀", " b", ""]);
        check(&fallback, &[0], &[2, 3], &["", "", "\u{FFFD}\u{FFFD}"]);
        check(&fallback, &[0], &[2, 3, 4, 5, 2], &["", "", "", "😀", "", "\u{FFFD}"]);
        // Special tokens have no text and hold nothing up.
        check(&bytes, &[0], &[9, 1, 9, 9, 0], &["", " b", "", "", "a", ""]);
        check(&fallback, &[0], &[9, 0], &["", " a", ""]);
    }

    #[test]
    fn parts_of_a_character_share_its_place() {
        let tokenizer = byte_level();
        let mut stream = TextStream::after(&[], &tokenizer);
        for token in [0, 2, 3, 4, 5, 9, 1, 2] {
            stream.push(token).unwrap();
        }
        stream.flush().unwrap();
        assert_eq!(stream.text(), "a😀 b\u{FFFD}");
        assert_eq!(stream.ranges(), [0..1, 1..5, 1..5, 1..5, 1..5, 5..5, 5..7, 7..10]);
    }

    #[test]
    fn what_is_held_back_is_bounded() {
        let tokenizer = byte_level();
        let mut stream = TextStream::after(&[], &tokenizer);
        for _ in 0..1_000 {
            stream.push(5).unwrap();
            assert!(stream.tokens.len() - stream.known < MAX_HELD_TOKENS);
        }
        for _ in 0..1_000 {
            stream.push(9).unwrap();
            assert!(stream.tokens.len() <= MAX_CONTEXT_TOKENS);
        }
        stream.flush().unwrap();
        assert_eq!(stream.text(), "\u{FFFD}".repeat(1_000));
    }
}
