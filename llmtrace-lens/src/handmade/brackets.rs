//! The bracket counter.

use super::sketch::{Input, Shape, Sketch};
use crate::error::LoadError;
use crate::model::{Model, ModelBuilder};

const WORDS: &[&str] = &["<bos>", "(", ")", "balanced", "unbalanced"];
const CONTEXT: usize = 64;
/// A share of one position in 64 becomes 2: enough to tell it from nothing.
const LOUD: f32 = 128.0;

/// Says after each bracket whether those so far are balanced: `balanced` (token 3) or `unbalanced` (token 4).
///
/// Words are `<bos>` (0), `(` (1) and `)` (2), at most 64 positions. The counting head looks at all positions alike and writes the number of `(` less that of
/// `)`, divided by the positions so far. Neurons of the first block turn it into two flags: the depth is below zero here, or above. The dip head looks at
/// all positions alike for the first flag: a text that once was below zero stays unbalanced. The last MLP adds both up.
#[derive(Clone, Copy, Debug)]
pub struct Brackets;

impl Brackets {
    /// Layer and head that count.
    pub const COUNTING_HEAD: (usize, usize) = (0, 0);
    /// Layer and head that find positions where the depth was below zero.
    pub const DIP_HEAD: (usize, usize) = (1, 0);
    /// Dimensions of the stream: which of the 5 tokens stands here.
    pub const TOKEN: usize = 0;
    /// 1 everywhere.
    pub const ONE: usize = 5;
    /// The depth, divided by the positions so far.
    pub const DEPTH: usize = 6;
    /// 1 where the depth is below zero.
    pub const BELOW: usize = 7;
    /// 1 where the depth is above zero.
    pub const OPEN: usize = 8;
    /// The share of positions so far at which the depth was below zero.
    pub const DIPPED: usize = 9;
    /// 0 where all is balanced, else 1 or 2.
    pub const WRONG: usize = 10;
    /// The share of `(` and of `)`, as the other heads write it: nothing reads it.
    pub const SCRATCH: usize = 11;
    /// The logit of the right verdict on a balanced text; that of the other one is its opposite.
    pub const STRENGTH: f32 = 10.0;

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
            name: "brackets-by-hand",
            words: WORDS,
            context: CONTEXT,
            width: 16,
            heads: 2,
            neurons: 4,
        });
        for token in 0..WORDS.len() {
            sketch.token(token, Self::TOKEN + token, 1.0);
            sketch.token(token, Self::ONE, 1.0);
        }
        for (token, value) in [(1, 1.0), (2, -1.0)] {
            sketch.reads(Self::COUNTING_HEAD, Input::Value, Self::TOKEN + token, 0, value);
            for layer in 0..2 {
                sketch.reads((layer, 1), Input::Value, Self::TOKEN + token, token, 1.0);
                sketch.writes((layer, 1), token, Self::SCRATCH + token, 1.0);
            }
        }
        sketch.writes(Self::COUNTING_HEAD, 0, Self::DEPTH, 1.0);
        step(&mut sketch, (0, 0), (Self::DEPTH, -LOUD), Self::BELOW);
        step(&mut sketch, (0, 2), (Self::DEPTH, LOUD), Self::OPEN);
        sketch.reads(Self::DIP_HEAD, Input::Value, Self::BELOW, 0, 1.0);
        sketch.writes(Self::DIP_HEAD, 0, Self::DIPPED, 1.0);
        step(&mut sketch, (1, 0), (Self::DIPPED, LOUD), Self::WRONG);
        sketch.neuron((1, 2), &[(Self::OPEN, 1.0)], 0.0, (Self::WRONG, 1.0));
        for (token, sign) in [(3, 1.0), (4, -1.0)] {
            sketch.logit(token, Self::ONE, sign * Self::STRENGTH);
            sketch.logit(token, Self::WRONG, -2.0 * sign * Self::STRENGTH);
        }
        sketch.finish()
    }
}

/// Two neurons that write 0 where `factor * x` is at most 0.5, and 1 from 1.5 on.
fn step(sketch: &mut Sketch, (layer, neuron): (usize, usize), reads: (usize, f32), writes: usize) {
    sketch.neuron((layer, neuron), &[reads], -0.5, (writes, 1.0));
    sketch.neuron((layer, neuron + 1), &[reads], -1.5, (writes, -1.0));
}
