//! What a graph explains.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::graph::TargetNode;
use super::local::Local;
use crate::circuit::error::CircuitError;
use crate::ops::floats;
use crate::statistics::softmax;

/// What a graph explains.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets {
    /// The most probable next tokens: as few as have `probability` together, and at most `most`. Each is the token's logit less
    /// the mean of all logits, and weighs as much as the token is probable.
    Likely {
        /// The most of them.
        most: usize,
        /// The probability that they have together.
        probability: f64,
    },
    /// These tokens, weighed by their probabilities.
    Tokens(Vec<u32>),
    /// By how much the logit of the first exceeds that of the second; it weighs 1.
    Difference(u32, u32),
    /// A direction `[D]` of the normed stream at the last position, named; it weighs 1.
    Direction(String, Vec<f32>),
}

impl Default for Targets {
    /// circuit-tracer's: at most 10 tokens with a probability of 0.95 together.
    fn default() -> Self {
        Self::Likely { most: 10, probability: 0.95 }
    }
}

/// A linear reading of the stream that enters the MLP of `layer` at `position`, or leaves the last block where `layer` is their number.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) layer: usize,
    pub(super) position: usize,
    /// Shared by all positions at which one feature is active.
    pub(super) vector: Arc<[f32]>,
    /// What the vector is divided by here.
    pub(super) divisor: f32,
    pub(super) constant: f32,
}

impl Targets {
    /// The targets of a prompt, each with the direction of the normed stream at the last position that it reads, and what is added.
    pub(super) fn resolve(&self, local: &Local<'_>) -> Result<Vec<(TargetNode, Direction)>, CircuitError> {
        let model = local.model;
        let named = |name: String, direction| {
            vec![(TargetNode { token: None, name, weight: 1.0, probability: None }, direction)]
        };
        let probabilities = local.probabilities();
        let tokens = match self {
            Self::Likely { most, probability } => likely(&probabilities, *most, *probability),
            Self::Tokens(tokens) => {
                let mut seen = BTreeSet::new();
                tokens.iter().copied().filter(|token| seen.insert(*token)).collect()
            }
            Self::Difference(token, against) => {
                let direction = column(local, *token)?.less(&column(local, *against)?);
                let name = format!("{} - {}", model.token_text(*token), model.token_text(*against));
                return Ok(named(name, direction));
            }
            Self::Direction(name, vector) => {
                let (found, expected) = (vector.len(), model.config().d_model);
                if found != expected {
                    let problem = format!("a direction of {found} numbers was given, expected {expected}");
                    return Err(CircuitError::Input(problem));
                }
                return Ok(named(name.clone(), Direction { vector: vector.clone(), constant: 0.0 }));
            }
        };
        let mean = mean_column(local)?;
        let target = |token: u32| {
            let direction = column(local, token)?.less(&mean);
            let probability = probabilities.get(token as usize).copied().unwrap_or(0.0);
            let name = model.token_text(token);
            let node =
                TargetNode { token: Some(token), name, weight: probability, probability: Some(probability) };
            Ok((node, direction))
        };
        tokens.into_iter().map(target).collect()
    }
}

/// A direction of the normed stream at the last position, and what is added.
#[derive(Clone, Debug)]
pub(super) struct Direction {
    pub(super) vector: Vec<f32>,
    pub(super) constant: f32,
}

impl Direction {
    fn less(&self, other: &Self) -> Self {
        let vector = self.vector.iter().zip(&other.vector).map(|(value, less)| value - less).collect();
        Self { vector, constant: self.constant - other.constant }
    }
}

impl Local<'_> {
    /// The probability of each next token.
    fn probabilities(&self) -> Vec<f64> {
        let cap = self.model.config().logit_softcap;
        let logits = self.logits.iter().copied().map(f64::from);
        let logits: Vec<f64> =
            logits.map(|logit| cap.map_or(logit, |cap| cap * (logit / cap).tanh())).collect();
        softmax(&logits)
    }
}

/// The most probable tokens, as few as reach `share` together.
fn likely(probabilities: &[f64], most: usize, share: f64) -> Vec<u32> {
    let mut ranked: Vec<(u32, f64)> = (0_u32..).zip(probabilities.iter().copied()).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut sum = 0.0;
    let mut tokens = Vec::new();
    for (token, probability) in ranked.into_iter().take(most.max(1)) {
        tokens.push(token);
        sum += probability;
        if sum >= share {
            break;
        }
    }
    tokens
}

/// A token's column of the unembedding, and its bias.
fn column(local: &Local<'_>, token: u32) -> Result<Direction, CircuitError> {
    let (unembed, vocab) = (&local.model.weights().unembed, local.model.config().vocab);
    let index = token as usize;
    if index >= vocab {
        return Err(CircuitError::Input(format!(
            "token {token} is outside the vocabulary of {vocab} tokens"
        )));
    }
    let vector = floats(&unembed.weight.narrow(1, index, 1)?)?;
    let bias = unembed.bias.as_ref().map(|bias| floats(&bias.narrow(0, index, 1)?)).transpose()?;
    Ok(Direction { vector, constant: single(bias) })
}

/// The mean over the vocabulary of the columns and the biases.
fn mean_column(local: &Local<'_>) -> Result<Direction, CircuitError> {
    let unembed = &local.model.weights().unembed;
    let bias = unembed.bias.as_ref().map(|bias| floats(&bias.mean_keepdim(0)?)).transpose()?;
    Ok(Direction { vector: floats(&unembed.weight.mean(1)?)?, constant: single(bias) })
}

fn single(bias: Option<Vec<f32>>) -> f32 {
    bias.and_then(|bias| bias.first().copied()).unwrap_or(0.0)
}
