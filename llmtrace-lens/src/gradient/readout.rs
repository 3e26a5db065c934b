//! The end of a run: what it says, and the gradient of the stream that said it.

use candle_core::{D, DType, Device, Tensor};

use super::backward::Backward;
use super::ops;
use super::target::Reading;
use crate::error::RunError;
use crate::hooks::{HookPoint, Site};
use crate::model::{Config, Linear, Weights};

/// What is read of a run.
pub(super) struct Said {
    /// One number a sequence.
    pub(super) values: Vec<f64>,
    normalized: Tensor,
    scale: Tensor,
    columns: Linear,
    weights: Tensor,
    logits: Tensor,
}

/// What is read of the final stream `[b, t, D]`; `whole` computes every column of the logits.
pub(super) fn say(
    config: &Config,
    weights: &Weights,
    stream: &Tensor,
    reading: &Reading,
    whole: bool,
) -> Result<Said, RunError> {
    let norm = &weights.ln_final;
    let whole = whole || reading.is_log;
    let rows = stream.narrow(1, reading.first, reading.count)?.contiguous()?;
    let (normalized, scale) = crate::ops::normalize(&rows, norm.kind, norm.epsilon)?;
    let normed = crate::ops::affine(&normalized, &norm.gain, norm.bias.as_ref())?;
    let columns = if whole { weights.unembed.clone() } else { columns(&weights.unembed, reading)? };
    let weights = counts(reading, whole, columns.weight.dim(1)?, &normed)?;
    let raw = columns.apply(&normed)?;
    let logits = match config.logit_softcap {
        Some(cap) => crate::ops::softcap(&raw, cap)?,
        None => raw,
    };
    let values = values(&logits, &weights, reading)?;
    Ok(Said { values, normalized, scale, columns, weights, logits })
}

impl Backward<'_> {
    /// The gradient of the final stream `[b, t, D]`, `t` being `steps`, from what was read of it.
    pub(super) fn read(&mut self, said: &Said, reading: &Reading, steps: usize) -> Result<Tensor, RunError> {
        let Said { normalized, scale, columns, weights, logits, .. } = said;
        let norm = &self.weights.ln_final;
        let mut gradient = if reading.is_log {
            // Each row's weight less what its normalisation takes from every token.
            let shares = crate::ops::softmax(logits)?.broadcast_mul(&weights.sum_keepdim(D::Minus1)?)?;
            shares.neg()?.broadcast_add(weights)?
        } else {
            weights.broadcast_as(logits.shape())?.contiguous()?
        };
        if let Some(cap) = self.config.logit_softcap {
            gradient = ops::softcap(&gradient, logits, cap)?;
        }
        let pad =
            |value: &Tensor| value.pad_with_zeros(1, reading.first, steps - reading.first - reading.count);
        self.record_with(0, Site::Unembed, || pad(&gradient))?;
        let gradient = ops::linear(&gradient, &columns.weight)?;
        self.record_with(0, Site::LnFinalOut, || pad(&gradient))?;
        let gradient = gradient.broadcast_mul(&norm.gain)?;
        self.record_with(0, Site::LnFinalNormalized, || pad(&gradient))?;
        self.record_with(0, Site::LnFinalScale, || pad(&ops::divisor(&gradient, normalized, scale)?))?;
        Ok(pad(&ops::normalize(&gradient, normalized, scale, norm.kind)?)?)
    }

    pub(super) fn record_with(
        &mut self,
        layer: usize,
        site: Site,
        value: impl FnOnce() -> candle_core::Result<Tensor>,
    ) -> Result<(), RunError> {
        if self.wants(layer, site) {
            self.gradients.insert(HookPoint::block(layer, site), 0, value()?);
        }
        Ok(())
    }
}

/// The columns of the unembedding that are read: a fraction of the largest product of a small model.
fn columns(unembed: &Linear, reading: &Reading) -> candle_core::Result<Linear> {
    let of = |tensor: &Tensor, dim: usize| {
        let columns = reading.terms.iter().map(|term| tensor.narrow(dim, term.token as usize, 1));
        Tensor::cat(&columns.collect::<candle_core::Result<Vec<_>>>()?, dim)
    };
    let bias = unembed.bias.as_ref().map(|bias| of(bias, 0)).transpose()?;
    Ok(Linear { weight: of(&unembed.weight, 1)?, bias })
}

/// What each column counts in each row read `[rows, columns]`.
fn counts(reading: &Reading, whole: bool, width: usize, like: &Tensor) -> candle_core::Result<Tensor> {
    let mut weights = vec![0.0_f32; reading.count * width];
    for (at, term) in reading.terms.iter().enumerate() {
        let column = if whole { term.token as usize } else { at };
        if let Some(weight) = weights.get_mut(term.row * width + column) {
            *weight += term.weight;
        }
    }
    Tensor::from_vec(weights, (reading.count, width), like.device())?.to_dtype(like.dtype())
}

/// The weighted sum of logits or log-probabilities of each sequence, in f64.
fn values(logits: &Tensor, weights: &Tensor, reading: &Reading) -> candle_core::Result<Vec<f64>> {
    let logits = logits.to_device(&Device::Cpu)?;
    let weights = weights.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let value = |sequence: usize| {
        let logits = logits.get(sequence)?.to_dtype(DType::F64)?;
        let mut summands = (&logits * &weights)?.sum(D::Minus1)?;
        if reading.is_log {
            let normaliser = logits.log_sum_exp(D::Minus1)?;
            summands = (summands - (normaliser * weights.sum(D::Minus1)?)?)?;
        }
        summands.sum_all()?.to_scalar()
    };
    (0..logits.dim(0)?).map(value).collect()
}
