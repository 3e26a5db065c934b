//! What a graph explains.

use candle_core::Tensor;

use super::active::floats;
use super::graph::TargetNode;
use super::local::Local;
use crate::circuit::error::CircuitError;

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
    pub(super) vector: Vec<f32>,
    pub(super) constant: f32,
}

impl Targets {
    /// The targets of a prompt, and what reads each.
    pub(super) fn resolve(&self, local: &Local<'_>) -> Result<Vec<(TargetNode, Reading)>, CircuitError> {
        let model = local.model;
        let mut logits: Vec<f64> = local.logits.iter().copied().map(f64::from).collect();
        if let Some(cap) = model.config().logit_softcap {
            logits.iter_mut().for_each(|logit| *logit = cap * (*logit / cap).tanh());
        }
        let probabilities = softmax(&logits);
        let probability = |token: u32| probabilities.get(token as usize).copied().unwrap_or(0.0);
        let tokens = match self {
            Self::Likely { most, probability } => likely(&probabilities, *most, *probability),
            Self::Tokens(tokens) => tokens.clone(),
            Self::Difference(token, against) => {
                let (first, second) = (column(local, *token)?, column(local, *against)?);
                let direction: Vec<f32> = first.0.iter().zip(&second.0).map(|(a, b)| a - b).collect();
                let name = format!("{} - {}", model.token_text(*token), model.token_text(*against));
                let node = TargetNode { token: None, name, weight: 1.0, probability: None };
                return Ok(vec![(node, local.final_reading(&direction, first.1 - second.1)?)]);
            }
            Self::Direction(name, direction) => {
                if direction.len() != model.config().d_model {
                    return Err(CircuitError::Input(format!(
                        "a direction of {} numbers was given, expected {}",
                        direction.len(),
                        model.config().d_model
                    )));
                }
                let node = TargetNode { token: None, name: name.clone(), weight: 1.0, probability: None };
                return Ok(vec![(node, local.final_reading(direction, 0.0)?)]);
            }
        };
        let (mean, mean_bias) = mean_column(local)?;
        let mut targets = Vec::with_capacity(tokens.len());
        for token in tokens {
            let (mut direction, bias) = column(local, token)?;
            direction.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
            let probability = probability(token);
            let node = TargetNode {
                token: Some(token),
                name: model.token_text(token),
                weight: probability,
                probability: Some(probability),
            };
            targets.push((node, local.final_reading(&direction, bias - mean_bias)?));
        }
        Ok(targets)
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
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
fn column(local: &Local<'_>, token: u32) -> Result<(Vec<f32>, f32), CircuitError> {
    let (unembed, vocab) = (&local.model.weights().unembed, local.model.config().vocab);
    let index = token as usize;
    if index >= vocab {
        return Err(CircuitError::Input(format!(
            "token {token} is outside the vocabulary of {vocab} tokens"
        )));
    }
    let weights = floats(&unembed.weight.narrow(1, index, 1)?)?;
    let bias = unembed.bias.as_ref().map(|bias| floats(&bias.narrow(0, index, 1)?)).transpose()?;
    Ok((weights, bias.and_then(|bias| bias.first().copied()).unwrap_or(0.0)))
}

/// The mean over the vocabulary of the columns and the biases.
fn mean_column(local: &Local<'_>) -> Result<(Vec<f32>, f32), CircuitError> {
    let unembed = &local.model.weights().unembed;
    let mean = |tensor: &Tensor, dim: usize| tensor.mean(dim).and_then(|mean| floats(&mean));
    let bias = unembed.bias.as_ref().map(|bias| mean(bias, 0)).transpose()?;
    Ok((mean(&unembed.weight, 1)?, bias.and_then(|bias| bias.first().copied()).unwrap_or(0.0)))
}
