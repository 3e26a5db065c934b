//! What neurons write, in two models.

use candle_core::Tensor;

use crate::analysis::ReadError;
use crate::circuit::feature::linear_part;
use crate::model::{Block, Model};
use crate::ops::floats;

/// The sizes of what each neuron of a block writes per unit of activation, in two models; through the gain of a norm that follows the MLP.
#[derive(Debug)]
pub(super) struct Directions {
    /// Squared norms of the newer model's directions.
    new: Vec<f32>,
    /// Squared norms of the differences.
    moved: Vec<f32>,
    /// Products of the newer directions with the differences.
    along: Vec<f32>,
}

impl Directions {
    /// Of every block.
    pub(super) fn of(before: &Model, after: &Model) -> Result<Vec<Self>, ReadError> {
        let written = |block: &Block| -> candle_core::Result<Tensor> {
            let weight = &block.mlp.output.weight;
            block.ln2_post.as_ref().map_or_else(|| Ok(weight.clone()), |norm| linear_part(weight, norm))
        };
        let blocks = before.weights().blocks.iter().zip(&after.weights().blocks);
        blocks
            .map(|(old, new)| {
                let new = written(new)?;
                let moved = (&new - written(old)?)?;
                Ok(Self {
                    new: floats(&new.sqr()?.sum(1)?)?,
                    moved: floats(&moved.sqr()?.sum(1)?)?,
                    along: floats(&(new * moved)?.sum(1)?)?,
                })
            })
            .collect()
    }

    /// The norm of what a neuron writes otherwise: `|a' w' - a w|`, as `|(a' - a) w' + a (w' - w)|`, so that nothing is lost to rounding.
    pub(super) fn change(&self, neuron: usize, before: f32, after: f32) -> f64 {
        let at = |of: &[f32]| f64::from(of.get(neuron).copied().unwrap_or(0.0));
        let (a, step) = (f64::from(before), f64::from(after) - f64::from(before));
        let squared =
            step * step * at(&self.new) + 2.0 * step * a * at(&self.along) + a * a * at(&self.moved);
        squared.max(0.0).sqrt()
    }
}

/// What the MLP of a block writes `[1, t, D]` when one neuron does what it does in the newer model, all else as it was.
pub(super) fn with_neuron(
    (before, after): (&Model, &Model),
    (layer, neuron): (usize, usize),
    post: &Tensor,
    newer: &Tensor,
) -> Result<Option<Tensor>, candle_core::Error> {
    let blocks = (before.weights().blocks.get(layer), after.weights().blocks.get(layer));
    let (Some(old), Some(new)) = blocks else { return Ok(None) };
    let activation = |post: &Tensor| post.narrow(2, neuron, 1);
    let direction = |weight: &Tensor| weight.narrow(0, neuron, 1)?.contiguous();
    let wrote = activation(post)?.broadcast_mul(&direction(&old.mlp.output.weight)?)?;
    let writes = activation(newer)?.broadcast_mul(&direction(&new.mlp.output.weight)?)?;
    let written = (old.mlp.output.apply(post)? + (writes - wrote)?)?;
    match &old.ln2_post {
        Some(norm) => norm.apply(&written).map(Some),
        None => Ok(Some(written)),
    }
}
