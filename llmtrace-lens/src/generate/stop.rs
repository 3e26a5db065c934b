//! When an answer ends.

use std::fmt;

use serde::Serialize;

/// When an answer ends: at a token, at a text, or after so many tokens, whichever comes first.
///
/// The model's own end tokens ([`Model::end_tokens`](crate::Model::end_tokens)) end it too, unless they are ignored.
///
/// ```
/// use llmtrace_lens::generate::Stop;
///
/// let stop = Stop::after(64).at_token(7).at_text("\n\n");
/// let always_64_tokens = Stop::after(64).ignoring_end_tokens();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stop {
    /// How many tokens an answer has at most.
    pub max_tokens: usize,
    /// Ids that end it; the id is part of the answer's tokens.
    pub tokens: Vec<u32>,
    /// Texts that end it; the text is left out of the answer.
    pub texts: Vec<String>,
    /// What the model's own end tokens do.
    pub end_tokens: EndTokens,
}

/// What the end tokens that a model itself has do to an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndTokens {
    /// They end it.
    #[default]
    Stop,
    /// They are tokens like others.
    Ignore,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// A token that ends answers was chosen.
    Token {
        /// Its id.
        token: u32,
    },
    /// A text that ends answers was written.
    Text {
        /// The text.
        text: String,
    },
    /// The answer has as many tokens as it may have.
    MaxTokens,
    /// The model was made for no more positions.
    Context,
    /// The program said that it is enough.
    Caller,
}

impl Stop {
    /// After `max_tokens` tokens.
    pub fn after(max_tokens: usize) -> Self {
        Self { max_tokens, tokens: Vec::new(), texts: Vec::new(), end_tokens: EndTokens::Stop }
    }

    /// Also at this token.
    pub fn at_token(mut self, token: u32) -> Self {
        self.tokens.push(token);
        self
    }

    /// Takes the model's own end tokens for tokens like others.
    pub fn ignoring_end_tokens(mut self) -> Self {
        self.end_tokens = EndTokens::Ignore;
        self
    }

    /// Whether this token ends an answer of a model with these end tokens.
    pub(super) fn ends_at(&self, token: u32, of_model: &[u32]) -> bool {
        self.tokens.contains(&token) || (self.end_tokens == EndTokens::Stop && of_model.contains(&token))
    }

    /// Also where the answer has this text; an empty one is passed over.
    pub fn at_text(mut self, text: impl Into<String>) -> Self {
        self.texts.push(text.into());
        self
    }
}

impl FinishReason {
    /// The word of the `OpenTelemetry` GenAI conventions: `stop` or `length`; `cancelled` where the program ended it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Token { .. } | Self::Text { .. } => "stop",
            Self::MaxTokens | Self::Context => "length",
            Self::Caller => "cancelled",
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Looks for stop texts in an answer that comes in pieces, and says how much of it is surely not part of one.
#[derive(Debug)]
pub(super) struct StopTexts<'s> {
    texts: Vec<&'s str>,
    /// How much of the answer is released, in bytes.
    released: usize,
}

impl<'s> StopTexts<'s> {
    pub(super) fn new(stop: &'s Stop) -> Self {
        Self {
            texts: stop.texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect(),
            released: 0,
        }
    }

    /// Takes the whole answer so far; returns the first stop text in it, at the byte where it begins.
    pub(super) fn find(&self, answer: &str) -> Option<(usize, &'s str)> {
        let rest = answer.get(self.released..).unwrap_or_default();
        let found = self.texts.iter().filter_map(|text| Some((self.released + rest.find(text)?, *text)));
        found.min_by_key(|(at, text)| (*at, text.len()))
    }

    /// Releases what cannot become a stop text any more; returns its piece of the answer.
    pub(super) fn release<'a>(&mut self, answer: &'a str) -> &'a str {
        let rest = answer.get(self.released..).unwrap_or_default();
        let may_begin =
            |at: &usize| self.texts.iter().any(|text| text.starts_with(rest.get(*at..).unwrap_or("-")));
        let end = rest.char_indices().map(|(at, _)| at).find(|at| may_begin(at)).unwrap_or(rest.len());
        self.released += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Releases all up to `end`; returns its piece of the answer.
    pub(super) fn release_to<'a>(&mut self, answer: &'a str, end: usize) -> &'a str {
        let piece = answer.get(self.released..end).unwrap_or_default();
        self.released = self.released.max(end);
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds pieces; returns what is released at each, and the answer.
    fn feed(texts: &[&str], pieces: &[&str]) -> (Vec<String>, Option<String>) {
        let stop = texts.iter().fold(Stop::after(9), |stop, text| stop.at_text(*text));
        let mut search = StopTexts::new(&stop);
        let (mut answer, mut released) = (String::new(), Vec::new());
        for piece in pieces {
            answer.push_str(piece);
            if let Some((at, text)) = search.find(&answer) {
                released.push(search.release_to(&answer, at).to_owned());
                return (released, Some(text.to_owned()));
            }
            released.push(search.release(&answer).to_owned());
        }
        released.push(search.release_to(&answer, answer.len()).to_owned());
        (released, None)
    }

    #[test]
    fn what_may_become_a_stop_text_is_held_back() {
        let check = |texts: &[&str], pieces: &[&str], released: &[&str], stopped: &str| {
            let (found, text) = feed(texts, pieces);
            assert_eq!(
                (&found[..], text.as_deref().unwrap_or("")),
                (&released.iter().map(ToString::to_string).collect::<Vec<_>>()[..], stopped),
                "{texts:?} {pieces:?}"
            );
        };
        check(&[], &["a", "b"], &["a", "b", ""], "");
        check(&["", "zz"], &["a", "b"], &["a", "b", ""], "");
        check(&["\n\n"], &["a\n", "b\n", "\nc"], &["a", "\nb", ""], "\n\n");
        check(&["STOP"], &["aST", "ST", "OP"], &["a", "ST", ""], "STOP");
        check(&["STOP"], &["aST", "ay"], &["a", "STay", ""], "");
        check(&["STOP"], &["aST"], &["a", "ST"], "");
        check(&["aab"], &["a", "a", "a", "b"], &["", "", "a", ""], "aab");
        // The one that begins first, whichever is named first.
        check(&["c", "bc"], &["abcd"], &["a"], "bc");
        check(&["é!"], &["é", "é", "!"], &["", "é", ""], "é!");
    }
}
