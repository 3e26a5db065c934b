//! Encoder rows of the features that a run is watched for.

use crate::circuit::error::CircuitError;
use crate::circuit::graph::ActiveFeature;
use crate::circuit::transcoder::{Encoder, FeatureActivation};

/// Encoder rows of some features of a layer, which stand together in a list of features.
#[derive(Debug)]
pub(super) struct ActiveEncoder {
    /// The place of the first of them.
    first: usize,
    /// `[n][D]`.
    rows: Vec<Vec<f32>>,
    bias: Vec<f32>,
    pub(super) activation: FeatureActivation,
}

impl ActiveEncoder {
    /// These rows, of the features that stand from the `first` on.
    pub(super) fn of(first: usize, rows: Encoder) -> Result<Self, CircuitError> {
        let bias = rows.bias.to_vec1()?;
        Ok(Self { first, rows: rows.weight.to_vec2()?, bias, activation: rows.activation })
    }

    /// Sets pre-activations and activations of these features from what their layer reads, `[T][D]`.
    pub(super) fn measure(&self, read: &[Vec<f32>], features: &mut [ActiveFeature]) {
        for (feature, (row, bias)) in
            features.iter_mut().skip(self.first).zip(self.rows.iter().zip(&self.bias))
        {
            let Some(read) = read.get(feature.position) else { continue };
            let product: f32 = row.iter().zip(read).map(|(weight, value)| weight * value).sum();
            feature.pre_activation = product + bias;
            feature.activation = self.activation.of(feature.feature, feature.pre_activation);
        }
    }
}
