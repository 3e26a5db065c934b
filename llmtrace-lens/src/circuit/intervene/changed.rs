//! Features that are changed, as a run meets them.

use std::collections::BTreeMap;

use super::change::Change;
use super::encoders::ActiveEncoder;
use super::experiment::Experiment;
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{ActiveFeature, floats, pre_activations};
use crate::circuit::transcoder::{Encoder, FeatureActivation};

/// The changed features of one layer.
#[derive(Debug)]
pub(super) struct ChangedLayer {
    pub(super) features: Vec<Changed>,
    reader: Reader,
}

/// A changed feature at one position.
#[derive(Debug)]
pub(super) struct Changed {
    /// As it was in the prompt: an activation of 0 where it was not active.
    pub(super) before: ActiveFeature,
    /// What its activation is to be.
    pub(super) after: f32,
    /// What it adds when it is 1 to the output of each layer that it writes to, `[D]`.
    pub(super) writes: Vec<(usize, Vec<f32>)>,
}

/// What tells how active changed features would be of themselves.
#[derive(Debug)]
enum Reader {
    /// A row for each of them.
    Each(ActiveEncoder),
    /// All features of the layer: which are active depends on the others.
    Whole(Encoder),
}

impl ChangedLayer {
    /// What each feature's activation would be of itself where the layer reads `read`, `[T][D]`.
    pub(super) fn of_themselves(&self, read: &candle_core::Tensor) -> Result<Vec<f32>, CircuitError> {
        let mut features: Vec<ActiveFeature> = self.features.iter().map(|changed| changed.before).collect();
        match &self.reader {
            Reader::Each(encoder) => encoder.measure(&read.to_vec2()?, &mut features),
            Reader::Whole(encoder) => {
                let rows = pre_activations(encoder, read)?;
                for feature in &mut features {
                    let active = rows.get(feature.position).map(|row| encoder.activation.active(row));
                    let found = active.into_iter().flatten().find(|(number, _)| *number == feature.feature);
                    feature.activation = found.map_or(0.0, |(_, activation)| activation);
                }
            }
        }
        Ok(features.iter().map(|feature| feature.activation).collect())
    }
}

impl Experiment<'_> {
    /// What is changed, by layer. Of several changes of one feature the last counts.
    pub(super) fn changed(&self, changes: &[Change]) -> Result<BTreeMap<usize, ChangedLayer>, CircuitError> {
        let mut last = BTreeMap::new();
        for change in changes {
            let (_, position, _) = change.feature();
            let steps = self.local.steps();
            if position >= steps {
                return Err(CircuitError::Input(format!(
                    "there is no position {position}: there are {steps}"
                )));
            }
            last.insert(change.feature(), *change);
        }
        let mut layers: BTreeMap<usize, Vec<Changed>> = BTreeMap::new();
        for ((layer, position, feature), change) in last {
            let found = self.find(layer, position, feature).copied();
            let none = ActiveFeature { layer, position, feature, activation: 0.0, pre_activation: 0.0 };
            let before = found.unwrap_or(none);
            let transcoders = self.local.transcoders;
            let writes: Result<Vec<_>, CircuitError> = transcoders
                .writes(layer)
                .map(|to| Ok((to, floats(&transcoders.decoders(layer, &[feature], to)?)?)))
                .collect();
            let after = change.apply(before.activation);
            layers.entry(layer).or_default().push(Changed { before, after, writes: writes? });
        }
        let with_reader = |(layer, features)| Ok((layer, self.with_reader(layer, features)?));
        layers.into_iter().map(with_reader).collect()
    }

    fn with_reader(&self, layer: usize, features: Vec<Changed>) -> Result<ChangedLayer, CircuitError> {
        let transcoders = self.local.transcoders;
        let numbers: Vec<usize> = features.iter().map(|changed| changed.before.feature).collect();
        let encoder = transcoders.encoder_rows(layer, &numbers)?;
        let reader = match encoder.activation {
            FeatureActivation::TopK(_) => {
                Reader::Whole(transcoders.encoder(layer)?.on(self.local.model.device())?)
            }
            FeatureActivation::Relu | FeatureActivation::JumpRelu(_) => {
                Reader::Each(ActiveEncoder::of(0, encoder)?)
            }
        };
        Ok(ChangedLayer { features, reader })
    }
}
