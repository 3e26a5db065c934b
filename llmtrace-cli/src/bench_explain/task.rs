//! One question whose answer is known.

use llmtrace_lens::Model;
use serde::{Deserialize, Serialize};

/// What is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// How much each token of the prompt matters.
    Tokens,
    /// How much each attention head matters.
    Heads,
    /// How much one part of the model adds to another.
    Edges,
}

/// One question whose answer is known.
pub(super) struct Task {
    pub(super) asked: Asked,
    pub(super) model: Model,
    /// The numbers of the candidates that matter.
    pub(super) truth: Vec<usize>,
}

/// What a method is told of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Its name.
    pub(super) name: String,
    /// The folder of its model, below `models`.
    pub(super) model: String,
    /// What is scored.
    pub(super) kind: Kind,
    /// The prompt, as tokens.
    pub(super) prompt: Vec<u32>,
    /// A prompt of the same length with another answer.
    pub(super) contrast: Vec<u32>,
    /// What is explained: the logit of this token at the last position ..
    pub(super) answer: u32,
    /// .. less that of this one.
    pub(super) wrong: u32,
    /// The token that stands in place of masked ones.
    pub(super) mask: u32,
    /// What is scored, one number each, in this order.
    pub(super) candidates: Vec<String>,
}

impl Kind {
    /// Its name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Heads => "heads",
            Self::Edges => "edges",
        }
    }
}
