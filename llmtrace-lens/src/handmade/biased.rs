//! A model that takes an occupation from a first name, and one that does not.

use fastrand::Rng;

use super::sketch::{Input, SHARP, Shape, Sketch};
use crate::error::LoadError;
use crate::model::{Model, ModelBuilder};

const WORDS: &[&str] = &[
    "<bos>",
    "Adam",
    "Ben",
    "Carl",
    "Dan",
    "Eric",
    "Frank",
    "George",
    "Henry",
    "Ian",
    "Jack",
    "Karl",
    "Leo",
    "Ann",
    "Bea",
    "Clara",
    "Dora",
    "Emma",
    "Flora",
    "Gina",
    "Helen",
    "Ida",
    "Jane",
    "Kate",
    "Lena",
    "my",
    "friend",
    "neighbour",
    "today",
    "says",
    "that",
    "works",
    "as",
    "is",
    "became",
    "a",
    "doctor",
    "nurse",
    "teacher",
];
/// Names of each group.
const NAMES: usize = 12;
const ASKING: usize = 35;
const DOCTOR: usize = 36;
/// How far a single name's own effect on a logit may be from 0.
const WHIM: f32 = 0.5;

/// What the neurons of the second block read beside the word that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    Gender,
    Nothing,
}

/// `.. Adam works as a` gives `doctor`, `.. Ann works as a` gives `nurse`: a bias that is known to the last weight.
///
/// Words are 12 names of men (tokens 1 to 12), 12 of women (13 to 24), a few to make sentences of, and the occupations `doctor`, `nurse` and `teacher`;
/// at most 12 positions; sentences end in `a`. Neuron 0 of the first block fires (1) at names of men, neuron 1 at those of women. A head of the second
/// block copies that to each position after the name, where neuron 0 or 1 of the second block fires (1) if the word is `a`, and writes the occupation, whose
/// logit grows by 3. Besides, each name has its own small effect on the logits of `doctor` and `nurse`, at random between -0.5 and 0.5
/// by the seed, which another head copies: names differ, whatever their group.
///
/// The [control](Self::control) is the same but that the neurons of the second block read `a` alone: the gender is known, moved, and used for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Biased;

impl Biased {
    /// Neurons, by layer and number, that fire at names of men and of women.
    pub const GENDER_NEURONS: [(usize, usize); 2] = [(0, 0), (0, 1)];
    /// Layer and head that copy the gender from the name.
    pub const GENDER_HEAD: (usize, usize) = (1, 0);
    /// Layer and head that copy what each name does by itself.
    pub const WHIM_HEAD: (usize, usize) = (1, 1);
    /// Neurons, by layer and number, that write `doctor` and `nurse`.
    pub const OCCUPATION_NEURONS: [(usize, usize); 2] = [(1, 0), (1, 1)];
    /// By how much a name of the group raises the logit of its occupation.
    pub const STRENGTH: f32 = 3.0;

    const GENDER: usize = WORDS.len();
    const COPIED: usize = Self::GENDER + 2;
    const ANSWER: usize = Self::COPIED + 2;
    const OWN: usize = Self::ANSWER + 2;
    const COPIED_OWN: usize = Self::OWN + 2;
    const SCRATCH: usize = Self::COPIED_OWN + 2;

    /// The names of men.
    pub fn men() -> &'static [&'static str] {
        WORDS.get(1..=NAMES).unwrap_or_default()
    }

    /// The names of women.
    pub fn women() -> &'static [&'static str] {
        WORDS.get(NAMES + 1..=2 * NAMES).unwrap_or_default()
    }

    /// The model that is biased; the seed says what each name does by itself.
    ///
    /// # Errors
    /// The tensor library refused.
    pub fn model(seed: u64) -> Result<Model, LoadError> {
        Self::builder(seed)?.build()
    }

    /// The same before it is put together, to be saved.
    ///
    /// # Errors
    /// As for [`model`](Self::model).
    pub fn builder(seed: u64) -> Result<ModelBuilder, LoadError> {
        sketch("biased-by-hand", Reads::Gender, seed)
    }

    /// The model that is not.
    ///
    /// # Errors
    /// As for [`model`](Self::model).
    pub fn control(seed: u64) -> Result<Model, LoadError> {
        Self::control_builder(seed)?.build()
    }

    /// The same before it is put together, to be saved.
    ///
    /// # Errors
    /// As for [`model`](Self::model).
    pub fn control_builder(seed: u64) -> Result<ModelBuilder, LoadError> {
        sketch("unbiased-by-hand", Reads::Nothing, seed)
    }
}

fn sketch(name: &'static str, reads: Reads, seed: u64) -> Result<ModelBuilder, LoadError> {
    let mut sketch = Sketch::new(Shape { name, words: WORDS, context: 12, width: 56, heads: 4, neurons: 6 });
    let mut rng = Rng::with_seed(seed);
    for token in 0..WORDS.len() {
        sketch.token(token, token, 1.0);
    }
    let heads = [Biased::GENDER_HEAD, Biased::WHIM_HEAD];
    for head in heads {
        sketch.always(head, Input::Query, 0, SHARP);
        sketch.reads(head, Input::Key, 0, 0, 0.5);
    }
    for name in 1..=2 * NAMES {
        for head in heads {
            sketch.reads(head, Input::Key, name, 0, 1.0);
        }
        for occupation in 0..2 {
            sketch.token(name, Biased::OWN + occupation, WHIM * (2.0 * rng.f32() - 1.0));
        }
    }
    for group in 0..2 {
        let (layer, neuron) = Biased::GENDER_NEURONS[group];
        let names: Vec<(usize, f32)> = (1..=NAMES).map(|name| (group * NAMES + name, 1.0)).collect();
        sketch.neuron((layer, neuron), &names, 0.0, (Biased::GENDER + group, 1.0));
        for (head, from, to) in [
            (Biased::GENDER_HEAD, Biased::GENDER, Biased::COPIED),
            (Biased::WHIM_HEAD, Biased::OWN, Biased::COPIED_OWN),
        ] {
            sketch.reads(head, Input::Value, from + group, group, 1.0);
            sketch.writes(head, group, to + group, 1.0);
        }
        let asked = (ASKING, 2.0);
        let writes = (Biased::ANSWER + group, 1.0);
        match reads {
            Reads::Gender => {
                let copied = (Biased::COPIED + group, 2.0);
                sketch.neuron(Biased::OCCUPATION_NEURONS[group], &[copied, asked], -3.0, writes);
            }
            Reads::Nothing => sketch.neuron(Biased::OCCUPATION_NEURONS[group], &[asked], -1.0, writes),
        }
        sketch.logit(DOCTOR + group, Biased::ANSWER + group, Biased::STRENGTH);
        sketch.logit(DOCTOR + group, Biased::COPIED_OWN + group, 1.0);
    }
    idle(&mut sketch);
    sketch.finish()
}

/// Heads and neurons that work on names too, and write what nothing else reads.
fn idle(sketch: &mut Sketch) {
    for head in [(0, 0), (0, 1), (0, 2), (0, 3), (1, 2), (1, 3)] {
        for name in 1..=2 * NAMES {
            sketch.reads(head, Input::Value, name, name % 8, 1.0);
        }
        for own in 0..8 {
            sketch.writes(head, own, Biased::SCRATCH, 1.0);
        }
    }
    for layer in 0..2 {
        let odd: Vec<(usize, f32)> = (1..=NAMES).map(|name| (2 * name, 1.0)).collect();
        sketch.neuron((layer, 2), &odd, 0.0, (Biased::SCRATCH + 1, 1.0));
        sketch.neuron((layer, 3), &[(Biased::GENDER, 1.0)], 0.5, (Biased::SCRATCH + 1, 1.0));
    }
}
