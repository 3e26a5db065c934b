//! Encoder rows of the features that a run is watched for.

use std::collections::BTreeSet;

use crate::circuit::error::CircuitError;
use crate::circuit::graph::ActiveFeature;
use crate::circuit::transcoder::{Encoder, FeatureActivation, Transcoders};

/// Encoder rows of some features of a layer, which stand together in a list of features.
#[derive(Debug)]
pub(super) struct ActiveEncoder {
    /// The place of the first of them.
    first: usize,
    /// Which of the rows each of them has.
    places: Vec<usize>,
    /// `[u][D]`.
    rows: Vec<Vec<f32>>,
    bias: Vec<f32>,
    pub(super) activation: FeatureActivation,
}

impl ActiveEncoder {
    /// Of a layer's `active` features, which stand from the `first` on; one that is active at several positions has one row.
    pub(super) fn of(
        transcoders: &Transcoders,
        layer: usize,
        first: usize,
        active: &[usize],
    ) -> Result<Self, CircuitError> {
        let features: BTreeSet<usize> = active.iter().copied().collect();
        let features: Vec<usize> = features.into_iter().collect();
        let Encoder { weight, bias, activation } = transcoders.encoder_rows(layer, &features)?;
        let places = active.iter().filter_map(|feature| features.binary_search(feature).ok()).collect();
        Ok(Self { first, places, rows: weight.to_vec2()?, bias: bias.to_vec1()?, activation })
    }

    /// Sets pre-activations and activations of these features from what their layer reads, `[T][D]`.
    pub(super) fn measure(&self, read: &[Vec<f32>], features: &mut [ActiveFeature]) {
        for (feature, place) in features.iter_mut().skip(self.first).zip(&self.places) {
            let (row, bias) = (self.rows.get(*place), self.bias.get(*place));
            let (Some(row), Some(bias), Some(read)) = (row, bias, read.get(feature.position)) else {
                continue;
            };
            let product: f32 = row.iter().zip(read).map(|(weight, value)| weight * value).sum();
            feature.pre_activation = product + bias;
            feature.activation = self.activation.of(feature.feature, feature.pre_activation);
        }
    }
}
