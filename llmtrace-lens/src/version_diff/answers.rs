//! What two models answer.

use serde::Serialize;

use super::error::DiffError;
use super::measured;
use crate::generate::Stop;
use crate::model::{Model, Readout};
use crate::ops::Distribution;
use crate::ops::floats;
use crate::trace::Detail;

/// What a model answers to a prompt, taking the likeliest token each time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// Its text.
    pub text: String,
    /// Its tokens' texts, and the probability of each after those before it.
    pub tokens: Vec<(String, f64)>,
    /// What the other version gives its first token, after the same prompt.
    pub first_by_other: f64,
}

/// What became of the answer to a prompt.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AnswerChange {
    /// The prompt.
    pub prompt: String,
    /// The older model's answer.
    pub before: Answer,
    /// The newer model's answer.
    pub after: Answer,
    /// `KL(after || before)` of the next token's distribution, in nats.
    pub divergence: f64,
    /// What that means.
    pub status: AnswerStatus,
}

/// Whether an answer is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerStatus {
    /// The same words, as probable as before but for noise.
    Same,
    /// Other words, but where they part noise moves the probabilities as much: nothing follows.
    Undecided,
    /// The same words, with probabilities that have moved.
    Moved,
    /// Other words.
    Changed,
}

impl AnswerChange {
    /// Asks both models, whose next tokens after the prompt are `divergence` apart; what is at most `limit` is noise.
    pub(super) fn ask(
        (before, after): (&Model, &Model),
        (prompt, tokens): (&str, &[u32]),
        length: usize,
        (divergence, limit): (f64, f64),
    ) -> Result<Self, DiffError> {
        let (mut old, old_ids) = Answer::of(before, tokens, length)?;
        let (mut new, new_ids) = Answer::of(after, tokens, length)?;
        let end = [last(before, tokens)?, last(after, tokens)?];
        let chance = |logits: &[f32], ids: &[u32]| {
            let of = Distribution::of(logits).probabilities;
            ids.first().and_then(|id| of.get(*id as usize).copied()).unwrap_or(0.0)
        };
        old.first_by_other = chance(&end[1], &old_ids);
        new.first_by_other = chance(&end[0], &new_ids);
        let status = if old_ids == new_ids {
            if divergence > limit { AnswerStatus::Moved } else { AnswerStatus::Same }
        } else {
            // Where the answers part, the distributions must be apart too: a tie falls either way.
            let common = old_ids.iter().zip(&new_ids).take_while(|(a, b)| a == b).map(|(id, _)| *id);
            let parting: Vec<u32> = tokens.iter().copied().chain(common).collect();
            let apart = measured::divergence(&last(after, &parting)?, &last(before, &parting)?);
            if apart > limit { AnswerStatus::Changed } else { AnswerStatus::Undecided }
        };
        Ok(Self { prompt: prompt.to_owned(), before: old, after: new, divergence, status })
    }
}

impl Answer {
    /// The probability of its first token.
    pub fn first(&self) -> f64 {
        self.tokens.first().map_or(0.0, |(_, probability)| *probability)
    }

    /// The answer of a model, of at most so many tokens, and their ids.
    fn of(model: &Model, prompt: &[u32], length: usize) -> Result<(Self, Vec<u32>), DiffError> {
        let found = model.generator().detail(Detail::Off).stop(Stop::after(length)).run(prompt)?;
        let tokens = found.tokens.iter();
        let tokens = tokens.map(|token| (model.token_text(token.token.id), token.choice.model.probability));
        Ok((Self { text: found.text.clone(), tokens: tokens.collect(), first_by_other: 0.0 }, found.ids()))
    }
}

/// The logits after a text.
fn last(model: &Model, tokens: &[u32]) -> Result<Vec<f32>, DiffError> {
    Ok(floats(&model.run_batch(&[tokens], Readout::Last)?)?)
}
