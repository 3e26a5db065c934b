//! What the operations of a forward pass do to a gradient: each takes the gradient of a result and gives that of an argument.
//!
//! Shapes are stated for batch b, position t, width D.

use candle_core::{D, Result, Tensor};

use super::kernels;
use crate::model::{Activation, Norm, NormKind};

/// `x W + b`: the gradient of `x` `[b, t, in]` from that of the product `[b, t, out]`.
pub(super) fn linear(gradient: &Tensor, weight: &Tensor) -> Result<Tensor> {
    crate::ops::linear(gradient, &weight.t()?, None)
}

/// The gradient of what a norm was given, from that of its quotient before gain and bias.
///
/// `normalized` `[.., D]` is the quotient and `scale` `[.., 1]` what it was divided by.
pub(super) fn normalize(
    gradient: &Tensor,
    normalized: &Tensor,
    scale: &Tensor,
    kind: NormKind,
) -> Result<Tensor> {
    let along = (gradient * normalized)?.mean_keepdim(D::Minus1)?;
    let mut turned = (gradient - normalized.broadcast_mul(&along)?)?;
    if kind == NormKind::Layer {
        turned = turned.broadcast_sub(&gradient.mean_keepdim(D::Minus1)?)?;
    }
    turned.broadcast_div(scale)
}

/// The gradient of what a norm read `[.., D]`, from that of what it wrote after gain and bias.
pub(super) fn norm(written: &Tensor, norm: &Norm, normalized: &Tensor, scale: &Tensor) -> Result<Tensor> {
    if let Some(read) = kernels::norm([written, &norm.gain, normalized, scale], norm.kind)? {
        return Ok(read);
    }
    normalize(&written.broadcast_mul(&norm.gain)?, normalized, scale, norm.kind)
}

/// The gradient of a norm's divisor `[.., 1]`, from that of its quotient.
pub(super) fn divisor(gradient: &Tensor, normalized: &Tensor, scale: &Tensor) -> Result<Tensor> {
    (gradient * normalized)?.sum_keepdim(D::Minus1)?.neg()?.div(scale)
}

/// The gradient of scores from that of their softmax over the last dimension.
pub(super) fn softmax(gradient: &Tensor, pattern: &Tensor) -> Result<Tensor> {
    let weighted = (gradient * pattern)?;
    let along = weighted.sum_keepdim(D::Minus1)?;
    weighted - pattern.broadcast_mul(&along)?
}

/// The gradient of scores from that of the softmax of their multiples by `scale`.
pub(super) fn scaled_softmax(gradient: &Tensor, pattern: &Tensor, scale: f64) -> Result<Tensor> {
    match kernels::softmax(gradient, pattern, scale)? {
        Some(scores) => Ok(scores),
        None => softmax(gradient, pattern)? * scale,
    }
}

/// The gradient of `x` from that of `cap * tanh(x / cap)`, given the latter; where it is masked with minus infinity the
/// gradient is 0.
pub(super) fn softcap(gradient: &Tensor, capped: &Tensor, cap: f64) -> Result<Tensor> {
    let tanh = (capped.maximum(-cap)? / cap)?;
    gradient * (1.0 - tanh.sqr()?)?
}

/// The gradient of neurons before their nonlinearity, from that after it.
pub(super) fn activated(post: &Tensor, pre: &Tensor, activation: Activation) -> Result<Tensor> {
    match kernels::activated(post, pre, activation)? {
        Some(gradient) => Ok(gradient),
        None => post * activate(pre, activation)?.1,
    }
}

/// The gradients of the gate before its nonlinearity and of the linear branch, from that of their product.
pub(super) fn gated(
    post: &Tensor,
    pre: &Tensor,
    linear: &Tensor,
    activation: Activation,
) -> Result<[Tensor; 2]> {
    if let Some(gradients) = kernels::gated([post, pre, linear], activation)? {
        return Ok(gradients);
    }
    let (value, derivative) = activate(pre, activation)?;
    Ok([((post * linear)? * derivative)?, (post * value)?])
}

/// The nonlinearity and its derivative at `x`.
pub(super) fn activate(x: &Tensor, activation: Activation) -> Result<(Tensor, Tensor)> {
    let value = crate::ops::activate(x, activation)?;
    let derivative = match activation {
        Activation::Relu => x.gt(0.0)?.to_dtype(x.dtype())?,
        Activation::Silu => {
            let sigmoid = ((x.neg()?.exp()? + 1.0)?.recip())?;
            // s + x s (1 - s)
            (&sigmoid + (&value * (1.0 - &sigmoid)?)?)?
        }
        Activation::Gelu => {
            let share = (((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5)?;
            let density = ((x.sqr()? * -0.5)?.exp()?
                * (0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2))?;
            (share + (x * density)?)?
        }
        Activation::GeluTanh => {
            let slope = (2.0 / std::f64::consts::PI).sqrt();
            let square = x.sqr()?;
            let inner = (x * (((&square * CUBIC)? + 1.0)? * slope)?)?;
            let tanh = inner.tanh()?;
            let inner_slope = (((square * (3.0 * CUBIC))? + 1.0)? * slope)?;
            let turned = (x * ((1.0 - tanh.sqr()?)? * inner_slope)?)?;
            ((((tanh + 1.0)? + turned)?) * 0.5)?
        }
    };
    Ok((value, derivative))
}

/// The factor of the cube in the tanh formula of GELU.
const CUBIC: f64 = 0.044_715;

/// The gradient of what was rotated: the rotation back.
pub(super) fn rotate(gradient: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    crate::ops::rotate(gradient, cos, &sin.neg()?)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;

    /// The gradient of `sum(weights * forward(x))` by `x` against central differences in f64, and against candle's autograd.
    #[track_caller]
    fn check(
        what: &str,
        shape: &[usize],
        forward: impl Fn(&Tensor) -> Result<Tensor>,
        backward: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    ) {
        let device = &Device::Cpu;
        let mut random = fastrand::Rng::with_seed(7);
        let mut tensor = |shape: &[usize]| {
            let count = shape.iter().product();
            let values: Vec<f64> = std::iter::repeat_with(|| 4.0 * random.f64() - 2.0).take(count).collect();
            Tensor::from_vec(values, shape, device).unwrap()
        };
        let x = tensor(shape);
        let weights = tensor(forward(&x).unwrap().dims());
        let found = backward(&weights, &x).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let sum = |x: &Tensor| (forward(x)? * &weights)?.sum_all();
        let variable = Var::from_tensor(&x).unwrap();
        let oracle = sum(variable.as_tensor()).unwrap().backward().unwrap();
        let oracle = oracle.get(variable.as_tensor()).expect("a gradient arrives");
        let oracle = oracle.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let flat = x.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(found.len(), flat.len(), "{what}");
        assert!(found.iter().any(|value| value.abs() > 1e-2), "{what} is nothing");
        for at in 0..flat.len() {
            let value = |by: f64| {
                let mut moved = flat.clone();
                moved[at] += by;
                let moved = Tensor::from_vec(moved, shape, device).unwrap();
                sum(&moved).unwrap().to_scalar::<f64>().unwrap()
            };
            let slope = (value(1e-5) - value(-1e-5)) / 2e-5;
            assert!((found[at] - slope).abs() < 1e-7, "{what}[{at}] is {}, steps say {slope}", found[at]);
            assert!(
                (found[at] - oracle[at]).abs() < 1e-6,
                "{what}[{at}] is {}, autograd says {}",
                found[at],
                oracle[at]
            );
        }
    }

    #[test]
    fn every_operation_passes_its_gradient_on() {
        let normed = |x: &Tensor, kind| crate::ops::normalize(x, kind, 1e-5);
        for kind in [NormKind::Layer, NormKind::Rms] {
            check(
                "norm",
                &[2, 3, 5],
                |x| Ok(normed(x, kind)?.0),
                |gradient, x| {
                    let (normalized, scale) = normed(x, kind)?;
                    normalize(gradient, &normalized, &scale, kind)
                },
            );
        }
        for activation in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::GeluTanh] {
            check(
                &format!("{activation:?}"),
                &[3, 7],
                |x| crate::ops::activate(x, activation),
                |gradient, x| gradient * activate(x, activation)?.1,
            );
        }
        check("softmax", &[2, 3, 4], crate::ops::softmax, |gradient, x| {
            softmax(gradient, &crate::ops::softmax(x)?)
        });
        check(
            "softcap",
            &[2, 6],
            |x| crate::ops::softcap(x, 1.5),
            |gradient, x| softcap(gradient, &crate::ops::softcap(x, 1.5)?, 1.5),
        );
        let weight = Tensor::arange(0.0, 12.0, &Device::Cpu).unwrap().reshape((4, 3)).unwrap();
        for weight in [weight.clone(), weight.reshape((3, 4)).unwrap().t().unwrap()] {
            let weight = &weight;
            check(
                "linear",
                &[2, 3, 4],
                |x| crate::ops::linear(x, weight, None),
                |gradient, _| linear(gradient, weight),
            );
        }
        let angles = Tensor::new(&[[0.1_f64, 0.7], [0.3, 2.0], [1.0, 0.0]], &Device::Cpu).unwrap();
        let (cos, sin) = ((angles.cos().unwrap() * 1.5).unwrap(), (angles.sin().unwrap() * 1.5).unwrap());
        for size in [4, 6] {
            check(
                "rotate",
                &[2, 3, 2, size],
                |x| crate::ops::rotate(x, &cos, &sin),
                |gradient, _| rotate(gradient, &cos, &sin),
            );
        }
    }

    #[test]
    fn a_divisor_of_its_own_has_a_gradient() {
        let scale = Tensor::new(&[[1.5_f64], [0.5]], &Device::Cpu).unwrap();
        let centred = Tensor::new(&[[1.0_f64, 2.0, -0.5], [0.3, -1.0, 4.0]], &Device::Cpu).unwrap();
        let weights = Tensor::new(&[[0.2_f64, -1.0, 3.0], [1.0, 1.5, 0.5]], &Device::Cpu).unwrap();
        let quotient = centred.broadcast_div(&scale).unwrap();
        let found = divisor(&weights, &quotient, &scale).unwrap().flatten_all().unwrap();
        let expected = [-(0.2 - 2.0 - 1.5) / 2.25, -(0.3 - 1.5 + 2.0) / 0.25];
        for (found, expected) in found.to_vec1::<f64>().unwrap().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
    }

    #[test]
    fn masked_scores_have_no_gradient_through_a_softcap() {
        let capped = Tensor::new(&[f32::NEG_INFINITY, 0.0, 25.0], &Device::Cpu).unwrap();
        let gradient = Tensor::new(&[0.0_f32, 2.0, 2.0], &Device::Cpu).unwrap();
        let found = softcap(&gradient, &capped, 50.0).unwrap();
        assert_eq!(found.dtype(), DType::F32);
        assert_eq!(found.to_vec1::<f32>().unwrap(), [0.0, 2.0, 1.5]);
    }
}
