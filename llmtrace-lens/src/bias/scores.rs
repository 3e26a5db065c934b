//! The scores of all prompts for one target.

use serde::Serialize;

use super::error::BiasError;
use super::probe::Probe;
use crate::statistics::mean;

/// What every prompt of a probe scored.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// What the score is of: a word, or two that are compared.
    pub target: String,
    /// One number a prompt: by group, term and template.
    pub values: Vec<Vec<Vec<f64>>>,
}

impl Scores {
    /// Of the prompts in their order.
    pub(super) fn new(probe: &Probe, target: &str, scores: Vec<f64>) -> Result<Self, BiasError> {
        if let Some((one, value)) = probe.prompts().zip(&scores).find(|(_, value)| !value.is_finite()) {
            return Err(BiasError::NotFinite { prompt: one.prompt, value: *value });
        }
        let mut scores = scores.into_iter();
        let templates = probe.templates.len();
        let groups = probe.attribute.groups().iter();
        let values = groups
            .map(|group| group.terms.iter().map(|_| scores.by_ref().take(templates).collect()).collect())
            .collect();
        Ok(Self { target: target.to_owned(), values })
    }

    /// The mean over templates of each term of a group.
    pub(super) fn by_term(&self, group: usize) -> Vec<f64> {
        self.terms(group).iter().map(|templates| mean(templates)).collect()
    }

    /// The mean over terms of each template in a group.
    pub(super) fn by_template(&self, group: usize) -> Vec<f64> {
        let terms = self.terms(group);
        let templates = terms.first().map_or(0, Vec::len);
        let of = |template: usize| {
            let column: Vec<f64> = terms.iter().filter_map(|term| term.get(template).copied()).collect();
            mean(&column)
        };
        (0..templates).map(of).collect()
    }

    fn terms(&self, group: usize) -> &[Vec<f64>] {
        self.values.get(group).map(Vec::as_slice).unwrap_or_default()
    }
}
