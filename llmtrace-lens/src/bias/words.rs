//! Which words of a template the difference needs.

use super::error::BiasError;
use super::probe::{Probe, SLOT};
use crate::explain::{Attribution, Game, IntoScore, Masked, Parts, Permutation, Shapley};

/// At most so many pairs of terms are asked with each choice of words.
const PAIRS: usize = 8;
/// Templates of more words are explained by random orders.
const EXACT: usize = 8;

impl Probe {
    /// For each template, what each of its words does to the difference between two groups: Shapley values of the mean difference
    /// over up to 8 pairs of terms, words being deleted; by random orders where there are more than 8 words.
    ///
    /// The term itself always stays, so the base value is what the terms differ by without any other word. Asks the score function up to
    /// 16 times for each choice of words, of which there are up to 2^words, or 20 (words - 1).
    ///
    /// # Errors
    /// There is no such group, a template has no word beside the term, or the score function failed.
    pub fn words<S: IntoScore>(
        &self,
        first: &str,
        second: &str,
        score: impl Fn(&str) -> S + Send + Sync,
    ) -> Result<Vec<Attribution>, BiasError> {
        let pairs: Vec<(&str, &str)> = self
            .terms(first)?
            .iter()
            .zip(self.terms(second)?)
            .take(PAIRS)
            .map(|(first, second)| (first.as_str(), second.as_str()))
            .collect();
        let explain = |template: &String| {
            let parts = Parts::words(template);
            let difference = |masked: &Masked<'_>| -> Result<f64, String> {
                let of = |term: &str| {
                    let scored = score(&masked.text().replace(SLOT, term)).into_score();
                    scored.map(|scored| scored.value)
                };
                let mut sum = 0.0;
                for (first, second) in &pairs {
                    sum += of(first)? - of(second)?;
                }
                Ok(sum / pairs.len() as f64)
            };
            let game = Game::new(&parts, difference).threads(1).seed(self.settings.seed);
            let found = if parts.len() <= EXACT {
                game.explain(&Shapley)
            } else {
                game.explain(&Permutation::default())
            };
            Ok(found?)
        };
        self.templates.iter().map(explain).collect()
    }

    /// The terms of a group.
    pub(super) fn terms(&self, group: &str) -> Result<&[String], BiasError> {
        let groups = self.attribute.groups();
        let found = groups.iter().find(|known| known.name == group).map(|found| found.terms.as_slice());
        found.ok_or_else(|| {
            let known: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
            BiasError::Input(format!("there is no group {group:?}; there are {}", known.join(", ")))
        })
    }
}
