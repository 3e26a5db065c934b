//! The features that are active in a prompt.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

use crate::circuit::error::CircuitError;
use crate::circuit::transcoder::Encoder;

/// A feature that is active at a position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActiveFeature {
    /// Its layer.
    pub layer: usize,
    /// Where it is active.
    pub position: usize,
    /// Which of the layer's.
    pub feature: usize,
    /// By how much.
    pub activation: f32,
    /// Before its nonlinearity: what its row of the graph sums to.
    pub pre_activation: f32,
}

/// The active features of one layer, by position and number, from what they read `[T, D]`; none at the first `masked` positions.
pub(super) fn of_layer(
    layer: usize,
    encoder: &Encoder,
    read: &Tensor,
    masked: usize,
) -> Result<Vec<ActiveFeature>, CircuitError> {
    let pre = pre_activations(encoder, read)?;
    let mut found = Vec::new();
    for (position, row) in pre.iter().enumerate().skip(masked) {
        for (feature, activation) in encoder.activation.active(row) {
            let pre_activation = row.get(feature).copied().unwrap_or(0.0);
            found.push(ActiveFeature { layer, position, feature, activation, pre_activation });
        }
    }
    Ok(found)
}

/// What enters each feature's nonlinearity at each position, from what they read `[T, D]`.
pub(crate) fn pre_activations(encoder: &Encoder, read: &Tensor) -> Result<Vec<Vec<f32>>, CircuitError> {
    let pre = read.matmul(&encoder.weight.t()?)?.broadcast_add(&encoder.bias)?;
    Ok(pre.to_vec2()?)
}

/// `y` `[.., D]` through a norm's gain, and centred for a layer norm: the norm's linear part read backwards, not yet divided.
pub(super) fn through_gain(y: &Tensor, norm: &crate::model::Norm) -> candle_core::Result<Tensor> {
    let scaled = y.broadcast_mul(&norm.gain)?;
    match norm.kind {
        crate::model::NormKind::Layer => scaled.broadcast_sub(&scaled.mean_keepdim(D::Minus1)?),
        crate::model::NormKind::Rms => Ok(scaled),
    }
}
