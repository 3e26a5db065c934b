//! What a local model is asked to say.

use std::fmt;

use super::error::BiasError;
use crate::gradient::Target;
use crate::model::Model;

/// A text that may follow a prompt, whose log-probability is the score; or two, by how much the first is likelier.
///
/// A text of several tokens counts the sum of their log-probabilities (natural logarithm), each after those before it. It is read as the text that
/// stands after the prompt and a space; no space is put where the prompt ends in one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuation {
    /// The log-probability of a text.
    Of(String),
    /// The log-probability of the first less that of the second: for two single tokens the difference of their logits.
    Between(String, String),
}

impl Continuation {
    /// Reads `doctor`, or `doctor/nurse` for the difference of two; as [`to_string`](ToString::to_string) writes them.
    ///
    /// # Errors
    /// A text is empty, or there are more than two.
    pub fn parse(text: &str) -> Result<Self, BiasError> {
        let texts: Vec<&str> = text.split('/').map(str::trim).collect();
        match texts.as_slice() {
            [one] if !one.is_empty() => Ok(Self::Of((*one).to_owned())),
            [one, other] if !one.is_empty() && !other.is_empty() => {
                Ok(Self::Between((*one).to_owned(), (*other).to_owned()))
            }
            _ => Err(BiasError::Input(format!(
                "the target {text:?} is neither a text such as doctor nor two such as doctor/nurse"
            ))),
        }
    }

    /// Its texts, each with what it counts.
    pub(super) fn texts(&self) -> Vec<(&str, f64)> {
        match self {
            Self::Of(text) => vec![(text, 1.0)],
            Self::Between(first, second) => vec![(first, 1.0), (second, -1.0)],
        }
    }

    /// The score of one prompt.
    ///
    /// # Errors
    /// The prompt cannot be run, or the tokenizer does not know the text.
    pub fn score(&self, model: &Model, prompt: &str) -> Result<f64, BiasError> {
        let tokens = model.tokenize(prompt)?;
        let mut sum = 0.0;
        for (text, weight) in self.texts() {
            let ids = tokens_of(model, prompt, &tokens, text)?;
            sum += weight * model.score(&tokens, &Target::continuation(&ids))?.iter().sum::<f64>();
        }
        Ok(sum)
    }
}

impl fmt::Display for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(text) => f.write_str(text),
            Self::Between(first, second) => write!(f, "{first}/{second}"),
        }
    }
}

/// The tokens of a text after a prompt.
pub(super) fn tokens_of(
    model: &Model,
    prompt: &str,
    tokens: &[u32],
    text: &str,
) -> Result<Vec<u32>, BiasError> {
    let space = if prompt.ends_with(char::is_whitespace) { "" } else { " " };
    let both = model.tokenize(&format!("{prompt}{space}{text}"))?;
    let special = model.special_tokens();
    match both.strip_prefix(tokens) {
        Some(rest) if rest.iter().any(|id| special.contains(id)) => Err(BiasError::Input(format!(
            "the model's vocabulary has no {text:?}: give words that it was trained on"
        ))),
        Some(rest) if !rest.is_empty() => Ok(rest.to_vec()),
        _ => Err(BiasError::Input(format!(
            "the tokenizer joins {text:?} to the end of {prompt:?}: end the template where a word ends"
        ))),
    }
}
