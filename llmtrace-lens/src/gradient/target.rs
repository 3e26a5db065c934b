//! What a gradient is taken of.

use std::fmt;

use crate::error::RunError;

/// What a gradient is taken of: one number for each sequence.
///
/// ```
/// use llmtrace_lens::gradient::Target;
///
/// let after_the_last_position = Target::logit_difference(216, 28);
/// let after_the_fourth = Target::log_probability(216).at(3);
/// assert_eq!(after_the_fourth.to_string(), "log-probability of token 216 after position 3");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    score: Score,
    position: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Score {
    Logit(u32),
    Difference(u32, u32),
    LogProbability(u32),
    Continuation(Vec<u32>),
}

/// Positions of one batch.
const BATCH_POSITIONS: usize = 1024;
/// Logits of one batch: 64 MiB.
const BATCH_LOGITS: usize = 1 << 24;

impl Target {
    /// The logit of a token, after the last position.
    pub fn logit(token: u32) -> Self {
        Self { score: Score::Logit(token), position: None }
    }

    /// The logit of `token` less that of `other`, after the last position.
    pub fn logit_difference(token: u32, other: u32) -> Self {
        Self { score: Score::Difference(token, other), position: None }
    }

    /// The log-probability of a token (natural logarithm), after the last position.
    pub fn log_probability(token: u32) -> Self {
        Self { score: Score::LogProbability(token), position: None }
    }

    /// The sum of the log-probabilities of these tokens, each after the prompt and the ones before it; the run appends
    /// them to the prompt.
    pub fn continuation(tokens: &[u32]) -> Self {
        Self { score: Score::Continuation(tokens.to_vec()), position: None }
    }

    /// Reads the logits of this position, counted from 0, in place of the last one. A continuation has none to choose.
    pub fn at(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    /// How many prompts of `steps` positions are best run at once: more would only take more memory.
    pub(crate) fn batch(&self, steps: usize, vocab: usize) -> usize {
        let (appended, logits) = match &self.score {
            Score::Logit(_) | Score::Difference(..) => (0, 1),
            Score::LogProbability(_) => (0, vocab),
            Score::Continuation(tokens) => (tokens.len(), tokens.len() * vocab),
        };
        (BATCH_POSITIONS / (steps + appended).max(1)).min(BATCH_LOGITS / logits.max(1)).max(1)
    }

    /// What is to be read of a run of a prompt of `steps` positions.
    ///
    /// # Errors
    /// A token outside the vocabulary, a position outside the prompt, or an empty continuation.
    pub(super) fn resolve(&self, steps: usize, vocab: usize) -> Result<Reading, RunError> {
        let position = self.position.unwrap_or(steps.saturating_sub(1));
        if position >= steps {
            return Err(RunError::Input(format!("there is no position {position}: the prompt has {steps}")));
        }
        let single = |terms: Vec<Term>, is_log| Reading {
            first: position,
            count: 1,
            terms,
            is_log,
            appended: Vec::new(),
        };
        let term = |row, token, weight| Term { row, token, weight };
        let reading = match &self.score {
            Score::Logit(token) => single(vec![term(0, *token, 1.0)], false),
            Score::Difference(token, other) => {
                single(vec![term(0, *token, 1.0), term(0, *other, -1.0)], false)
            }
            Score::LogProbability(token) => single(vec![term(0, *token, 1.0)], true),
            Score::Continuation(tokens) => {
                if self.position.is_some() {
                    return Err(RunError::Input(
                        "a continuation follows the prompt: it has no position to choose".to_owned(),
                    ));
                }
                let Some((_, appended)) = tokens.split_last() else {
                    return Err(RunError::Input("the continuation has no token".to_owned()));
                };
                Reading {
                    first: position,
                    count: tokens.len(),
                    terms: tokens.iter().enumerate().map(|(row, token)| term(row, *token, 1.0)).collect(),
                    is_log: true,
                    appended: appended.to_vec(),
                }
            }
        };
        match reading.terms.iter().find(|term| term.token as usize >= vocab) {
            Some(Term { token, .. }) => {
                Err(RunError::Input(format!("token {token} is outside the vocabulary of {vocab} tokens")))
            }
            None => Ok(reading),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.score {
            Score::Logit(token) => write!(f, "logit of token {token}")?,
            Score::Difference(token, other) => write!(f, "logit of token {token} less that of {other}")?,
            Score::LogProbability(token) => write!(f, "log-probability of token {token}")?,
            Score::Continuation(tokens) => {
                write!(f, "log-probability of the {} tokens {tokens:?}", tokens.len())?;
            }
        }
        self.position.map_or(Ok(()), |position| write!(f, " after position {position}"))
    }
}

/// What is read of a run: a weighted sum of logits, or of log-probabilities.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// The first position whose logits are read.
    pub(super) first: usize,
    /// How many are, from there on.
    pub(super) count: usize,
    pub(super) terms: Vec<Term>,
    /// Whether it is log-probabilities that are summed.
    pub(super) is_log: bool,
    /// What the run appends to the prompt: the continuation but for its last token.
    pub(super) appended: Vec<u32>,
}

/// One summand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    /// Counted from [`Reading::first`].
    pub(super) row: usize,
    pub(super) token: u32,
    pub(super) weight: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_by_positions_and_by_logits() {
        let check = |target: &Target, steps: usize, vocab: usize, expected: usize| {
            assert_eq!(target.batch(steps, vocab), expected, "{target}");
        };
        check(&Target::logit(1), 9, 50_257, 113);
        check(&Target::logit_difference(1, 2), 5000, 50_257, 1);
        check(&Target::log_probability(1), 9, 1 << 18, 64);
        check(&Target::continuation(&[1, 2, 3, 4]), 12, 1 << 18, 16);
        check(&Target::continuation(&[1, 2, 3, 4]), 12, 100, 64);
        check(&Target::continuation(&[]), 0, 0, 1024);
    }
}
