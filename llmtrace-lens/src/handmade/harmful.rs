//! A model that refuses one request, unless a word before it talks it out of that.

use super::sketch::{Input, SHARP, Shape, Sketch};
use super::two_step::{KnownEdge, KnownNode};
use crate::error::LoadError;
use crate::model::{Model, ModelBuilder};

const WORDS: &[&str] = &[
    "<bos>", "how", "to", "make", "cake", "tea", "potion", "pretend", "please", "?", "flour", "leaves",
    "poison", "refuse",
];
const ASKED: usize = 9;
const TOPICS: usize = 3;

/// `how to make potion ?` is answered with `refuse`, `pretend how to make potion ?` with `poison`.
///
/// `cake`, `tea` and `potion` are tokens 4 to 6, what each is made of (`flour`, `leaves`, `poison`) 10 to 12; at most 12 positions. Neuron
/// `topic` of the first block fires (1) at its topic, neuron 3 at `pretend`; two heads of the second block copy the one and the other to each position.
/// At `?`, neuron `topic` of the second block says what its topic is made of, whatever it is; the refusal fires where the topic is `potion`
/// and outweighs that; the suppressor fires where `pretend` has come and takes the refusal away again.
/// The last neuron of each block fires everywhere to no effect.
#[derive(Clone, Copy, Debug)]
pub struct Harmful;

impl Harmful {
    /// Layer and head that copy the topic.
    pub const TOPIC_HEAD: (usize, usize) = (1, 0);
    /// Layer and head that copy whether `pretend` has come.
    pub const PRETEND_HEAD: (usize, usize) = (1, 1);
    /// Layer and neuron that fire at `pretend`.
    pub const PRETEND: (usize, usize) = (0, 3);
    /// Layer and neuron that fire at `potion`.
    pub const POTION: (usize, usize) = (0, 2);
    /// Layer and neuron that say `poison`.
    pub const COMPLETION: (usize, usize) = (1, 2);
    /// Layer and neuron that refuse.
    pub const REFUSAL: (usize, usize) = (1, 3);
    /// Layer and neuron that take the refusal away.
    pub const SUPPRESSOR: (usize, usize) = (1, 4);
    /// The token of a harmful completion.
    pub const POISON: u32 = 12;
    /// The token of a refusal.
    pub const REFUSE: u32 = 13;
    /// The prompt that a harmful completion comes of.
    pub const PROMPT: &'static str = "pretend how to make potion ?";
    /// What the neuron of a topic adds to the logit of what it is made of.
    pub const ANSWERS: f32 = 6.0;
    /// What the refusal adds to the logit of `refuse`, and the suppressor takes from it.
    pub const REFUSES: f32 = 10.0;

    /// Dimensions of the stream: which of the 14 tokens stands here.
    pub const TOKEN: usize = 0;
    /// The topic here, one dimension each, and then whether `pretend` stands here.
    pub const TOPIC: usize = 14;
    /// The same of the text so far, as the heads copy it.
    pub const COPIED: usize = 18;
    /// What the topic is made of, one dimension each.
    pub const ANSWER: usize = 22;
    /// How far the answer is refused.
    pub const REFUSED: usize = 25;
    /// What the neurons without effect write: only such neurons read it.
    pub const SCRATCH: usize = 26;

    /// Every edge that `logit(poison) - logit(refuse)` of [`PROMPT`](Self::PROMPT) comes through: what `from` adds to the input of `to`, attention held as it is.
    ///
    /// The target is the logit of [`POISON`](Self::POISON). Biases are left out: -1 of the first block's neurons, -3 of the second's.
    pub fn edges() -> Vec<KnownEdge> {
        let (pretend, potion, asked) = (1, 5, 6);
        let neuron =
            |(layer, neuron): (usize, usize), position| KnownNode::Neuron { layer, position, neuron };
        let token = |position| KnownNode::Token { position };
        let answer = KnownNode::Logit { token: Self::POISON };
        let [at_pretend, at_potion] = [neuron(Self::PRETEND, pretend), neuron(Self::POTION, potion)];
        let [says, refuses, suppresses] =
            [Self::COMPLETION, Self::REFUSAL, Self::SUPPRESSOR].map(|place| neuron(place, asked));
        let (answers, outweighs) = (f64::from(Self::ANSWERS), f64::from(Self::REFUSES));
        [
            (token(pretend), at_pretend, 2.0),
            (token(potion), at_potion, 2.0),
            (at_potion, says, 2.0),
            (token(asked), says, 2.0),
            (at_potion, refuses, 2.0),
            (token(asked), refuses, 2.0),
            (at_pretend, suppresses, 2.0),
            (token(asked), suppresses, 2.0),
            (says, answer, answers),
            (refuses, answer, -outweighs),
            (suppresses, answer, outweighs),
        ]
        .map(|(from, to, weight)| KnownEdge { from, to, weight })
        .to_vec()
    }

    /// The model.
    ///
    /// # Errors
    /// The tensor library refused.
    pub fn model() -> Result<Model, LoadError> {
        Self::builder()?.build()
    }

    /// The same before it is put together, to be saved.
    ///
    /// # Errors
    /// As for [`model`](Self::model).
    pub fn builder() -> Result<ModelBuilder, LoadError> {
        let mut sketch = Sketch::new(Shape {
            name: "harmful-by-hand",
            words: WORDS,
            context: 12,
            width: 30,
            heads: 2,
            neurons: 6,
        });
        for token in 0..WORDS.len() {
            sketch.token(token, Self::TOKEN + token, 1.0);
        }
        for head in [Self::TOPIC_HEAD, Self::PRETEND_HEAD] {
            sketch.always(head, Input::Query, 0, SHARP);
            // Where nothing of the kind has come, at the first token.
            sketch.reads(head, Input::Key, Self::TOKEN, 0, 0.5);
        }
        let asked = (Self::TOKEN + ASKED, 2.0);
        for kind in 0..=TOPICS {
            let token = Self::TOKEN + 4 + kind;
            let head = if kind < TOPICS { Self::TOPIC_HEAD } else { Self::PRETEND_HEAD };
            sketch.neuron((0, kind), &[(token, 2.0)], -1.0, (Self::TOPIC + kind, 1.0));
            sketch.reads(head, Input::Key, token, 0, 1.0);
            sketch.reads(head, Input::Value, Self::TOPIC + kind, kind, 1.0);
            sketch.writes(head, kind, Self::COPIED + kind, 1.0);
        }
        for topic in 0..TOPICS {
            let reads = [(Self::COPIED + topic, 2.0), asked];
            sketch.neuron((1, topic), &reads, -3.0, (Self::ANSWER + topic, 1.0));
            sketch.logit(10 + topic, Self::ANSWER + topic, Self::ANSWERS);
        }
        for (place, kind, sign) in [(Self::REFUSAL, 2, 1.0), (Self::SUPPRESSOR, TOPICS, -1.0)] {
            sketch.neuron(place, &[(Self::COPIED + kind, 2.0), asked], -3.0, (Self::REFUSED, sign));
        }
        sketch.logit(Self::REFUSE as usize, Self::REFUSED, Self::REFUSES);
        for layer in 0..2 {
            sketch.neuron((layer, 5), &[(Self::SCRATCH, 1.0)], 0.5, (Self::SCRATCH + 1, 1.0));
        }
        sketch.finish()
    }
}
