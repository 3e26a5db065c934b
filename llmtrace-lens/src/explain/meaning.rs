//! What the values of an attribution say.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the values of an attribution say, and in which unit. `Display` says it in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Meaning {
    /// What each part did to the score, in the score's unit: above 0 it raised the score.
    #[default]
    Change,
    /// How long the score's gradient by each part's embeddings is, in the score's unit per unit of embedding: how
    /// strongly the score depends on the part, not which way. Lengths do not share the score out.
    GradientLength,
    /// The share of each part in the last position after the last block, from 0 to 1, were attention all that moves it.
    /// Shares know nothing of the score.
    AttentionShare,
}

impl Meaning {
    /// Its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::GradientLength => "gradient_length",
            Self::AttentionShare => "attention_share",
        }
    }

    /// Whether values below 0 are against what those above are for.
    pub fn is_signed(self) -> bool {
        self == Self::Change
    }

    /// What the values are, where the score is called `score`: with its unit, `log-probability of Austin (nats)`.
    pub fn of(self, score: &str) -> String {
        match self {
            Self::Change => score.to_owned(),
            Self::GradientLength => format!("length of the gradient of the {score}, per unit of embedding"),
            Self::AttentionShare => {
                format!("share of attention in the last position, 0 to 1; it knows nothing of the {score}")
            }
        }
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Change => "what each part did to the score",
            Self::GradientLength => {
                "how strongly the score depends on each part: lengths of gradients, without sign"
            }
            Self::AttentionShare => {
                "shares of attention in the last position: they know nothing of the score"
            }
        })
    }
}
