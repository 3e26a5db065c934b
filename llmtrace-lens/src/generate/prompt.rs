//! What an answer goes on from.

use std::ops::Range;

use serde::Serialize;
use tokenizers::Tokenizer;

use super::error::GenerateError;
use super::text::TextStream;
use crate::error::RunError;
use crate::model::Model;

/// What an answer goes on from.
///
/// ```
/// use llmtrace_lens::generate::Prompt;
///
/// let text = Prompt::from("The capital of Texas is");
/// let tokens = Prompt::from(&[464, 3139, 286]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt<'p> {
    /// A text; the tokenizer adds its special tokens.
    Text(&'p str),
    /// Tokens, as they are.
    Tokens(&'p [u32]),
}

/// One token, and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// As the vocabulary writes it; empty where the model has no tokenizer.
    pub spelling: String,
    /// Its bytes in the text. A special token has none; tokens that hold parts of one character all have that
    /// character's.
    pub bytes: Range<usize>,
}

impl<'p> From<&'p str> for Prompt<'p> {
    fn from(text: &'p str) -> Self {
        Self::Text(text)
    }
}

impl<'p> From<&'p String> for Prompt<'p> {
    fn from(text: &'p String) -> Self {
        Self::Text(text)
    }
}

impl<'p> From<&'p [u32]> for Prompt<'p> {
    fn from(tokens: &'p [u32]) -> Self {
        Self::Tokens(tokens)
    }
}

impl<'p> From<&'p Vec<u32>> for Prompt<'p> {
    fn from(tokens: &'p Vec<u32>) -> Self {
        Self::Tokens(tokens)
    }
}

impl<'p, const N: usize> From<&'p [u32; N]> for Prompt<'p> {
    fn from(tokens: &'p [u32; N]) -> Self {
        Self::Tokens(tokens)
    }
}

/// A prompt as the model reads it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
}

impl Prompt<'_> {
    pub(crate) fn read(self, model: &Model) -> Result<Read, GenerateError> {
        match (self, model.tokenizer()) {
            (Self::Text(text), Some(tokenizer)) => of_text(text, tokenizer),
            (Self::Text(_), None) => {
                let problem =
                    format!("model {:?} has no tokenizer.json: give token ids, not a text", model.name());
                Err(RunError::Input(problem).into())
            }
            (Self::Tokens(ids), Some(tokenizer)) => of_tokens(ids, tokenizer),
            (Self::Tokens(ids), None) => {
                let token = |&id| Token { id, spelling: String::new(), bytes: 0..0 };
                Ok(Read { text: String::new(), tokens: ids.iter().map(token).collect() })
            }
        }
    }
}

impl Read {
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.tokens.iter().map(|token| token.id).collect()
    }
}

fn of_text(text: &str, tokenizer: &Tokenizer) -> Result<Read, GenerateError> {
    let encoding = tokenizer.encode(text, true).map_err(|error| {
        GenerateError::from(RunError::Input(format!("the tokenizer cannot read the prompt: {error}")))
    })?;
    let parts = encoding.get_ids().iter().zip(encoding.get_tokens()).zip(encoding.get_offsets());
    let tokens = parts.map(|((&id, spelling), &(start, end))| Token {
        id,
        spelling: spelling.clone(),
        bytes: start..end,
    });
    Ok(Read { text: text.to_owned(), tokens: tokens.collect() })
}

fn of_tokens(ids: &[u32], tokenizer: &Tokenizer) -> Result<Read, GenerateError> {
    let mut stream = TextStream::after(&[], tokenizer);
    for &id in ids {
        stream.push(id)?;
    }
    stream.flush()?;
    let places = ids.iter().zip(stream.ranges());
    let tokens =
        places.map(|(&id, bytes)| Token { id, spelling: spelling(tokenizer, id), bytes: bytes.clone() });
    Ok(Read { tokens: tokens.collect(), text: stream.text().to_owned() })
}

/// A token as the vocabulary writes it.
pub(super) fn spelling(tokenizer: &Tokenizer, id: u32) -> String {
    tokenizer.id_to_token(id).unwrap_or_default()
}
