//! The induction circuit.

use std::ops::Range;

use super::sketch::{Input, SHARP, Shape, Sketch};
use crate::error::LoadError;
use crate::model::{Model, ModelBuilder};

const WORDS: &[&str] = &["<bos>", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
const HEADS: usize = 4;

/// What followed the current token before follows it again (Elhage et al. 2021, Olsson et al. 2022).
///
/// Words are the letters `a` to `k`, after `<bos>` (token 0), at most 16 positions. Of two blocks with four heads each, two heads do it all:
/// the previous-token head writes at each position which letter stands before it, and the induction head looks for positions that stand after
/// the current letter, and copies the letter there. Several such positions count alike; where there is none it looks at `<bos>` and all logits are 0.
/// The logit of a letter is 20 times the share of such positions that have it. The MLPs write nothing.
#[derive(Clone, Copy, Debug)]
pub struct Induction;

impl Induction {
    /// Layer and head that write the letter before.
    pub const PREVIOUS_TOKEN_HEAD: (usize, usize) = (0, 2);
    /// Layer and head that find and copy.
    pub const INDUCTION_HEAD: (usize, usize) = (1, 1);
    /// Dimensions of the stream: which token stands here; all 12, one each.
    pub const TOKEN: Range<usize> = 0..12;
    /// Which of the 16 positions this is.
    pub const POSITION: Range<usize> = 12..28;
    /// Which token stands before, as the previous-token head writes it; none of `<bos>`.
    pub const PREVIOUS: Range<usize> = 28..40;
    /// Which token comes next, as the induction head writes it.
    pub const NEXT: Range<usize> = 40..52;
    /// Which letters stood so far, as the other heads write it: nothing reads it.
    pub const SCRATCH: Range<usize> = 52..63;
    /// What a logit is of one occurrence.
    pub const STRENGTH: f32 = 20.0;

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
            name: "induction-by-hand",
            words: WORDS,
            context: Self::POSITION.len(),
            width: 64,
            heads: HEADS,
            neurons: 1,
        });
        for token in 0..WORDS.len() {
            sketch.token(token, Self::TOKEN.start + token, 1.0);
            sketch.logit(token, Self::NEXT.start + token, Self::STRENGTH);
        }
        for position in 0..Self::POSITION.len() {
            sketch.position(position, Self::POSITION.start + position, 1.0);
        }
        previous_token_head(&mut sketch);
        induction_head(&mut sketch);
        for head in (0..2).flat_map(|layer| (0..HEADS).map(move |head| (layer, head))) {
            if head != Self::PREVIOUS_TOKEN_HEAD && head != Self::INDUCTION_HEAD {
                for token in 1..WORDS.len() {
                    sketch.reads(head, Input::Value, Self::TOKEN.start + token, token, 1.0);
                    sketch.writes(head, token, Self::SCRATCH.start + token - 1, 1.0);
                }
            }
        }
        sketch.finish()
    }
}

/// Position `t` asks for `t - 1`, which is all that a key tells.
fn previous_token_head(sketch: &mut Sketch) {
    let head = Induction::PREVIOUS_TOKEN_HEAD;
    for position in 0..Induction::POSITION.len() {
        let here = Induction::POSITION.start + position;
        sketch.reads(head, Input::Key, here, position, 1.0);
        if position > 0 {
            sketch.reads(head, Input::Query, here, position - 1, SHARP);
        }
    }
    for token in 1..WORDS.len() {
        sketch.reads(head, Input::Value, Induction::TOKEN.start + token, token, 1.0);
        sketch.writes(head, token, Induction::PREVIOUS.start + token, 1.0);
    }
}

/// A letter asks for positions that it stands before, and half as loudly for `<bos>`.
fn induction_head(sketch: &mut Sketch) {
    let head = Induction::INDUCTION_HEAD;
    sketch.always(head, Input::Query, 0, SHARP / 2.0);
    sketch.reads(head, Input::Key, Induction::TOKEN.start, 0, 1.0);
    for token in 1..WORDS.len() {
        sketch.reads(head, Input::Query, Induction::TOKEN.start + token, token, SHARP);
        sketch.reads(head, Input::Key, Induction::PREVIOUS.start + token, token, 1.0);
        sketch.reads(head, Input::Value, Induction::TOKEN.start + token, token, 1.0);
        sketch.writes(head, token, Induction::NEXT.start + token, 1.0);
    }
}
