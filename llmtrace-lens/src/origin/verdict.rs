//! What is said of a text's origin.

use serde::Serialize;

/// What is said of a text's origin.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Who wrote it; none where that is not known, for the reason in [`why`](Self::why).
    pub origin: Option<String>,
    /// Why it is said, or not.
    pub why: Why,
    /// The greatest of the probabilities.
    pub confidence: f64,
    /// Each class with its calibrated probability, the likeliest first; they sum to 1, and mean nothing where the text is like none of them.
    pub probabilities: Vec<(String, f64)>,
    /// The share of known texts that lie as far from their class's middle as this one does from the likeliest's.
    pub typicality: f64,
    /// Words that were judged by.
    pub words: usize,
}

/// Why an origin is said, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// One class is likely enough, and the text is like its texts.
    Known,
    /// Unknown: no class is likely enough.
    Unsure,
    /// Unknown: the text is like no class's texts.
    Unlike,
    /// Unknown: there are too few words.
    TooShort,
}

impl Why {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unsure => "unknown: no origin is likely enough",
            Self::Unlike => "unknown: the text is like none of those known",
            Self::TooShort => "unknown: too few words",
        }
    }
}
