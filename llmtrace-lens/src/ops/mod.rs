//! The few operations of a forward pass, on candle tensors of any device.
//!
//! None is one of candle's fused operations: those have no gradient. Shapes are stated for batch b, position t, width D.

mod distribution;

use candle_core::{D, DType, Result, Tensor};

pub(crate) use self::distribution::{Distribution, greatest, rank};
use crate::model::{Activation, NormKind};

/// The norm before gain and bias `[.., D]`, and what it divides by `[.., 1]`.
pub(crate) fn normalize(x: &Tensor, kind: NormKind, epsilon: f64) -> Result<(Tensor, Tensor)> {
    let centred = match kind {
        NormKind::Layer => x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?,
        NormKind::Rms => x.clone(),
    };
    let scale = (centred.sqr()?.mean_keepdim(D::Minus1)? + epsilon)?.sqrt()?;
    Ok((centred.broadcast_div(&scale)?, scale))
}

/// `x * gain + bias`.
pub(crate) fn affine(x: &Tensor, gain: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let scaled = x.broadcast_mul(gain)?;
    bias.map_or(Ok(scaled.clone()), |bias| scaled.broadcast_add(bias))
}

/// `x W + b` with `x` `[b, t, in]` and `W` `[in, out]`.
pub(crate) fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let mut shape = x.dims().to_vec();
    let (input, output) = weight.dims2()?;
    let rows: usize = x.elem_count() / input.max(1);
    let product = x.reshape((rows, input))?.matmul(weight)?;
    let product = bias.map_or(Ok(product.clone()), |bias| product.broadcast_add(bias))?;
    if let Some(last) = shape.last_mut() {
        *last = output;
    }
    product.reshape(shape)
}

/// The nonlinearity.
pub(crate) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::GeluTanh => x.gelu(),
        Activation::Gelu => x.gelu_erf(),
        Activation::Silu => x.silu(),
        Activation::Relu => x.relu(),
    }
}

/// `cap * tanh(x / cap)`.
pub(crate) fn softcap(x: &Tensor, cap: f64) -> Result<Tensor> {
    (x / cap)?.tanh()? * cap
}

/// Softmax over the last dimension.
pub(crate) fn softmax(x: &Tensor) -> Result<Tensor> {
    let shifted = x.broadcast_sub(&x.max_keepdim(D::Minus1)?)?.exp()?;
    shifted.broadcast_div(&shifted.sum_keepdim(D::Minus1)?)
}

/// Rotates the first `2 * cos.dim(1)` dimensions of each head, first half paired with second: `x` `[b, t, heads, dh]`, `cos` and `sin` `[t, pairs]`.
pub(crate) fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (steps, pairs) = cos.dims2()?;
    let size = x.dim(D::Minus1)?;
    let (cos, sin) = (cos.reshape((steps, 1, pairs))?, sin.reshape((steps, 1, pairs))?);
    let (first, second) = (x.narrow(D::Minus1, 0, pairs)?, x.narrow(D::Minus1, pairs, pairs)?);
    let turned_first = (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?;
    let turned_second = (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?;
    if 2 * pairs == size {
        return Tensor::cat(&[turned_first, turned_second], D::Minus1);
    }
    let rest = x.narrow(D::Minus1, 2 * pairs, size - 2 * pairs)?;
    Tensor::cat(&[turned_first, turned_second, rest], D::Minus1)
}

/// Scores `[b, H, t, s]` of queries `[b, t, H, dh]` and keys `[b, s, K, dh]`, where `H / K` query heads share a key head.
pub(crate) fn scores(q: &Tensor, k: &Tensor, scale: f64) -> Result<Tensor> {
    let (batch, steps, heads, size) = q.dims4()?;
    let (_, past, shared, _) = k.dims4()?;
    let q =
        (q * scale)?.transpose(1, 2)?.contiguous()?.reshape((batch, shared, heads / shared * steps, size))?;
    let k = k.transpose(1, 2)?.transpose(2, 3)?.contiguous()?;
    q.matmul(&k)?.reshape((batch, heads, steps, past))
}

/// Values `[b, s, K, dh]` weighted by `pattern` `[b, H, t, s]`: `[b, t, H, dh]`.
pub(crate) fn weigh(pattern: &Tensor, v: &Tensor) -> Result<Tensor> {
    let (batch, heads, steps, past) = pattern.dims4()?;
    let (_, _, shared, size) = v.dims4()?;
    let pattern = pattern.contiguous()?.reshape((batch, shared, heads / shared * steps, past))?;
    let z = pattern.matmul(&v.transpose(1, 2)?.contiguous()?)?;
    z.reshape((batch, heads, steps, size))?.transpose(1, 2)?.contiguous()
}

/// 0 where position `start + t` may attend to `s`, minus infinity elsewhere: `[t, s]`.
pub(crate) fn mask(start: usize, steps: usize, window: Option<usize>, like: &Tensor) -> Result<Tensor> {
    let past = start + steps;
    let value = |at: usize| {
        let (to, from) = (start + at / past, at % past);
        let seen = from <= to && window.is_none_or(|window| to - from < window);
        if seen { 0.0_f32 } else { f32::NEG_INFINITY }
    };
    let values: Vec<f32> = (0..steps * past).map(value).collect();
    Tensor::from_vec(values, (steps, past), like.device())?.to_dtype(like.dtype())
}

/// Cosines and sines `[t, pairs]` of the rotation at positions `start..start + steps`.
pub(crate) fn rotation(
    frequencies: &[f64],
    scale: f64,
    start: usize,
    steps: usize,
    like: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let angles = (start..start + steps)
        .flat_map(|position| frequencies.iter().map(move |frequency| position as f64 * frequency));
    let angles: Vec<f64> = angles.collect();
    let table = |of: fn(f64) -> f64| {
        let values: Vec<f64> = angles.iter().map(|angle| of(*angle) * scale).collect();
        Tensor::from_vec(values, (steps, frequencies.len()), &candle_core::Device::Cpu)?
            .to_dtype(DType::F32)?
            .to_device(like.device())
    };
    Ok((table(f64::cos)?, table(f64::sin)?))
}
