//! Norms.

#![expect(clippy::inline_always, reason = "each takes on the vector width of its caller")]

use candle_core::{D, Result, Tensor};

use super::rows::{by_rows, filled, sum};
use crate::model::NormKind;

/// The norm before gain and bias `[.., D]`, and what it divides by `[.., 1]`.
pub(crate) fn normalize(x: &Tensor, kind: NormKind, epsilon: f64) -> Result<(Tensor, Tensor)> {
    let width = x.dim(D::Minus1)?;
    let mut shape = x.dims().to_vec();
    shape.pop();
    shape.push(1);
    let scale = filled([x], shape, |[x], scale| {
        for (scale, x) in scale.iter_mut().zip(x.chunks(width.max(1))) {
            *scale = moments(x, kind, epsilon).1;
        }
    })?;
    if let Some(scale) = scale
        && let Some(normalized) = filled([x, &scale], x.shape(), |[x, scale], out| {
            by_rows(
                width,
                out,
                #[inline(always)]
                |first, out| {
                    let rows = out.chunks_mut(width).zip(x.chunks(width).skip(first)).zip(&scale[first..]);
                    for ((out, x), scale) in rows {
                        let (mean, share) = (mean(x, kind), 1.0 / scale);
                        for (out, x) in out.iter_mut().zip(x) {
                            *out = (x - mean) * share;
                        }
                    }
                },
            );
        })?
    {
        return Ok((normalized, scale));
    }
    let centred = match kind {
        NormKind::Layer => x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?,
        NormKind::Rms => x.clone(),
    };
    let scale = (centred.sqr()?.mean_keepdim(D::Minus1)? + epsilon)?.sqrt()?;
    Ok((centred.broadcast_div(&scale)?, scale))
}

/// The norm with gain and bias `[D]`.
pub(crate) fn norm(
    x: &Tensor,
    kind: NormKind,
    epsilon: f64,
    gain: &Tensor,
    bias: Option<&Tensor>,
) -> Result<Tensor> {
    let width = x.dim(D::Minus1)?;
    let fits = gain.elem_count() == width && bias.is_none_or(|bias| bias.elem_count() == width);
    let normed = if fits {
        // Without a bias its place is taken by the gain, which is then not read.
        filled([x, gain, bias.unwrap_or(gain)], x.shape(), |[x, gain, offset], out| {
            by_rows(
                width,
                out,
                #[inline(always)]
                |first, out| {
                    for (out, x) in out.chunks_mut(width).zip(x.chunks(width).skip(first)) {
                        let (mean, scale) = moments(x, kind, epsilon);
                        let share = 1.0 / scale;
                        for ((out, x), gain) in out.iter_mut().zip(x).zip(gain) {
                            *out = (x - mean) * share * gain;
                        }
                        if bias.is_some() {
                            for (out, offset) in out.iter_mut().zip(offset) {
                                *out += offset;
                            }
                        }
                    }
                },
            );
        })?
    } else {
        None
    };
    match normed {
        Some(normed) => Ok(normed),
        None => affine(&normalize(x, kind, epsilon)?.0, gain, bias),
    }
}

/// `x * gain + bias`.
pub(crate) fn affine(x: &Tensor, gain: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let width = x.dim(D::Minus1)?;
    if let Some(bias) = bias
        && gain.dims() == [width]
        && bias.dims() == [width]
        && let Some(out) = filled([x, gain, bias], x.shape(), |[x, gain, bias], out| {
            by_rows(
                width,
                out,
                #[inline(always)]
                |first, out| {
                    for (out, x) in out.chunks_mut(width).zip(x.chunks(width).skip(first)) {
                        for (((out, x), gain), bias) in out.iter_mut().zip(x).zip(gain).zip(bias) {
                            *out = x * gain + bias;
                        }
                    }
                },
            );
        })?
    {
        return Ok(out);
    }
    let scaled = x.broadcast_mul(gain)?;
    bias.map_or(Ok(scaled.clone()), |bias| scaled.broadcast_add(bias))
}

#[inline(always)]
fn mean(x: &[f32], kind: NormKind) -> f32 {
    match kind {
        NormKind::Layer => sum(x, |x| x) / x.len() as f32,
        NormKind::Rms => 0.0,
    }
}

/// Mean and divisor of a row.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a summand of f32 numbers")]
fn moments(x: &[f32], kind: NormKind, epsilon: f64) -> (f32, f32) {
    let mean = mean(x, kind);
    let variance = sum(x, |x| (x - mean) * (x - mean)) / x.len() as f32;
    (mean, (variance + epsilon as f32).sqrt())
}
