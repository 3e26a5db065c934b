//! What stands between the two products of an MLP.

#![expect(clippy::inline_always, reason = "each takes on the vector width of its caller")]

use candle_core::{Result, Tensor};

use super::math::{erf, sigmoid};
use super::rows::{by_rows, filled};
use crate::model::Activation;

/// The nonlinearity.
pub(crate) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    fn each(x: &Tensor, of: impl Fn(f32) -> f32 + Sync) -> Result<Option<Tensor>> {
        filled([x], x.shape(), |[x], out| {
            by_rows(
                1,
                out,
                #[inline(always)]
                |first, out| {
                    for (out, x) in out.iter_mut().zip(&x[first..]) {
                        *out = of(*x);
                    }
                },
            );
        })
    }
    let activated = match activation {
        Activation::GeluTanh => each(x, gelu_tanh)?,
        Activation::Gelu => each(x, gelu)?,
        Activation::Silu => each(x, silu)?,
        Activation::Relu => each(x, relu)?,
    };
    match activated {
        Some(activated) => Ok(activated),
        None => match activation {
            Activation::GeluTanh => x.gelu(),
            Activation::Gelu => x.gelu_erf(),
            Activation::Silu => x.silu(),
            Activation::Relu => x.relu(),
        },
    }
}

/// The nonlinearity of `gate`, times `linear`.
pub(crate) fn activate_gated(gate: &Tensor, linear: &Tensor, activation: Activation) -> Result<Tensor> {
    fn each(gate: &Tensor, linear: &Tensor, of: impl Fn(f32) -> f32 + Sync) -> Result<Option<Tensor>> {
        filled([gate, linear], gate.shape(), |[gate, linear], out| {
            by_rows(
                1,
                out,
                #[inline(always)]
                |first, out| {
                    for ((out, gate), linear) in out.iter_mut().zip(&gate[first..]).zip(&linear[first..]) {
                        *out = of(*gate) * linear;
                    }
                },
            );
        })
    }
    let product = match activation {
        Activation::GeluTanh => each(gate, linear, gelu_tanh)?,
        Activation::Gelu => each(gate, linear, gelu)?,
        Activation::Silu => each(gate, linear, silu)?,
        Activation::Relu => each(gate, linear, relu)?,
    };
    product.map_or_else(|| activate(gate, activation)? * linear, Ok)
}

/// `0.5 x (1 + tanh(u))`, where `0.5 (1 + tanh(u))` is the sigmoid of `2u` (Hendrycks and Gimpel 2016).
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    const SLOPE: f32 = 1.595_769_2; // 2 sqrt(2 / pi)
    const CUBIC: f32 = 0.044_715;
    x * sigmoid(SLOPE * x * (1.0 + CUBIC * x * x))
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}
