//! How a classifier is trained, and how well it did on texts that it was not trained on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::OriginError;

/// Texts of each origin, at least.
const LEAST_TEXTS: usize = 10;

/// How a classifier is trained, and when it says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Training {
    /// Parts that the texts are dealt into: each is judged by what was learned from the others.
    pub folds: usize,
    /// Where the dealing begins.
    pub seed: u64,
    /// What the squared weights of the standardized features cost.
    pub ridge: f64,
    /// The least probability at which an origin is said.
    pub least_confidence: f64,
    /// The least [typicality](crate::origin::Verdict::typicality) at which an origin is said: about this share of texts of known origin is called unknown for it.
    pub least_typicality: f64,
    /// The fewest words that are judged by.
    pub least_words: usize,
}

/// Five parts, an origin from 0.8 on, and nothing of the 2 % that are least typical, nor of fewer than 10 words.
impl Default for Training {
    fn default() -> Self {
        Self {
            folds: 5,
            seed: 0,
            ridge: 0.01,
            least_confidence: 0.8,
            least_typicality: 0.02,
            least_words: 10,
        }
    }
}

impl Training {
    /// Sets where the dealing begins.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the least probability at which an origin is said.
    pub fn least_confidence(mut self, probability: f64) -> Self {
        self.least_confidence = probability;
        self
    }

    /// Sets the share of texts of known origin that may be called unknown for being untypical.
    pub fn least_typicality(mut self, share: f64) -> Self {
        self.least_typicality = share;
        self
    }

    /// Sets the fewest words that are judged by.
    pub fn least_words(mut self, words: usize) -> Self {
        self.least_words = words;
        self
    }

    /// Refuses settings that make no sense, and texts that nothing can be learned from, by the origin of each.
    ///
    /// # Errors
    /// Fewer than two origins, fewer than ten texts of one, or fewer texts than `least_typicality` can tell anything from.
    pub fn check<'t>(&self, origins: impl IntoIterator<Item = &'t str>) -> Result<(), OriginError> {
        let mut texts: BTreeMap<&str, usize> = BTreeMap::new();
        for origin in origins {
            *texts.entry(origin).or_default() += 1;
        }
        match self.problem().or_else(|| self.too_few(&texts)) {
            Some(problem) => Err(OriginError::Input(problem)),
            None => Ok(()),
        }
    }

    fn too_few(&self, texts: &BTreeMap<&str, usize>) -> Option<String> {
        if texts.len() < 2 {
            return Some(format!("the corpus has texts of {} origins, expected at least 2", texts.len()));
        }
        let least = LEAST_TEXTS.max(self.folds);
        if let Some((name, own)) = texts.iter().find(|(_, own)| **own < least) {
            return Some(format!(
                "the corpus has {own} texts of {name:?} of at least {} words, expected at least {least}",
                self.least_words
            ));
        }
        // With n texts no typicality is below 1 / (n + 1).
        let all: usize = texts.values().sum();
        ((all + 1) as f64 * self.least_typicality < 1.0 && self.least_typicality > 0.0).then(|| {
            format!(
                "the corpus has {all} texts: too few to call {} of them untypical; give more, or a greater least_typicality",
                self.least_typicality
            )
        })
    }

    /// What is wrong with these settings, and what would be right.
    pub(super) fn problem(&self) -> Option<String> {
        let shares =
            [("least_confidence", self.least_confidence), ("least_typicality", self.least_typicality)];
        if let Some((name, value)) = shares.into_iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
            return Some(format!("{name} is {value}, expected a share from 0 to below 1"));
        }
        if self.folds < 2 {
            return Some(format!("folds is {}, expected at least 2", self.folds));
        }
        (!self.ridge.is_finite() || self.ridge < 0.0)
            .then(|| format!("ridge is {}, expected a number from 0 on", self.ridge))
    }
}

/// How well a classifier does on texts that it was not trained on: each was judged by what was learned from the other parts.
///
/// One temperature was fitted to those judgements; all else in them is unseen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingReport {
    /// Texts that were learned from.
    pub texts: usize,
    /// Texts with too few words, which were not.
    pub too_short: usize,
    /// The share whose likeliest class was theirs.
    pub accuracy: f64,
    /// The share for which an origin was said.
    pub answered: f64,
    /// Of those, the share for which it was the right one; none where none was said.
    pub accuracy_of_answered: Option<f64>,
    /// The mean negative log-probability of the true class in nats; that of guessing is the natural logarithm of the number of classes.
    pub log_loss: f64,
    /// The expected calibration error of the likeliest class's probability, over ten ranges (Guo et al. 2017).
    pub calibration_error: f64,
    /// What logits are divided by.
    pub temperature: f64,
    /// How many texts of each class (row, in the classes' order) were said to be of which (column); the last column is of unknown origin.
    pub confusion: Vec<Vec<usize>>,
}
