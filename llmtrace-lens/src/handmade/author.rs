//! Authors who write by habits of their own.

use super::sketch::{Shape, Sketch};
use crate::error::LoadError;
use crate::model::{Model, ModelBuilder};

const WORDS: &[&str] = &[
    "<bos>", "the", "a", "and", "of", "to", "in", "on", "river", "city", "house", "field", "light", "night",
    "storm", "friend", "letter", "road", "winter", "song", "old", "quiet", "bright", "small", "went", "saw",
    "kept", "wrote", "found", "lost",
];
/// How far words' chances differ for everybody, and how far authors differ in them: standard deviations in nats.
const COMMON: f64 = 1.0;
const OWN: f64 = 0.8;

/// An author whose next word depends on the last one alone, by a table of their own: a bigram model of 29 words.
///
/// Authors share a language, in which some words follow others more often, and differ in habits. Any number names an author.
/// Text is read from `<bos>`, at most 128 tokens with it. The logit of a word after another is exact: neither block does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Author {
    habits: u64,
}

impl Author {
    /// The author with these habits.
    pub fn new(habits: u64) -> Self {
        Self { habits }
    }

    /// The model that writes as they do.
    ///
    /// # Errors
    /// candle runs out of memory.
    pub fn model(self) -> Result<Model, LoadError> {
        self.builder()?.build()
    }

    /// Its parts, to save or to change.
    ///
    /// # Errors
    /// The tokenizer cannot be made.
    pub fn builder(self) -> Result<ModelBuilder, LoadError> {
        let shape = Shape {
            name: "handmade-author",
            words: WORDS,
            context: 128,
            width: WORDS.len() + 2,
            heads: 2,
            neurons: 1,
        };
        let mut sketch = Sketch::new(shape);
        for last in 0..WORDS.len() {
            sketch.token(last, last, 1.0);
            for next in 1..WORDS.len() {
                #[expect(clippy::cast_possible_truncation, reason = "the model's numbers are f32")]
                sketch.logit(next, last, self.logit(last, next) as f32);
            }
            // Nobody begins anew.
            sketch.logit(0, last, -100.0);
        }
        sketch.finish()
    }

    /// A text of so many words, drawn from the model's own probabilities; each number gives another one.
    pub fn text(self, number: u64, words: usize) -> String {
        let mut random = fastrand::Rng::with_seed(number);
        let mut last = 0;
        let mut text = Vec::with_capacity(words);
        for _ in 0..words {
            let shares: Vec<f64> = (1..WORDS.len()).map(|next| self.logit(last, next).exp()).collect();
            let mut rest = random.f64() * shares.iter().sum::<f64>();
            let found = shares.iter().position(|share| {
                rest -= share;
                rest < 0.0
            });
            last = found.map_or(WORDS.len() - 1, |found| found + 1);
            text.push(WORDS[last]);
        }
        text.join(" ")
    }

    /// The logit of one word after another.
    pub fn logit(self, last: usize, next: usize) -> f64 {
        let place = (last * WORDS.len() + next) as u64;
        COMMON * bell(u64::MAX, place) + OWN * bell(self.habits, place)
    }
}

/// A number that is normally distributed over places (Box and Muller 1958).
fn bell(seed: u64, place: u64) -> f64 {
    let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place);
    let (radius, turn) = (random.f64().max(f64::MIN_POSITIVE), random.f64());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}
