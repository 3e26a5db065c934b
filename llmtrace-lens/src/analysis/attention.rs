//! What heads attend to, summed up.

use std::fmt;

use serde::Serialize;

use super::columns;
use super::error::ReadError;
use super::reading::{Reading, single};
use crate::error::RunError;
use crate::ops::floats;

/// What each head attends to, in a few numbers; all are means over the positions after the first, which can attend to
/// itself alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AttentionSummary {
    /// The number of positions of the text.
    pub positions: usize,
    /// Every head, layer by layer.
    pub heads: Vec<HeadSummary>,
}

/// What one head attends to. Scores are shares of attention, from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HeadSummary {
    /// The block.
    pub layer: usize,
    /// The head in it.
    pub head: usize,
    /// Entropy of the attention in nats: 0 where it is all on one position.
    pub entropy: f32,
    /// Attention to the position before.
    pub previous_token: f32,
    /// Attention to the first position, where heads rest that have nothing to do.
    pub first_token: f32,
    /// Attention to earlier positions with the same token; none where no token comes twice.
    pub duplicate_token: Option<f32>,
    /// Attention to positions that follow an earlier one with the same token (the prefix-matching score of Olsson et al.
    /// 2022, "In-context Learning and Induction Heads"); none where no token comes twice. It tells induction heads on
    /// repeated random tokens: see [`InductionTest`](super::InductionTest).
    pub induction: Option<f32>,
    /// Attention to special tokens, such as the beginning of a text; none where the text has none.
    pub special_tokens: Option<f32>,
}

impl HeadSummary {
    /// Its name: `L0H3`.
    pub fn label(&self) -> String {
        format!("L{}H{}", self.layer, self.head)
    }
}

impl AttentionSummary {
    /// One head.
    pub fn head(&self, layer: usize, head: usize) -> Option<&HeadSummary> {
        self.heads.iter().find(|summary| (summary.layer, summary.head) == (layer, head))
    }

    /// The heads with an induction score of at least this, the highest first.
    pub fn induction_heads(&self, at_least: f32) -> Vec<&HeadSummary> {
        self.ranked(at_least, |head| head.induction)
    }

    /// The heads with a previous-token score of at least this, the highest first.
    pub fn previous_token_heads(&self, at_least: f32) -> Vec<&HeadSummary> {
        self.ranked(at_least, |head| Some(head.previous_token))
    }

    /// The heads with a duplicate-token score of at least this, the highest first.
    pub fn duplicate_token_heads(&self, at_least: f32) -> Vec<&HeadSummary> {
        self.ranked(at_least, |head| head.duplicate_token)
    }

    fn ranked(&self, at_least: f32, score: impl Fn(&HeadSummary) -> Option<f32>) -> Vec<&HeadSummary> {
        let scored = self.heads.iter().filter_map(|head| Some((score(head)?, head)));
        let mut scored: Vec<_> = scored.filter(|(score, _)| *score >= at_least).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().map(|(_, head)| head).collect()
    }

    /// The mean over texts, head by head; a score that a text does not have is left out of its mean.
    pub(super) fn mean(summaries: &[Self]) -> Option<Self> {
        let first = summaries.first()?;
        let head = |at: usize, one: &HeadSummary| {
            let of = |score: &dyn Fn(&HeadSummary) -> Option<f32>| {
                let found = summaries.iter().filter_map(|summary| score(summary.heads.get(at)?));
                mean(found.map(f64::from))
            };
            HeadSummary {
                layer: one.layer,
                head: one.head,
                entropy: of(&|head| Some(head.entropy)).unwrap_or(one.entropy),
                previous_token: of(&|head| Some(head.previous_token)).unwrap_or(one.previous_token),
                first_token: of(&|head| Some(head.first_token)).unwrap_or(one.first_token),
                duplicate_token: of(&|head| head.duplicate_token),
                induction: of(&|head| head.induction),
                special_tokens: of(&|head| head.special_tokens),
            }
        };
        let heads = first.heads.iter().enumerate().map(|(at, one)| head(at, one)).collect();
        Some(Self { positions: first.positions, heads })
    }
}

impl Reading<'_> {
    /// What each head attends to over this text.
    ///
    /// # Errors
    /// The text is one token, or the run did not keep the attention.
    pub fn attention_summary(&self) -> Result<AttentionSummary, ReadError> {
        let (tokens, config) = (&self.tokens, self.config());
        if tokens.len() < 2 {
            let problem = "attention over one token says nothing: at least two are needed".to_owned();
            return Err(RunError::Input(problem).into());
        }
        let special = self.model.special_tokens();
        let is_special = |source: usize| tokens.get(source).is_some_and(|token| special.contains(token));
        let any_special = (0..tokens.len()).any(is_special);
        let mut heads = Vec::with_capacity(config.layers * config.heads);
        for layer in 0..config.layers {
            let pattern = floats(&self.pattern(layer)?)?;
            for (head, pattern) in pattern.chunks(tokens.len() * tokens.len()).enumerate() {
                let rows = Rows { pattern, tokens };
                heads.push(HeadSummary {
                    layer,
                    head,
                    entropy: rows.mean(|rows, to| Some(rows.entropy(to))).unwrap_or(0.0),
                    previous_token: rows.mean_to(|to, from| from + 1 == to),
                    first_token: rows.mean_to(|_, from| from == 0),
                    duplicate_token: rows.mean(|rows, to| rows.of_seen(to, |from| rows.same(from, to))),
                    induction: rows
                        .mean(|rows, to| rows.of_seen(to, |from| from > 0 && rows.same(from - 1, to))),
                    special_tokens: any_special.then(|| rows.mean_to(|_, from| is_special(from))),
                });
            }
        }
        Ok(AttentionSummary { positions: tokens.len(), heads })
    }
}

/// The attention of one head over a text.
struct Rows<'a> {
    /// `[t, t]`.
    pattern: &'a [f32],
    tokens: &'a [u32],
}

impl Rows<'_> {
    /// Earlier positions and that itself, with the attention to each.
    fn row(&self, to: usize) -> impl Iterator<Item = (usize, f64)> {
        let row = self.pattern.chunks(self.tokens.len().max(1)).nth(to).unwrap_or_default();
        row.iter().map(|share| f64::from(*share)).enumerate().take(to + 1)
    }

    fn same(&self, from: usize, to: usize) -> bool {
        from != to && self.tokens.get(from) == self.tokens.get(to)
    }

    fn entropy(&self, to: usize) -> f64 {
        let terms = self.row(to).filter(|(_, share)| *share > 0.0).map(|(_, share)| -share * share.ln());
        terms.sum::<f64>().max(0.0)
    }

    /// The attention from one position to some.
    fn share(&self, to: usize, counts: impl Fn(usize) -> bool) -> f64 {
        self.row(to).filter(|(from, _)| counts(*from)).map(|(_, share)| share).sum()
    }

    /// The same; none where the token has not come before.
    fn of_seen(&self, to: usize, counts: impl Fn(usize) -> bool) -> Option<f64> {
        (0..to).any(|from| self.same(from, to)).then(|| self.share(to, counts))
    }

    /// The mean over the positions after the first that have a value.
    fn mean(&self, value: impl Fn(&Self, usize) -> Option<f64>) -> Option<f32> {
        mean((1..self.tokens.len()).filter_map(|to| value(self, to)))
    }

    fn mean_to(&self, counts: impl Fn(usize, usize) -> bool) -> f32 {
        self.mean(|rows, to| Some(rows.share(to, |from| counts(to, from)))).unwrap_or(0.0)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f32> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| single(sum / count as f64))
}

impl fmt::Display for AttentionSummary {
    /// A row for each head, a column for each number; `-` where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["head", "entropy", "previous", "first", "duplicate", "induction", "special"];
        let share = |score: Option<f32>| score.map_or_else(|| "-".to_owned(), |score| format!("{score:.3}"));
        let mut lines = vec![names.map(str::to_owned).to_vec()];
        lines.extend(self.heads.iter().map(|head| {
            vec![
                head.label(),
                share(Some(head.entropy)),
                share(Some(head.previous_token)),
                share(Some(head.first_token)),
                share(head.duplicate_token),
                share(head.induction),
                share(head.special_tokens),
            ]
        }));
        columns::write(f, &lines)
    }
}
