//! How large a change means something.

use serde::Serialize;

use super::measured::Measured;

/// Above how much each kind of change is reported: well above what rounding the older model's weights to bf16 could do to it.
///
/// Each is the largest such change that the noise made to any layer, head, neuron or prompt, times [`FACTOR`](Self::FACTOR), or times
/// its square for what grows with the square of a change (CKA, cosine, divergence), and at least a small number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// Of `1 - CKA` of a layer.
    pub cka: f64,
    /// Of `1 - cosine` of the stream at one position.
    pub cosine: f64,
    /// Of the divergence read after a layer, at one position, in nats.
    pub lens: f64,
    /// Of the attention of a head that moved to other positions.
    pub pattern: f64,
    /// Of a head's output, as a share of the stream's norm.
    pub head: f64,
    /// Of what a neuron writes, as a share of the stream's norm.
    pub neuron: f64,
    /// Of what a feature of the transcoders writes, as a share of the stream's norm.
    pub feature: f64,
    /// Of the divergence of the next token's distribution after a prompt, in nats.
    pub answer: f64,
}

/// The least of a share that is reported, and of what grows with its square.
const LEAST: f64 = 1e-3;

impl Limits {
    /// How many times the largest effect of noise a change must be.
    pub const FACTOR: f64 = 4.0;

    /// The limits that what noise did sets.
    pub(super) fn above(noise: &Measured<'_>) -> Self {
        let linear = |largest: f64| (Self::FACTOR * largest).max(LEAST);
        let square = |largest: f64| (Self::FACTOR * Self::FACTOR * largest).max(LEAST * LEAST);
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        Self {
            cka: square(most(&mut noise.layers.iter().map(|layer| layer.cka.map_or(0.0, |cka| 1.0 - cka)))),
            cosine: square(most(&mut noise.layers.iter().map(|layer| 1.0 - layer.least_cosine))),
            lens: square(most(&mut noise.layers.iter().map(|layer| layer.largest_kl))),
            pattern: linear(most(&mut noise.heads.iter().map(|head| head.pattern.share))),
            head: linear(most(&mut noise.heads.iter().map(|head| head.whole.share.max(head.own.share)))),
            neuron: linear(most(&mut noise.neurons.iter().map(|seen| seen.whole.share.max(seen.own.share)))),
            feature: linear(most(&mut noise.features.values().map(|seen| seen.apart.share))),
            answer: square(most(&mut noise.last_kl.iter().copied())),
        }
    }
}
