//! Logits as linear readings of the residual stream.

use super::error::ReadError;
use super::reading::Reading;
use crate::hooks::{HookPoint, Site};
use crate::model::{Model, Norm, NormKind};
use crate::ops::floats;

/// What is attributed: the logit of a token, or by how much it exceeds another's.
///
/// In models with a final softcap it is the logit before the cap: the cap is no sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The logit of a token.
    Logit(u32),
    /// The logit of `token` less that of `against`.
    Difference {
        /// The token whose logit counts.
        token: u32,
        /// The token whose logit is taken away.
        against: u32,
    },
}

impl Target {
    /// The column of the unembedding, or the difference of two, and what its bias adds.
    pub(super) fn column(self, model: &Model) -> Result<(Vec<f64>, f64), ReadError> {
        match self {
            Self::Logit(token) => column(model, token),
            Self::Difference { token, against } => {
                let ((mut wanted, bias), (other, other_bias)) =
                    (column(model, token)?, column(model, against)?);
                wanted.iter_mut().zip(other).for_each(|(wanted, other)| *wanted -= other);
                Ok((wanted, bias - other_bias))
            }
        }
    }
}

fn column(model: &Model, token: u32) -> Result<(Vec<f64>, f64), ReadError> {
    let (token, unembed) = (token as usize, &model.weights().unembed);
    ReadError::check("token", token, model.config().vocab)?;
    let weights = floats(&unembed.weight.narrow(1, token, 1)?)?;
    let bias = unembed.bias.as_ref().map(|bias| floats(&bias.narrow(0, token, 1)?)).transpose()?;
    let bias = bias.and_then(|bias| bias.first().copied()).unwrap_or(0.0);
    Ok((weights.into_iter().map(f64::from).collect(), f64::from(bias)))
}

/// A linear reading of the residual stream: `x . weights + constant`.
#[derive(Clone, Debug)]
pub(super) struct Direction {
    pub(super) weights: Vec<f64>,
    pub(super) constant: f64,
}

impl Direction {
    /// The product with a vector of the stream, without the constant.
    pub(super) fn dot(&self, x: &[f32]) -> f64 {
        x.iter().zip(&self.weights).map(|(x, weight)| f64::from(*x) * weight).sum()
    }

    /// The same reading of what a norm gets, where it divides by `scale`, as it did in the run: with the scale held, a
    /// norm is linear.
    pub(super) fn through(&self, norm: &Norm, scale: f32) -> Result<Self, ReadError> {
        let gain = floats(&norm.gain)?;
        let bias = norm.bias.as_ref().map(floats).transpose()?;
        let constant = self.constant + bias.map_or(0.0, |bias| self.dot(&bias));
        let mut weights: Vec<f64> =
            self.weights.iter().zip(&gain).map(|(weight, gain)| weight * f64::from(*gain)).collect();
        let mean = match norm.kind {
            NormKind::Layer => weights.iter().sum::<f64>() / weights.len().max(1) as f64,
            NormKind::Rms => 0.0,
        };
        for weight in &mut weights {
            *weight = (*weight - mean) / f64::from(scale);
        }
        Ok(Self { weights, constant })
    }
}

impl Reading<'_> {
    /// What the final norm divides by at a position: the run's own value, or that of the last stream where the run did
    /// not turn this position into logits.
    pub(super) fn final_scale(&self, position: usize) -> Result<f32, ReadError> {
        if let Some(scale) = self.late(Site::LnFinalScale, position)? {
            return Ok(scale.first().copied().unwrap_or(f32::NAN));
        }
        let norm = &self.model.weights().ln_final;
        let stream = self.last_stream()?.narrow(1, position, 1)?;
        let (_, scale) = crate::ops::normalize(&stream, norm.kind, norm.epsilon)?;
        Ok(floats(&scale)?.first().copied().unwrap_or(f32::NAN))
    }

    /// A target as a reading of the stream that the final norm gets.
    pub(super) fn direction(&self, target: Target, position: usize) -> Result<Direction, ReadError> {
        let (weights, constant) = target.column(self.model)?;
        Direction { weights, constant }.through(&self.model.weights().ln_final, self.final_scale(position)?)
    }

    /// A reading of the stream as one of what a norm after attention or MLP gets (Gemma 2 and 3); itself without one.
    pub(super) fn before_post_norm(
        &self,
        direction: &Direction,
        norm: Option<&Norm>,
        scale: HookPoint,
        position: usize,
    ) -> Result<Direction, ReadError> {
        let direction = Direction { weights: direction.weights.clone(), constant: 0.0 };
        let Some(norm) = norm else { return Ok(direction) };
        let scale = self.at(scale, &[1], position)?.first().copied().unwrap_or(f32::NAN);
        direction.through(norm, scale)
    }
}
