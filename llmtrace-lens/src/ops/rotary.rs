//! Rotary positions (Su et al. 2021).

#![expect(clippy::inline_always, reason = "each takes on the vector width of its caller")]

use candle_core::{D, DType, Device, Result, Tensor};

use super::rows::{by_rows, filled};

/// Rotates the first `2 * cos.dim(1)` dimensions of each head, first half paired with second: `x` `[b, t, heads, dh]`, `cos` and `sin` `[t, pairs]`.
pub(crate) fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (steps, pairs) = cos.dims2()?;
    let (_, _, heads, size) = x.dims4()?;
    let width = heads * size;
    let turned = filled([x, cos, sin], x.shape(), |[x, cos, sin], out| {
        by_rows(
            width,
            out,
            #[inline(always)]
            |first, out| {
                let rows = out.chunks_mut(width).zip(x.chunks(width).skip(first));
                for (at, (out, x)) in (first..).zip(rows) {
                    let angles = at % steps * pairs..(at % steps + 1) * pairs;
                    let (cos, sin) = (&cos[angles.clone()], &sin[angles]);
                    for (out, x) in out.chunks_mut(size).zip(x.chunks(size)) {
                        turn(out, x, cos, sin);
                    }
                }
            },
        );
    })?;
    if let Some(turned) = turned {
        return Ok(turned);
    }
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

/// One head.
#[inline(always)]
fn turn(out: &mut [f32], x: &[f32], cos: &[f32], sin: &[f32]) {
    let pairs = cos.len();
    let ((out_first, out), (first, x)) = (out.split_at_mut(pairs), x.split_at(pairs));
    let ((out_second, out), (second, x)) = (out.split_at_mut(pairs), x.split_at(pairs));
    for ((((out, first), second), cos), sin) in out_first.iter_mut().zip(first).zip(second).zip(cos).zip(sin)
    {
        *out = first * cos - second * sin;
    }
    for ((((out, first), second), cos), sin) in out_second.iter_mut().zip(first).zip(second).zip(cos).zip(sin)
    {
        *out = second * cos + first * sin;
    }
    out.copy_from_slice(x);
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
        Tensor::from_vec(values, (steps, frequencies.len()), &Device::Cpu)?
            .to_dtype(DType::F32)?
            .to_device(like.device())
    };
    Ok((table(f64::cos)?, table(f64::sin)?))
}
