//! What was seen.

use serde::Serialize;

use crate::analysis::{AttentionSummary, Guess, LogitLens, Reading, ResidualNorms};
use crate::explain::{Attribution, Faithfulness};
use crate::generate::Generation;
use crate::model::Model;
use crate::patching::Sweep;

/// What an [`Inspection`](super::Inspection) saw; it serialises to JSON, and [`page`](Self::page) draws it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Inspected<'m> {
    #[serde(skip)]
    pub(super) model: &'m Model,
    /// The run of the prompt, to read more of it.
    #[serde(skip)]
    pub reading: Reading<'m>,
    /// The token that is looked for in all of it.
    pub answer: Guess,
    /// The beginning of the answer.
    pub generation: Generation,
    /// What the model would say after each layer.
    pub lens: LogitLens,
    /// Where each head looks; none where the prompt is one token.
    pub attention: Option<AttentionSummary>,
    /// What another prompt's run changes, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// What each token of the prompt did to the log-probability of the answer, but for those that the tokenizer added to a
    /// text.
    pub attribution: Attribution,
    /// The positions of its parts.
    #[serde(skip)]
    pub(super) positions: Vec<usize>,
    /// How far that is true to the model; none where judging would have taken too long.
    pub faithfulness: Option<Faithfulness>,
    /// How long the residual stream is.
    pub norms: ResidualNorms,
    /// The probability that the model gave each token of the prompt before it saw it; not a number for the first.
    pub surprise: Vec<f32>,
}

/// Another prompt, whose run was patched into the first one's.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Beside {
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// What the model answers to it.
    pub answer: Guess,
    /// The stream that enters each layer, position by position: 1 where a patch brings the other answer in full.
    pub stream: Sweep,
    /// The same for the output of each head.
    pub heads: Sweep,
}

impl Inspected<'_> {
    /// What the model says first after each layer at the last position, with its probability.
    pub fn path(&self) -> impl Iterator<Item = (String, &Guess)> {
        self.lens.rows.iter().filter_map(|row| Some((row.place(), row.cells.last()?.best()?)))
    }

    /// The patch of the other prompt's stream that brings most of its answer: layer, position, share.
    pub fn strongest_patch(&self) -> Option<(usize, usize, f64)> {
        let (index, share) = self.beside.as_ref()?.stream.strongest(1).pop()?;
        Some((*index.first()?, *index.get(1)?, share))
    }
}
