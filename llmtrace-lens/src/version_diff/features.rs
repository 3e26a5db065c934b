//! Features of transcoders, in what two models have in their streams.

use std::collections::BTreeMap;

use super::diff::{FeatureChange, Place, VersionDiff};
use super::error::DiffError;
use super::measured::Largest;
use crate::circuit::Transcoders;
use crate::circuit::feature::lengths;
use crate::circuit::transcoder::{FeatureOutput, FeatureReaders};
use crate::hooks::ActivationCache;
use crate::model::Model;

/// Tokens that are told of a changed feature.
const WORDS: usize = 3;

/// The features that both models' streams are read with.
pub(super) struct Dictionary<'t> {
    /// Of the older model.
    readers: FeatureReaders<'t>,
}

/// The features that were not the same everywhere, by layer and number.
pub(super) type SeenFeatures = BTreeMap<(usize, usize), FeatureSeen>;

/// A feature, where it differs most.
#[derive(Debug)]
pub(super) struct FeatureSeen {
    /// Of what it writes, as a share of the stream.
    pub(super) apart: Largest,
    activations: [f32; 2],
}

impl<'t> Dictionary<'t> {
    /// Transcoders of the older model.
    pub(super) fn new(before: &'t Model, transcoders: &'t Transcoders) -> Result<Self, DiffError> {
        Ok(Self { readers: FeatureReaders::new(before, transcoders)? })
    }

    /// Adds a prompt: a layer's features as the two runs have them, given what a change is a share of where features write to the stream,
    /// and where they write before a norm.
    pub(super) fn add(
        &self,
        (layer, prompt): (usize, usize),
        (stream, mlp): (&[f32], &[f32]),
        runs: [&ActivationCache; 2],
        seen: &mut SeenFeatures,
    ) -> Result<(), DiffError> {
        let [before, after] = runs.map(|cache| self.readers.active(layer, cache));
        let (before, after) = (before?, after?);
        let norms = if self.readers.transcoders.output() == FeatureOutput::MlpOutput { mlp } else { stream };
        // Shares of activations at first: what a feature writes is as long at every position.
        let mut apart: BTreeMap<usize, (Largest, [f32; 2])> = BTreeMap::new();
        for (position, ((before, after), norm)) in before.iter().zip(&after).zip(norms).enumerate() {
            let mut pairs: BTreeMap<usize, [f32; 2]> = BTreeMap::new();
            for (side, active) in [before, after].into_iter().enumerate() {
                for (feature, activation) in active {
                    pairs.entry(*feature).or_default()[side] = *activation;
                }
            }
            for (feature, pair) in pairs {
                let step = (pair[1] - pair[0]).abs();
                if step == 0.0 {
                    continue;
                }
                let share = f64::from(step) / f64::from(norm.max(f32::MIN_POSITIVE));
                let (largest, activations) = apart.entry(feature).or_default();
                if largest.see(share, (prompt, position)) {
                    *activations = pair;
                }
            }
        }
        let features: Vec<usize> = apart.keys().copied().collect();
        if features.is_empty() {
            return Ok(());
        }
        let lengths = lengths(self.readers.model, self.readers.transcoders, layer, &features)?;
        for ((feature, (largest, activations)), length) in apart.into_iter().zip(lengths) {
            let share = largest.share * f64::from(length);
            let none = FeatureSeen { apart: Largest::default(), activations };
            let seen = seen.entry((layer, feature)).or_insert(none);
            if seen.apart.see(share, largest.place) {
                seen.activations = activations;
            }
        }
        Ok(())
    }

    /// The features that changed by more than `limit`, the most first, and how many of how many there are.
    pub(super) fn changed(
        &self,
        seen: &SeenFeatures,
        limit: f64,
        place: impl Fn((usize, usize)) -> Place,
    ) -> Result<(Vec<FeatureChange>, (usize, usize)), DiffError> {
        let mut changed: Vec<_> = seen.iter().filter(|(_, seen)| seen.apart.share > limit).collect();
        changed.sort_by(|a, b| b.1.apart.share.total_cmp(&a.1.apart.share));
        let all = (0..self.readers.transcoders.layers())
            .map(|layer| self.readers.transcoders.features(layer))
            .sum();
        let mut told = Vec::new();
        for ((layer, feature), seen) in changed.iter().take(VersionDiff::NEURONS) {
            let [promoted, _] =
                self.readers.transcoders.effects(self.readers.model, (*layer, *feature), WORDS)?;
            told.push(FeatureChange {
                layer: *layer,
                feature: *feature,
                before: seen.activations[0],
                after: seen.activations[1],
                written: seen.apart.share,
                place: place(seen.apart.place),
                promoted: promoted.into_iter().map(|effect| effect.token.text).collect(),
            });
        }
        Ok((told, (changed.len(), all)))
    }
}
