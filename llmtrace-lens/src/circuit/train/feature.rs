//! One feature while it learns.

use super::adam::{Adam, Stride};
use crate::ops::{add_times, dot};

/// What one feature reads and writes. Its decoder has norm 1, so that an activation is how much is written.
#[derive(Clone, Debug)]
pub(super) struct Feature {
    width: usize,
    /// Encoder `[D]`, decoder `[D]`, the encoder's bias, the threshold.
    parameters: Vec<f32>,
    moments: Adam,
    /// Positions since it was last active.
    pub(super) silent: usize,
}

/// The gradient of a feature's parameters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gradient {
    width: usize,
    values: Vec<f32>,
}

impl Feature {
    /// Begins along what one position reads and writes, neither of which has to have a norm.
    pub(super) fn new(mut encoder: Vec<f32>, mut decoder: Vec<f32>, threshold: f32) -> Self {
        let width = encoder.len();
        to_norm(&mut encoder);
        to_norm(&mut decoder);
        let parameters = [encoder, decoder, vec![0.0, threshold]].concat();
        Self { width, moments: Adam::new(parameters.len()), parameters, silent: 0 }
    }

    pub(super) fn encoder(&self) -> &[f32] {
        self.parameters.get(..self.width).unwrap_or_default()
    }

    pub(super) fn decoder(&self) -> &[f32] {
        self.parameters.get(self.width..2 * self.width).unwrap_or_default()
    }

    pub(super) fn bias(&self) -> f32 {
        self.parameters.get(2 * self.width).copied().unwrap_or_default()
    }

    /// 0 where it has none.
    pub(super) fn threshold(&self) -> f32 {
        self.parameters.last().copied().unwrap_or_default()
    }

    /// Moves down the gradient; what would only change the decoder's norm is left out.
    pub(super) fn learn(&mut self, mut gradient: Gradient, stride: Stride) {
        let decoder = self.decoder();
        let along = -dot(gradient.decoder(), decoder);
        add_times(gradient.decoder(), along, decoder);
        self.moments.step(&mut self.parameters, &gradient.values, stride);
        if let Some(decoder) = self.parameters.get_mut(self.width..2 * self.width) {
            to_norm(decoder);
        }
        if let Some(threshold) = self.parameters.last_mut() {
            *threshold = threshold.max(0.0);
        }
    }
}

impl Gradient {
    pub(super) fn new(width: usize) -> Self {
        Self { width, values: vec![0.0; 2 * width + 2] }
    }

    pub(super) fn encoder(&mut self) -> &mut [f32] {
        self.values.get_mut(..self.width).unwrap_or_default()
    }

    pub(super) fn decoder(&mut self) -> &mut [f32] {
        self.values.get_mut(self.width..2 * self.width).unwrap_or_default()
    }

    /// Of the encoder's bias and of the threshold.
    pub(super) fn scalars(&mut self) -> &mut [f32] {
        self.values.get_mut(2 * self.width..).unwrap_or_default()
    }
}

/// Scales a vector to norm 1, unless it is 0.
fn to_norm(vector: &mut [f32]) {
    let size = dot(vector, vector).sqrt();
    if size > f32::MIN_POSITIVE {
        for value in vector {
            *value /= size;
        }
    }
}

#[cfg(test)]
impl Feature {
    /// For comparing gradients with differences.
    pub(super) fn parameters(&mut self) -> &mut [f32] {
        &mut self.parameters
    }
}

#[cfg(test)]
impl Gradient {
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }
}
