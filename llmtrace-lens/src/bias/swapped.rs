//! A run into which parts of its counterpart's are put.

use candle_core::{DType, Tensor};

use super::carriers::ModelPart;
use super::error::BiasError;
use super::feature_values::{Estimates, FeatureValues};
use crate::circuit::graph::input_site;
use crate::circuit::transcoder::FeatureReaders;
use crate::error::RunError;
use crate::gradient::Target;
use crate::hooks::{ActivationCache, HookPoint, Hooks, Site};
use crate::model::{Model, Readout};
use crate::ops::Distribution;
use crate::patching::{blend, rows};

/// What of an MLP is put in from another run.
#[derive(Clone, Copy)]
pub(super) enum Units<'t> {
    Neurons,
    Features(&'t FeatureReaders<'t>),
}

/// A prompt and its continuation, run once.
pub(super) struct Run<'m> {
    model: &'m Model,
    prompt: Vec<u32>,
    ids: Vec<u32>,
    cache: ActivationCache,
    features: Option<FeatureValues<'m>>,
    /// The log-probability of the continuation.
    pub(super) value: f64,
}

impl<'m> Run<'m> {
    pub(super) fn new(
        model: &'m Model,
        units: Units<'m>,
        prompt: &[u32],
        ids: &[u32],
    ) -> Result<Self, BiasError> {
        let read = match units {
            Units::Neurons => Site::Post,
            Units::Features(readers) => input_site(model.config(), readers.transcoders.input()),
        };
        let kept = [Site::ResidPre, Site::Z, read].map(|site| format!("blocks.*.{}", site.name()));
        let mut hooks = Hooks::new().keep(kept.join(",").as_str());
        let before = ids.split_last().map_or(&[][..], |(_, before)| before);
        let tokens = [prompt, before].concat();
        let (logits, cache) = model.run_batch_with_hooks(&[&tokens], readout(ids), &mut hooks)?;
        let value = said(&logits, ids)?.into_iter().sum();
        let features = match units {
            Units::Neurons => None,
            Units::Features(readers) => Some(FeatureValues::new(readers, &cache)?),
        };
        Ok(Self { model, prompt: prompt.to_vec(), ids: ids.to_vec(), cache, features, value })
    }

    /// The value with each of these parts of a layer, all of one kind, one at a time, as it is in the other run, at all positions.
    pub(super) fn with_each(
        &self,
        other: &Self,
        layer: usize,
        parts: &[ModelPart],
    ) -> Result<Vec<f64>, BiasError> {
        let mut values = Vec::with_capacity(parts.len());
        for some in parts.chunks(self.batch()) {
            let numbers: Vec<usize> = some.iter().map(|part| part.number()).collect();
            let point = |site| HookPoint::block(layer, site);
            values.extend(match some.first() {
                Some(ModelPart::Head { .. }) => self.with_units(other, point(Site::Z), &numbers)?,
                Some(ModelPart::Neuron { .. }) => self.with_units(other, point(Site::Post), &numbers)?,
                Some(ModelPart::Feature { .. }) => self.with_features(other, layer, &numbers)?,
                None => Vec::new(),
            });
        }
        Ok(values)
    }

    /// Heads or neurons.
    fn with_units(&self, other: &Self, point: HookPoint, units: &[usize]) -> Result<Vec<f64>, BiasError> {
        let donor = other.cache.at(point)?;
        let count = donor.dim(2)?;
        let chosen = units.iter().flat_map(|unit| (0..count).map(move |at| u8::from(at == *unit)));
        let mask =
            Tensor::from_vec(chosen.collect::<Vec<u8>>(), (units.len(), 1, count), self.model.device())?;
        let mask = if point.site() == Site::Z { mask.unsqueeze(3)? } else { mask };
        let hooks = Hooks::new().on(point, |_, value| blend(&mask, donor, value).map(Some));
        self.again(point.layer().unwrap_or(0), units.len(), hooks)
    }

    /// Features: what they write changes along their decoders.
    fn with_features(&self, other: &Self, layer: usize, features: &[usize]) -> Result<Vec<f64>, BiasError> {
        let (Some(here), Some(there)) = (&self.features, &other.features) else { return Ok(Vec::new()) };
        let deltas = here.deltas(there, layer, features, self.model.device())?;
        let filter = format!("blocks.*.{}", Site::MlpOut.name());
        let hooks = Hooks::new().on(filter.as_str(), |moment, value| {
            let delta = moment.point.layer().and_then(|layer| deltas.get(&layer));
            Ok(delta.map(|delta| value + delta).transpose()?)
        });
        self.again(layer, features.len(), hooks)
    }

    /// The values of so many runs from a layer on.
    fn again(&self, layer: usize, count: usize, mut hooks: Hooks<'_>) -> Result<Vec<f64>, BiasError> {
        let stream = rows(self.cache.at(HookPoint::block(layer, Site::ResidPre))?, count)?;
        let (logits, _) = self.model.run_residual(layer, &stream, readout(&self.ids), &mut hooks)?;
        Ok(said(&logits, &self.ids)?)
    }

    /// To first order, what each neuron or feature, by layer and number, adds to this run's value less the other's: the gradient times the
    /// difference, added up over positions (Nanda 2023, "Attribution Patching").
    pub(super) fn estimates(&self, other: &Self) -> Result<Estimates, BiasError> {
        let site = if self.features.is_some() { Site::MlpOut } else { Site::Post };
        let filter = format!("blocks.*.{}", site.name());
        let target = Target::continuation(&self.ids);
        let gradient = self.model.gradient_at(self.prompt.as_slice(), &target, filter.as_str())?;
        if let (Some(here), Some(there)) = (&self.features, &other.features) {
            return here.estimates(there, gradient.points());
        }
        let mut all = Vec::new();
        for layer in 0..self.model.config().layers {
            let point = HookPoint::block(layer, site);
            let change = (self.cache.at(point)? - other.cache.at(point)?)?;
            let estimate = (gradient.points().at(point)? * change)?.sum((0, 1))?;
            let numbers: Vec<f32> = estimate.to_dtype(DType::F32)?.to_vec1()?;
            all.extend(numbers.into_iter().enumerate().map(|(at, number)| ((layer, at), f64::from(number))));
        }
        Ok(all)
    }

    /// How many runs are best made at once.
    fn batch(&self) -> usize {
        let read = self.ids.len();
        let batch = Target::continuation(&self.ids).batch(self.prompt.len(), self.model.config().vocab);
        if read == 1 { batch } else { (batch * read / (self.prompt.len() + read)).max(1) }
    }
}

/// Which logits a continuation needs.
fn readout(ids: &[u32]) -> Readout {
    if ids.len() == 1 { Readout::Last } else { Readout::All }
}

/// The log-probability of a continuation in each sequence, of the logits `[b, t, V]` that end with those before its last token.
fn said(logits: &Tensor, ids: &[u32]) -> Result<Vec<f64>, RunError> {
    let first = logits.dim(1)?.checked_sub(ids.len());
    let first =
        first.ok_or_else(|| RunError::Input("the continuation is longer than the text".to_owned()))?;
    let logits: Vec<Vec<Vec<f32>>> = logits.narrow(1, first, ids.len())?.to_dtype(DType::F32)?.to_vec3()?;
    let of = |sequence: &Vec<Vec<f32>>| {
        let steps = sequence.iter().zip(ids);
        steps
            .map(|(row, id)| {
                let logit = row.get(*id as usize).copied().unwrap_or(f32::NAN);
                Distribution::of(row).log_probability(logit)
            })
            .sum()
    };
    Ok(logits.iter().map(of).collect())
}
