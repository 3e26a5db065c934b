//! The dear elementwise steps of a backward pass, each in one go over memory: for f32 on the CPU. Elsewhere, and where a
//! tensor is not in one piece, there is no answer, and the caller takes the same step by several operations.

use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

use crate::model::{Activation, NormKind};
use crate::ops::{by_rows, dot, exp, filled, sum};

/// Numbers that one task of two outputs works on.
const TASK: usize = 1 << 14;

/// The gradient of scores from that of their softmax over rows, times `scale`.
pub(super) fn softmax(gradient: &Tensor, pattern: &Tensor, scale: f64) -> Result<Option<Tensor>> {
    #[expect(clippy::cast_possible_truncation, reason = "a factor of f32 numbers")]
    let (width, scale) = (pattern.dim(D::Minus1)?, scale as f32);
    filled([gradient, pattern], pattern.shape(), |[gradient, pattern], out| {
        by_rows(width, out, |row, out| {
            let at = row * width;
            let rows =
                out.chunks_mut(width).zip(gradient[at..].chunks(width)).zip(pattern[at..].chunks(width));
            for ((out, gradient), pattern) in rows {
                let along = dot(gradient, pattern);
                for ((out, gradient), pattern) in out.iter_mut().zip(gradient).zip(pattern) {
                    *out = (gradient - along) * pattern * scale;
                }
            }
        });
    })
}

/// The gradient of what a norm read, from that of what it wrote.
pub(super) fn norm(
    [written, gain, normalized, scale]: [&Tensor; 4],
    kind: NormKind,
) -> Result<Option<Tensor>> {
    let width = normalized.dim(D::Minus1)?;
    if written.dims() != normalized.dims() || gain.elem_count() != width {
        return Ok(None);
    }
    filled(
        [written, gain, normalized, scale],
        normalized.shape(),
        |[written, gain, normalized, scale], out| {
            by_rows(width, out, |row, out| {
                let at = row * width;
                let rows = out.chunks_mut(width).zip(written[at..].chunks(width));
                let rows = rows.zip(normalized[at..].chunks(width)).zip(&scale[row..]);
                for (((out, written), normalized), scale) in rows {
                    for ((out, written), gain) in out.iter_mut().zip(written).zip(gain) {
                        *out = written * gain;
                    }
                    let along = dot(out, normalized) / width as f32;
                    let mean = if kind == NormKind::Layer { sum(out, |x| x) / width as f32 } else { 0.0 };
                    let share = 1.0 / scale;
                    for (out, normalized) in out.iter_mut().zip(normalized) {
                        *out = (*out - mean - normalized * along) * share;
                    }
                }
            });
        },
    )
}

/// The gradient of neurons before their nonlinearity, from that after it.
pub(super) fn activated(post: &Tensor, pre: &Tensor, activation: Activation) -> Result<Option<Tensor>> {
    fn each(post: &Tensor, pre: &Tensor, of: impl Fn(f32) -> (f32, f32) + Sync) -> Result<Option<Tensor>> {
        filled([post, pre], pre.shape(), |[post, pre], out| {
            by_rows(1, out, |at, out| {
                for ((out, post), pre) in out.iter_mut().zip(&post[at..]).zip(&pre[at..]) {
                    *out = post * of(*pre).1;
                }
            });
        })
    }
    match activation {
        Activation::Relu => each(post, pre, relu),
        Activation::Silu => each(post, pre, silu),
        Activation::Gelu => each(post, pre, gelu),
        Activation::GeluTanh => each(post, pre, gelu_tanh),
    }
}

/// The gradients of both branches of a gated MLP, from that of their product.
pub(super) fn gated(
    [post, pre, linear]: [&Tensor; 3],
    activation: Activation,
) -> Result<Option<[Tensor; 2]>> {
    fn each(
        [post, pre, linear]: [&Tensor; 3],
        of: impl Fn(f32) -> (f32, f32) + Sync,
    ) -> Result<Option<[Tensor; 2]>> {
        let mut up = vec![0.0; pre.elem_count()];
        let gate = filled([post, pre, linear], pre.shape(), |[post, pre, linear], out| {
            out.par_chunks_mut(TASK).zip(up.par_chunks_mut(TASK)).enumerate().for_each(
                |(task, (out, up))| {
                    let at = task * TASK;
                    let inputs = post[at..].iter().zip(&pre[at..]).zip(&linear[at..]);
                    for ((out, up), ((post, pre), linear)) in out.iter_mut().zip(up).zip(inputs) {
                        let (value, slope) = of(*pre);
                        (*out, *up) = (post * linear * slope, post * value);
                    }
                },
            );
        })?;
        gate.map(|gate| Ok([gate, Tensor::from_vec(up, pre.shape(), pre.device())?])).transpose()
    }
    let inputs = [post, pre, linear];
    match activation {
        Activation::Relu => each(inputs, relu),
        Activation::Silu => each(inputs, silu),
        Activation::Gelu => each(inputs, gelu),
        Activation::GeluTanh => each(inputs, gelu_tanh),
    }
}

/// Each of these: the nonlinearity at `x`, and its derivative.
#[inline]
fn relu(x: f32) -> (f32, f32) {
    (x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 })
}

#[inline]
fn silu(x: f32) -> (f32, f32) {
    let (share, rest) = sigmoid(x);
    (x * share, share + x * share * rest)
}

/// `0.5 (1 + tanh(u))` is the sigmoid of `2u`.
#[inline]
fn gelu_tanh(x: f32) -> (f32, f32) {
    const SLOPE: f32 = 1.595_769; // 2 sqrt(2 / pi)
    const CUBIC: f32 = 0.044_715;
    let (share, rest) = sigmoid(SLOPE * x * (1.0 + CUBIC * x * x));
    let slope = SLOPE * (1.0 + 3.0 * CUBIC * x * x);
    (x * share, share + x * share * rest * slope)
}

/// The sigmoid of `x`, and what it lacks to 1.
#[inline]
fn sigmoid(x: f32) -> (f32, f32) {
    // Below -88 the share is as good as 0, and e^88 is still a number.
    let inverse = exp((-x).min(88.0));
    let share = 1.0 / (1.0 + inverse);
    (share, inverse * share)
}

/// The error function by formula 7.1.26 of Abramowitz and Stegun, to 1.5e-7.
#[inline]
fn gelu(x: f32) -> (f32, f32) {
    const DENSITY: f32 = 0.398_942_3; // 1 / sqrt(2 pi)
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let bell = exp(-z * z);
    let polynomial =
        t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let tail = 0.5 * polynomial * bell;
    let share = if x > 0.0 { 1.0 - tail } else { tail };
    (x * share, share + x * DENSITY * bell)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::gradient::ops;

    fn tensor(shape: &[usize], seed: u64) -> Tensor {
        let mut random = fastrand::Rng::with_seed(seed);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| 8.0 * random.f32() - 4.0).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// Both in f32 against several operations in f64.
    #[track_caller]
    fn check(what: &str, found: Option<Tensor>, expected: &Tensor) {
        let found = found.expect("the kernel takes contiguous f32").to_dtype(DType::F64).unwrap();
        assert_eq!(found.dims(), expected.dims(), "{what}");
        let error = (found - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(error < 4e-6, "{what}: {error}");
    }

    #[test]
    fn one_step_is_the_same_as_several() {
        let in_f64 = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap();
        for (rows, width) in [(1, 1), (3, 5), (7, 16), (2, 37), (600, 64)] {
            let shape = [2, rows, width];
            let (gradient, x) = (tensor(&shape, 1), tensor(&shape, 2));
            let pattern = crate::ops::softmax(&x).unwrap();
            let expected = (ops::softmax(&in_f64(&gradient), &in_f64(&pattern)).unwrap() * 0.5).unwrap();
            check("softmax", softmax(&gradient, &pattern, 0.5).unwrap(), &expected);
            for kind in [NormKind::Layer, NormKind::Rms] {
                let gain = tensor(&[width], 3);
                let (normalized, scale) = crate::ops::normalize(&x, kind, 0.5).unwrap();
                let quotient = in_f64(&gradient).broadcast_mul(&in_f64(&gain)).unwrap();
                let expected =
                    ops::normalize(&quotient, &in_f64(&normalized), &in_f64(&scale), kind).unwrap();
                check("norm", norm([&gradient, &gain, &normalized, &scale], kind).unwrap(), &expected);
            }
            for activation in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::GeluTanh] {
                let what = format!("{activation:?}");
                let linear = tensor(&shape, 4);
                let (value, slope) = ops::activate(&in_f64(&x), activation).unwrap();
                let post = in_f64(&gradient);
                let plain = (&post * &slope).unwrap();
                check(&what, activated(&gradient, &x, activation).unwrap(), &plain);
                let [gate, up] = gated([&gradient, &x, &linear], activation).unwrap().unwrap();
                check(&what, Some(gate), &(plain * in_f64(&linear)).unwrap());
                check(&what, Some(up), &(post * value).unwrap());
            }
        }
    }

    #[test]
    fn tensors_in_pieces_or_of_other_types_have_no_answer() {
        let (x, turned) = (tensor(&[4, 4], 1), tensor(&[4, 4], 2).t().unwrap());
        assert!(softmax(&x, &turned, 1.0).unwrap().is_none());
        let double = x.to_dtype(DType::F64).unwrap();
        assert!(activated(&double, &double, Activation::Silu).unwrap().is_none());
        let part = tensor(&[6, 4], 3).narrow(0, 1, 4).unwrap();
        let found = activated(&x, &part, Activation::Relu).unwrap();
        let expected = (&x * part.gt(0.0).unwrap().to_dtype(DType::F32).unwrap()).unwrap();
        check("part", found, &expected.to_dtype(DType::F64).unwrap());
    }

    #[test]
    fn e_to_the_x_is_within_an_ulp_or_two() {
        for step in -8700..=8800 {
            let x = step as f32 / 100.0;
            let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((found / expected - 1.0).abs() < 2e-7, "{x}: {found}, {expected}");
        }
        assert!(exp(f32::NAN).is_nan() && exp(f32::NEG_INFINITY) < 1e-37);
    }
}
