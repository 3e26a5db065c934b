//! What features make likelier.

use candle_core::{D, Tensor};

use super::card::TokenEffect;
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{centred, floats};
use crate::circuit::transcoder::{FeatureOutput, Transcoders};
use crate::model::{Model, Norm};

impl Transcoders {
    /// The `count` tokens that a feature makes likelier by itself, the most first, and those that it makes less likely: see [`TokenEffect`].
    ///
    /// # Errors
    /// There is no such feature, or a file cannot be read.
    pub fn effects(
        &self,
        model: &Model,
        (layer, feature): (usize, usize),
        count: usize,
    ) -> Result<[Vec<TokenEffect>; 2], CircuitError> {
        self.check(model)?;
        effects(model, self, layer, feature, count)
    }
}

/// What a feature adds to the logit of each token when it is 1, directly: what it writes to the stream through the final norm, as if
/// that divided by 1, and the unembedding; less the mean over all tokens. `count` tokens with the most, and with the least.
pub(super) fn effects(
    model: &Model,
    transcoders: &Transcoders,
    layer: usize,
    feature: usize,
    count: usize,
) -> Result<[Vec<TokenEffect>; 2], CircuitError> {
    let weights = model.weights();
    let written = written(model, transcoders, layer, feature)?;
    let logits = linear_part(&written, &weights.ln_final)?.matmul(&weights.unembed.weight)?;
    let logits = floats(&logits.broadcast_sub(&logits.mean_keepdim(D::Minus1)?)?)?;
    let mut order: Vec<(u32, f32)> = (0..).zip(logits).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let told =
        |(token, effect): &(u32, f32)| TokenEffect { token: model.token_label(*token), effect: *effect };
    let promoted = order.iter().filter(|(_, effect)| *effect > 0.0).take(count).map(told).collect();
    let suppressed = order.iter().rev().filter(|(_, effect)| *effect < 0.0).take(count).map(told).collect();
    Ok([promoted, suppressed])
}

/// How long what each of these features of a layer writes to the stream is when it is 1.
pub(crate) fn lengths(
    model: &Model,
    transcoders: &Transcoders,
    layer: usize,
    features: &[usize],
) -> Result<Vec<f32>, CircuitError> {
    let mut squares = vec![0.0; features.len()];
    for to in transcoders.writes(layer) {
        let written = through_post_norm(model, transcoders, to, &transcoders.decoders(layer, features, to)?)?;
        for (sum, square) in squares.iter_mut().zip(floats(&written.sqr()?.sum(D::Minus1)?)?) {
            *sum += square;
        }
    }
    Ok(squares.into_iter().map(f32::sqrt).collect())
}

/// What a feature writes to the stream, all layers together, `[1, D]`.
fn written(
    model: &Model,
    transcoders: &Transcoders,
    layer: usize,
    feature: usize,
) -> Result<Tensor, CircuitError> {
    let mut sum: Option<Tensor> = None;
    for to in transcoders.writes(layer) {
        let more = through_post_norm(model, transcoders, to, &transcoders.decoders(layer, &[feature], to)?)?;
        sum = Some(match sum {
            Some(sum) => (sum + more)?,
            None => more,
        });
    }
    sum.ok_or_else(|| CircuitError::Input(format!("there is no layer {layer}")))
}

/// Decoders through the norm that follows the MLP, where there is one, as if it divided by 1.
fn through_post_norm(
    model: &Model,
    transcoders: &Transcoders,
    layer: usize,
    decoders: &Tensor,
) -> Result<Tensor, CircuitError> {
    let decoders = decoders.to_device(model.device())?;
    let norm = model.weights().blocks.get(layer).and_then(|block| block.ln2_post.as_ref());
    match norm.filter(|_| transcoders.output() == FeatureOutput::MlpOutput) {
        Some(norm) => Ok(linear_part(&decoders, norm)?),
        None => Ok(decoders),
    }
}

/// A norm's linear part: without its bias and what it divides by.
pub(crate) fn linear_part(x: &Tensor, norm: &Norm) -> candle_core::Result<Tensor> {
    centred(x, norm.kind)?.broadcast_mul(&norm.gain)
}
