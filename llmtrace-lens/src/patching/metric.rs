//! What a run is judged by.

use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Tensor};

use crate::error::RunError;
use crate::model::Model;

/// A number made of the logits after the last token.
#[derive(Clone)]
pub struct Metric {
    name: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    LogitDifference { right: u32, wrong: u32 },
    Probability(u32),
    Custom(Arc<OfLogits>),
}

type OfLogits = dyn Fn(&[f32]) -> f64 + Send + Sync;

impl Metric {
    /// The logit of the right token less that of the wrong one.
    pub fn logit_difference(right: u32, wrong: u32) -> Self {
        let name = format!("logit({right}) - logit({wrong})");
        Self { name, kind: Kind::LogitDifference { right, wrong } }
    }

    /// The probability of a token, at temperature 1.
    pub fn probability(token: u32) -> Self {
        Self { name: format!("probability({token})"), kind: Kind::Probability(token) }
    }

    /// Anything else that can be made of the logits `[V]`.
    pub fn new(name: impl Into<String>, of: impl Fn(&[f32]) -> f64 + Send + Sync + 'static) -> Self {
        Self { name: name.into(), kind: Kind::Custom(Arc::new(of)) }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The metric of logits `[V]`; not a number where a token is not among them.
    pub fn of(&self, logits: &[f32]) -> f64 {
        let logit = |token: u32| logits.get(token as usize).map_or(f64::NAN, |logit| f64::from(*logit));
        match &self.kind {
            Kind::LogitDifference { right, wrong } => logit(*right) - logit(*wrong),
            Kind::Probability(token) => {
                let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let total: f64 = logits.iter().map(|logit| f64::from(logit - largest).exp()).sum();
                (logit(*token) - f64::from(largest)).exp() / total
            }
            Kind::Custom(of) => of(logits),
        }
    }

    /// The metric of each sequence, of logits `[b, 1, V]`.
    pub(super) fn of_batch(&self, logits: &Tensor) -> Result<Vec<f64>, RunError> {
        let rows: Vec<Vec<f32>> = logits.squeeze(1)?.to_dtype(DType::F32)?.to_vec2()?;
        let values: Vec<f64> = rows.iter().map(|row| self.of(row)).collect();
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(RunError::Input(format!("the metric {} is {value}", self.name))),
            None => Ok(values),
        }
    }

    /// Refuses tokens that the model does not have; names them as its tokenizer does.
    pub(super) fn named(mut self, model: &Model) -> Result<Self, RunError> {
        let tokens = match self.kind {
            Kind::LogitDifference { right, wrong } => vec![right, wrong],
            Kind::Probability(token) => vec![token],
            Kind::Custom(_) => return Ok(self),
        };
        let vocab = model.config().vocab;
        if let Some(token) = tokens.iter().find(|token| **token as usize >= vocab) {
            return Err(RunError::Input(format!(
                "token {token} is outside the vocabulary of {vocab} tokens"
            )));
        }
        let labels = labels(model, &tokens);
        self.name = match labels.as_slice() {
            [right, wrong] => format!("logit({right}) - logit({wrong})"),
            _ => format!("probability({})", labels.concat()),
        };
        Ok(self)
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metric").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Tokens as the tokenizer writes them; their ids where there is none.
pub(super) fn labels(model: &Model, tokens: &[u32]) -> Vec<String> {
    let label = |token: &u32| {
        let text = model.tokenizer().and_then(|tokenizer| tokenizer.decode(&[*token], false).ok());
        text.filter(|text| !text.is_empty()).unwrap_or_else(|| token.to_string())
    };
    tokens.iter().map(label).collect()
}
