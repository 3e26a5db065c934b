//! Tokens as people read them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::model::Model;
use crate::error::RunError;

/// How vocabularies of `SentencePiece` write a space.
const PIECE_SPACE: char = '\u{2581}';

/// What stands for bytes that are no character.
const REPLACEMENT: char = '\u{FFFD}';

/// Where a token of a prompt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The text.
    Text,
    /// The tokenizer, which added it: for the beginning or the end of a text.
    Tokenizer,
}

/// A token and its text, as tables and pictures name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct TokenLabel {
    /// Its id.
    pub id: u32,
    /// Its text, spaces included: see [`Model::token_text`].
    pub text: String,
}

impl Model {
    /// The text of one token, with the space that it begins with.
    ///
    /// A token that holds a part of a character is written as the vocabulary writes it; one that the tokenizer does not
    /// know, or that of a model without a tokenizer, as `#` and its id.
    pub fn token_text(&self, id: u32) -> String {
        let Some(tokenizer) = self.tokenizer() else { return format!("#{id}") };
        let Some(spelling) = tokenizer.id_to_token(id) else { return format!("#{id}") };
        let text = tokenizer.decode(&[id], false).unwrap_or_default();
        if text.contains(REPLACEMENT) {
            return spelling;
        }
        // The decoders of `SentencePiece` take the first space of a text away.
        if spelling.starts_with(PIECE_SPACE) && !text.starts_with(' ') {
            format!(" {text}")
        } else if text.is_empty() {
            spelling
        } else {
            text
        }
    }

    /// The ids of a text's tokens, each with where it comes from.
    pub(crate) fn tokenize_marked(&self, text: &str) -> Result<Vec<(u32, Origin)>, RunError> {
        let tokenizer = self.tokenizer().ok_or_else(|| {
            RunError::Input(format!("model {:?} has no tokenizer.json: give token ids", self.name()))
        })?;
        let encoding = tokenizer
            .encode(text, true)
            .map_err(|error| RunError::Input(format!("the tokenizer cannot read the text: {error}")))?;
        let origin = |added: &u32| if *added == 1 { Origin::Tokenizer } else { Origin::Text };
        let origins = encoding.get_special_tokens_mask().iter().map(origin);
        Ok(encoding.get_ids().iter().copied().zip(origins).collect())
    }

    /// The text of tokens one after the other, special ones included; their spellings where there is no tokenizer.
    pub(crate) fn text_of(&self, tokens: &[u32]) -> String {
        let decoded = self.tokenizer().and_then(|tokenizer| tokenizer.decode(tokens, false).ok());
        decoded.unwrap_or_else(|| tokens.iter().map(|token| self.token_text(*token)).collect())
    }

    /// A token and its text.
    pub fn token_label(&self, id: u32) -> TokenLabel {
        TokenLabel { id, text: self.token_text(id) }
    }

    /// The one token that a text is, the space before it included: `" Texas"`.
    ///
    /// # Errors
    /// The model has no tokenizer, or the text is no token, an unknown one, or several.
    pub fn token_id(&self, text: &str) -> Result<u32, RunError> {
        let tokenizer = self.tokenizer().ok_or_else(|| {
            RunError::Input(format!("model {:?} has no tokenizer.json: give token ids", self.name()))
        })?;
        let piece = text.replace(' ', PIECE_SPACE.encode_utf8(&mut [0; 4]));
        if let Some(id) = tokenizer.token_to_id(text).or_else(|| tokenizer.token_to_id(&piece)) {
            return Ok(id);
        }
        let encoding = tokenizer
            .encode(text, false)
            .map_err(|error| RunError::Input(format!("the tokenizer cannot read the text: {error}")))?;
        match encoding.get_ids() {
            // What a vocabulary does not have is read as a special token for unknown words.
            [id] if self.special_tokens().contains(id) && self.token_text(*id).trim() != text.trim() => {
                let read = self.token_text(*id);
                Err(RunError::Input(format!(
                    "{text:?} is no token of this vocabulary: it is read as {read:?}"
                )))
            }
            [id] => Ok(*id),
            ids => {
                let parts: Vec<String> = ids.iter().map(|id| self.token_text(*id)).collect();
                Err(RunError::Input(format!("{text:?} is {} tokens, expected one: {parts:?}", ids.len())))
            }
        }
    }

    /// The tokens that the tokenizer holds for special, such as the beginning of a text; none without a tokenizer.
    pub(crate) fn special_tokens(&self) -> BTreeSet<u32> {
        let added =
            self.tokenizer().map(|tokenizer| tokenizer.get_added_tokens_decoder()).unwrap_or_default();
        added.into_iter().filter(|(_, token)| token.special).map(|(id, _)| id).collect()
    }
}
