//! A circuit of neurons in two steps.

use super::sketch::{Input, SHARP, Shape, Sketch};
use crate::error::LoadError;
use crate::model::{Model, ModelBuilder};

const WORDS: &[&str] = &[
    "<bos>",
    "Dallas",
    "Houston",
    "Oakland",
    "Fresno",
    "Tampa",
    "Miami",
    "capital",
    "Austin",
    "Sacramento",
    "Tallahassee",
];
const CITIES: usize = 6;
const STATES: usize = 3;

/// From a city to its state to that state's capital: `<bos> Dallas capital` gives `Austin`.
///
/// Cities are tokens 1 to 6, two a state; `capital` is 7; the capitals are 8 to 10; at most 8 positions. Neuron `city - 1` of the first block fires (1) at its city and
/// writes the state. A head of the second block looks at the cities so far, and copies their state to each position. Neuron `state` of the
/// second block fires (1) where its state has come and the token is `capital`, and writes the answer. The last neuron of each block fires everywhere to no effect.
#[derive(Clone, Copy, Debug)]
pub struct TwoStep;

impl TwoStep {
    /// Layer and head that copy the state from the city.
    pub const MOVING_HEAD: (usize, usize) = (1, 0);
    /// Dimensions of the stream: which of the 11 tokens stands here.
    pub const TOKEN: usize = 0;
    /// The state of the city here, one dimension each: Texas, California, Florida.
    pub const STATE: usize = 11;
    /// The state of the city before, as the head copies it.
    pub const COPIED: usize = 14;
    /// The state whose capital is asked for.
    pub const ANSWER: usize = 17;
    /// What the neurons without effect and the other head write: only such neurons read it.
    pub const SCRATCH: usize = 20;
    /// The token that asks.
    pub const CAPITAL: u32 = 7;

    /// The state of a city, counted from 0; none of other tokens.
    pub fn state(city: u32) -> Option<usize> {
        let city = city as usize;
        (1..=CITIES).contains(&city).then(|| (city - 1) / 2)
    }

    /// The capital of a city's state; none of other tokens.
    pub fn capital(city: u32) -> Option<u32> {
        Self::state(city).map(|_| Self::CAPITAL + 1 + (city - 1) / 2)
    }

    /// Every edge that the answer to `<bos> city capital` comes through: what `from` adds to the input of `to`, attention held as it is.
    ///
    /// Biases are left out: -1 of a city's neuron, -4 of a state's. Empty where the token is no city.
    pub fn edges(city: u32) -> Vec<KnownEdge> {
        let (Some(state), Some(capital)) = (Self::state(city), Self::capital(city)) else {
            return Vec::new();
        };
        let detector = KnownNode::Neuron { layer: 0, position: 1, neuron: city as usize - 1 };
        let asker = KnownNode::Neuron { layer: 1, position: 2, neuron: state };
        [
            (KnownNode::Token { position: 1 }, detector, 2.0),
            (detector, asker, 3.0),
            (KnownNode::Token { position: 2 }, asker, 2.0),
            (asker, KnownNode::Logit { token: capital }, 12.0),
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

    /// A version of it with one part changed, and all else the same.
    ///
    /// # Errors
    /// As for [`model`](Self::model).
    pub fn edited(edit: Edit) -> Result<Model, LoadError> {
        let builder = match edit {
            Edit::Head => Self::built([0, 0, 1, 1, 2, 2], [1, 2, 0]),
            Edit::Neuron => Self::built([1, 0, 1, 1, 2, 2], [0, 1, 2]),
        };
        builder?.build()
    }

    /// The same before it is put together, to be saved.
    ///
    /// # Errors
    /// As for [`model`](Self::model).
    pub fn builder() -> Result<ModelBuilder, LoadError> {
        Self::built([0, 0, 1, 1, 2, 2], [0, 1, 2])
    }

    /// The model whose neurons write these states of the cities, and whose head copies each state as this one.
    fn built(states: [usize; CITIES], copied: [usize; STATES]) -> Result<ModelBuilder, LoadError> {
        let mut sketch = Sketch::new(Shape {
            name: "two-step-by-hand",
            words: WORDS,
            context: 8,
            width: 24,
            heads: 2,
            neurons: CITIES + 1,
        });
        let head = Self::MOVING_HEAD;
        sketch.always(head, Input::Query, 0, SHARP);
        sketch.reads(head, Input::Key, Self::TOKEN, 0, 0.5);
        for token in 0..WORDS.len() {
            sketch.token(token, Self::TOKEN + token, 1.0);
            sketch.reads((0, 1), Input::Value, Self::TOKEN + token, 0, 1.0);
        }
        sketch.writes((0, 1), 0, Self::SCRATCH, 1.0);
        for (city, state) in states.into_iter().enumerate() {
            let token = Self::TOKEN + 1 + city;
            sketch.neuron((0, city), &[(token, 2.0)], -1.0, (Self::STATE + state, 1.5));
            sketch.reads(head, Input::Key, token, 0, 1.0);
        }
        let asked = (Self::TOKEN + Self::CAPITAL as usize, 2.0);
        for (state, copy) in copied.into_iter().enumerate() {
            sketch.reads(head, Input::Value, Self::STATE + state, state, 1.0);
            sketch.writes(head, state, Self::COPIED + copy, 1.0);
            sketch.neuron(
                (1, state),
                &[(Self::COPIED + state, 2.0), asked],
                -4.0,
                (Self::ANSWER + state, 3.0),
            );
            sketch.logit(Self::CAPITAL as usize + 1 + state, Self::ANSWER + state, 4.0);
        }
        for layer in 0..2 {
            sketch.neuron((layer, CITIES), &[(Self::SCRATCH, 1.0)], 0.5, (Self::SCRATCH + 1, 1.0));
        }
        sketch.finish()
    }
}

/// What is otherwise in a [version](TwoStep::edited) of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// The moving head writes each state as the next one: Texas as California, California as Florida, Florida as Texas.
    Head,
    /// The neuron of Dallas, the first of the first block, writes California.
    Neuron,
}

/// A part of the circuit at work in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownNode {
    /// A token's embedding.
    Token {
        /// Where it stands.
        position: usize,
    },
    /// A neuron, whose activation is 1 there.
    Neuron {
        /// Its block.
        layer: usize,
        /// Where it fires.
        position: usize,
        /// Which of the MLP's.
        neuron: usize,
    },
    /// A token's logit at the last position.
    Logit {
        /// The token.
        token: u32,
    },
}

/// What one part adds to the input of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownEdge {
    /// The part that writes.
    pub from: KnownNode,
    /// The part that reads.
    pub to: KnownNode,
    /// The writer's activation times the weight between them.
    pub weight: f64,
}
