//! What a method is asked.

use serde::Serialize;

use super::part::{Level, Part};
use crate::gradient::Target;

/// One prompt, and the parts of which a method says how much they move its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Task {
    /// Its name.
    pub id: String,
    /// The model's name: the folder that [`Suite::write`](super::Suite::write) writes it to.
    pub model: String,
    /// The ids of the prompt's tokens.
    pub tokens: Vec<u32>,
    /// Their texts.
    pub texts: Vec<String>,
    /// What is explained.
    pub answer: Answer,
    /// The token that stands for a masked one.
    pub mask: u32,
    /// What kind of parts these are.
    pub level: Level,
    /// What is to be scored, in this order.
    pub parts: Vec<Part>,
    /// Which of them move the answer: the truth. None where it is not known, and only faithfulness is measured. It is not written to files.
    #[serde(skip)]
    pub truth: Option<Vec<bool>>,
}

/// What is explained: after the last token, the logit of one token, less that of another where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// The token.
    pub token: u32,
    /// The other one.
    pub against: Option<u32>,
}

impl Answer {
    /// It as what gradients and games are asked for.
    pub fn target(self) -> Target {
        match self.against {
            Some(other) => Target::logit_difference(self.token, other),
            None => Target::logit(self.token),
        }
    }
}
