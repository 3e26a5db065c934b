//! The models that may have written a text.

use serde::{Deserialize, Serialize};

use super::error::OriginError;
use super::evidence::Evidence;
use super::words::{self, LEAST};
use crate::model::Model;

/// Models that read a text side by side.
///
/// Their tokenizers may differ: what is compared are words.
#[derive(Debug)]
pub struct Candidates<'m> {
    models: Vec<(Candidate, &'m Model)>,
}

/// A model by which a classifier knows it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// What it is called.
    pub name: String,
    /// The family that its config.json names.
    pub family: String,
    /// Its blocks.
    pub layers: usize,
    /// The width of its stream.
    pub d_model: usize,
    /// Its tokens.
    pub vocab: usize,
    /// Log-probabilities, in nats, that it gives to the tokens 1, 2, .. of the text 0, 1, 2, .. of 16 tokens at most.
    pub probe: Vec<f64>,
}

/// Tokens by which models of one shape are told apart.
const PROBE: usize = 16;
/// Nats by which a model's log-probabilities there may differ from themselves, as those of a copy with fewer bits do.
const SAME: f64 = 0.1;

/// Words of a text that are read; what comes after them is not.
const MOST_WORDS: usize = 4096;

impl<'m> Candidates<'m> {
    /// Models by their names.
    ///
    /// # Errors
    /// Fewer than two models, two of one name, or one that does not run.
    pub fn new<N: Into<String>>(
        models: impl IntoIterator<Item = (N, &'m Model)>,
    ) -> Result<Self, OriginError> {
        let models = models.into_iter().map(|(name, model)| Ok((Candidate::of(name.into(), model)?, model)));
        let models = models.collect::<Result<Vec<(Candidate, &Model)>, OriginError>>()?;
        if models.len() < 2 {
            return Err(OriginError::Input("candidates: expected at least two models".to_owned()));
        }
        for (at, (one, _)) in models.iter().enumerate() {
            if models.iter().skip(at + 1).any(|(other, _)| other.name == one.name) {
                return Err(OriginError::Input(format!("candidates: two are named {:?}", one.name)));
            }
        }
        Ok(Self { models })
    }

    /// Lets each candidate read a text: its first 4,096 words, in windows that overlap by half where a model has
    /// fewer positions, or where their logits would be more than 2^26 numbers (262 tokens of a vocabulary of 256,000).
    ///
    /// # Errors
    /// A candidate has no tokenizer, or cannot read the text.
    pub fn read(&self, text: &str) -> Result<Evidence, OriginError> {
        let words = words::words(text, MOST_WORDS);
        let scores = self.models.iter().map(|(candidate, model)| {
            words::log_probabilities(model, text, &words)
                .map_err(|source| OriginError::Read { candidate: candidate.name.clone(), source })
        });
        Ok(Evidence::of(&scores.collect::<Result<Vec<_>, _>>()?))
    }

    /// Who they are, in their order.
    pub fn names(&self) -> impl Iterator<Item = &Candidate> {
        self.models.iter().map(|(candidate, _)| candidate)
    }
}

impl Candidate {
    fn of(name: String, model: &Model) -> Result<Self, OriginError> {
        let config = model.config();
        let length = PROBE.min(config.vocab).min(config.context);
        let probe: Vec<u32> = (0..).take(length).collect();
        let probe = words::token_log_probabilities(model, &probe)
            .map_err(|source| OriginError::Read { candidate: name.clone(), source })?;
        Ok(Self {
            name,
            family: config.family.clone(),
            layers: config.layers,
            d_model: config.d_model,
            vocab: config.vocab,
            probe: probe.into_iter().flatten().map(|score| score.max(LEAST)).collect(),
        })
    }

    /// Whether the other one has its name and its shape.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let seen = |of: &Self| (of.name.clone(), of.family.clone(), of.layers, of.d_model, of.vocab);
        seen(self) == seen(other)
    }

    /// Whether the other one finds the same tokens likely.
    pub(super) fn speaks_like(&self, other: &Self) -> bool {
        let mut pairs = self.probe.iter().zip(&other.probe);
        self.probe.len() == other.probe.len() && pairs.all(|(one, other)| (one - other).abs() <= SAME)
    }
}
