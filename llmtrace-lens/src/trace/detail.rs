//! How much of a run is told.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// How much of a run of a local model is told to the trace around it, and measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Nothing: no span, no allocation, no look at a clock.
    Off,
    /// One span for the whole: prompt and answer, tokens, first-token time, sampling, entropy, operations, memory.
    #[default]
    Summary,
    /// Also a span for each pass, and below that of the prompt one for the embedding, each block with its attention and
    /// its MLP, and the unembedding, with residual norms and findings.
    Layers,
    /// Also the blocks of every step: `3 L + 3` spans a token.
    Full,
}

/// The text names no [`Detail`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no detail: expected off, summary, layers or full")]
pub struct ParseDetailError {
    found: String,
}

impl Detail {
    /// `off`, `summary`, `layers` or `full`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Summary => "summary",
            Self::Layers => "layers",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Detail {
    type Err = ParseDetailError;

    fn from_str(text: &str) -> Result<Self, ParseDetailError> {
        let all = [Self::Off, Self::Summary, Self::Layers, Self::Full];
        let found = all.into_iter().find(|detail| detail.as_str() == text);
        found.ok_or_else(|| ParseDetailError { found: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_ordered_and_read_as_they_are_written() {
        let all = [Detail::Off, Detail::Summary, Detail::Layers, Detail::Full];
        assert!(all.is_sorted() && all.iter().all(|detail| detail.to_string().parse() == Ok(*detail)));
        let error = "Layers".parse::<Detail>().unwrap_err();
        assert_eq!(error.to_string(), r#""Layers" is no detail: expected off, summary, layers or full"#);
    }
}
