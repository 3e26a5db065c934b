//! What the features of a run are, and what another run's would write.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Device, Tensor};

use super::error::BiasError;
use crate::circuit::transcoder::FeatureReaders;
use crate::hooks::{ActivationCache, HookPoint, Site};

/// The activations of every layer's features at every position.
pub(super) struct FeatureValues<'t> {
    readers: &'t FeatureReaders<'t>,
    /// By layer and position: those that are not 0.
    layers: Vec<Vec<BTreeMap<usize, f32>>>,
}

/// An effect for neurons or features, by layer and number.
pub(super) type Estimates = Vec<((usize, usize), f64)>;

impl<'t> FeatureValues<'t> {
    /// Of a run that kept what features read.
    pub(super) fn new(readers: &'t FeatureReaders<'t>, cache: &ActivationCache) -> Result<Self, BiasError> {
        let of = |layer: usize| -> Result<Vec<BTreeMap<usize, f32>>, BiasError> {
            Ok(readers.active(layer, cache)?.into_iter().map(|row| row.into_iter().collect()).collect())
        };
        let layers = 0..readers.transcoders.layers();
        Ok(Self { readers, layers: layers.map(of).collect::<Result<_, _>>()? })
    }

    /// What the outputs of the layers above, each `[n, T, D]`, are more by if one of these features at a time is as in the other run.
    pub(super) fn deltas(
        &self,
        other: &Self,
        layer: usize,
        features: &[usize],
        device: &Device,
    ) -> Result<BTreeMap<usize, Tensor>, BiasError> {
        let changes: Vec<f32> = features
            .iter()
            .flat_map(|feature| self.changes(other, layer, *feature))
            .map(|change| -change)
            .collect();
        let steps = changes.len() / features.len().max(1);
        let mut deltas = BTreeMap::new();
        let transcoders = self.readers.transcoders;
        for to in transcoders.writes(layer) {
            let decoders =
                transcoders.decoders(layer, features, to)?.to_dtype(DType::F32)?.to_device(device)?;
            let changes = Tensor::from_slice(&changes, (features.len(), steps, 1), device)?;
            deltas.insert(to, changes.broadcast_mul(&decoders.unsqueeze(1)?)?);
        }
        Ok(deltas)
    }

    /// To first order, what each feature that differs adds to the value of this run less that of the other: gradients by what the
    /// MLPs write `[1, T, D]`, along its decoder, times the difference.
    pub(super) fn estimates(
        &self,
        other: &Self,
        gradients: &ActivationCache,
    ) -> Result<Estimates, BiasError> {
        let mut all = Vec::new();
        for layer in 0..self.layers.len() {
            let features: Vec<usize> = self.differing(other, layer).into_iter().collect();
            if features.is_empty() {
                continue;
            }
            let mut sums = vec![0.0; features.len()];
            let transcoders = self.readers.transcoders;
            for to in transcoders.writes(layer) {
                let gradient = gradients.at(HookPoint::block(to, Site::MlpOut))?.squeeze(0)?;
                let decoders = transcoders.decoders(layer, &features, to)?;
                let decoders = decoders.to_dtype(DType::F32)?.to_device(gradient.device())?;
                let slopes: Vec<Vec<f32>> = decoders.matmul(&gradient.t()?)?.to_vec2()?;
                for ((sum, feature), slopes) in sums.iter_mut().zip(&features).zip(slopes) {
                    let changes = self.changes(other, layer, *feature);
                    *sum += changes.zip(slopes).map(|(change, slope)| f64::from(change * slope)).sum::<f64>();
                }
            }
            all.extend(features.into_iter().map(|feature| (layer, feature)).zip(sums));
        }
        Ok(all)
    }

    /// The features of a layer that are not the same somewhere.
    fn differing(&self, other: &Self, layer: usize) -> BTreeSet<usize> {
        let of = |values: &Self| -> BTreeSet<usize> {
            values.layers.get(layer).into_iter().flatten().flat_map(|row| row.keys().copied()).collect()
        };
        let mut features: BTreeSet<usize> = of(self).union(&of(other)).copied().collect();
        features.retain(|feature| self.changes(other, layer, *feature).any(|change| change != 0.0));
        features
    }

    /// A feature's activation here less that in the other run, by position.
    fn changes<'a>(
        &'a self,
        other: &'a Self,
        layer: usize,
        feature: usize,
    ) -> impl Iterator<Item = f32> + 'a {
        let of = move |values: &'a Self| values.layers.get(layer).into_iter().flatten();
        let at = move |row: &BTreeMap<usize, f32>| row.get(&feature).copied().unwrap_or(0.0);
        of(self).zip(of(other)).map(move |(here, there)| at(here) - at(there))
    }
}
