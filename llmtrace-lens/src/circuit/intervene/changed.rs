//! Features that are changed, as a run meets them.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::change::Change;
use super::experiment::Experiment;
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{ActiveFeature, floats};
use crate::circuit::transcoder::FeatureReader;

/// The changed features of one layer.
#[derive(Debug)]
pub(super) struct ChangedLayer {
    pub(super) features: Vec<Changed>,
    reader: FeatureReader,
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

impl ChangedLayer {
    /// What each feature's activation would be of itself where the layer reads `read`, `[T, D]`.
    pub(super) fn of_themselves(&self, read: &Tensor) -> Result<Vec<f32>, CircuitError> {
        let active = self.reader.active(read)?;
        let activation = |changed: &Changed| {
            let here = active.get(changed.before.position)?;
            let at = here.binary_search_by_key(&changed.before.feature, |(feature, _)| *feature).ok()?;
            here.get(at).map(|(_, activation)| *activation)
        };
        Ok(self.features.iter().map(|changed| activation(changed).unwrap_or(0.0)).collect())
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
        let with_reader = |(layer, features): (usize, Vec<Changed>)| {
            let numbers = features.iter().map(|changed| changed.before.feature);
            let reader =
                FeatureReader::of(self.local.transcoders, layer, numbers, self.local.model.device())?;
            Ok((layer, ChangedLayer { features, reader }))
        };
        layers.into_iter().map(with_reader).collect()
    }
}
