//! The few operations of a forward pass, on candle tensors of any device.
//!
//! f32 on the CPU is worked on by loops of our own, in one go over memory; everything else, and whatever is followed for a
//! gradient, by candle's plain operations. None is one of candle's fused operations: those have no gradient, and do not say so.
//! Shapes are stated for batch b, position t, width D.

mod attention;
mod distribution;
mod linear;
mod math;
mod neurons;
mod norm;
mod rotary;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use attention::{Scoring, pattern, scores, softcap, softmax, weigh};
pub(crate) use distribution::{Distribution, greatest, rank};
pub(crate) use linear::{add, linear, order_weights};
pub(crate) use math::exp;
pub(crate) use neurons::{activate, activate_gated};
pub(crate) use norm::{affine, norm, normalize};
pub(crate) use rotary::{rotate, rotation};
pub(crate) use rows::{add_times, by_rows, dot, filled, floats, sum, wide};
