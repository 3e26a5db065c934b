//! A run into which parts of its counterpart's are put.

use candle_core::{DType, Tensor};

use super::error::BiasError;
use crate::error::RunError;
use crate::gradient::Target;
use crate::hooks::{ActivationCache, HookPoint, Hooks, Site};
use crate::model::{Model, Readout};
use crate::ops::Distribution;
use crate::patching::{blend, rows};

/// A prompt and its continuation, run once.
pub(super) struct Run<'m> {
    model: &'m Model,
    prompt: Vec<u32>,
    ids: Vec<u32>,
    cache: ActivationCache,
    /// The log-probability of the continuation.
    pub(super) value: f64,
}

impl<'m> Run<'m> {
    pub(super) fn new(model: &'m Model, prompt: &[u32], ids: &[u32]) -> Result<Self, BiasError> {
        let kept = [Site::ResidPre, Site::Z, Site::Post].map(|site| format!("blocks.*.{}", site.name()));
        let mut hooks = Hooks::new().keep(kept.join(",").as_str());
        let read = ids.split_last().map_or(&[][..], |(_, before)| before);
        let tokens = [prompt, read].concat();
        let (logits, cache) = model.run_batch_with_hooks(&[&tokens], readout(ids), &mut hooks)?;
        let value = said(&logits, ids)?.into_iter().sum();
        Ok(Self { model, prompt: prompt.to_vec(), ids: ids.to_vec(), cache, value })
    }

    /// The value with each of these heads or neurons of a layer, one at a time, as it is in the other run, at all positions.
    pub(super) fn with_each(
        &self,
        other: &Self,
        point: HookPoint,
        units: &[usize],
    ) -> Result<Vec<f64>, BiasError> {
        let layer = point.layer().unwrap_or(0);
        let stream = self.cache.at(HookPoint::block(layer, Site::ResidPre))?;
        let donor = other.cache.at(point)?;
        let of_heads = point.site() == Site::Z;
        let count = donor.dim(2)?;
        let mut values = Vec::with_capacity(units.len());
        for some in units.chunks(self.batch()) {
            let chosen = some.iter().flat_map(|unit| (0..count).map(move |at| u8::from(at == *unit)));
            let mask =
                Tensor::from_vec(chosen.collect::<Vec<u8>>(), (some.len(), 1, count), self.model.device())?;
            let mask = if of_heads { mask.unsqueeze(3)? } else { mask };
            let mut hooks = Hooks::new().on(point, |_, value| blend(&mask, donor, value).map(Some));
            let stream = rows(stream, some.len())?;
            let (logits, _) = self.model.run_residual(layer, &stream, readout(&self.ids), &mut hooks)?;
            values.extend(said(&logits, &self.ids)?);
        }
        Ok(values)
    }

    /// To first order, what each neuron of each layer adds to this run's value less the other's: the gradient times the difference, added up over
    /// positions (Nanda 2023, "Attribution Patching"); half of it is taken at this run, so that both runs together make the whole.
    pub(super) fn estimates(&self, other: &Self) -> Result<Vec<Vec<f64>>, BiasError> {
        let filter = format!("blocks.*.{}", Site::Post.name());
        let target = Target::continuation(&self.ids);
        let gradient = self.model.gradient_at(self.prompt.as_slice(), &target, filter.as_str())?;
        let of = |layer: usize| -> Result<Vec<f64>, BiasError> {
            let point = HookPoint::block(layer, Site::Post);
            let change = (self.cache.at(point)? - other.cache.at(point)?)?;
            let estimate = (gradient.points().at(point)? * change)?.sum((0, 1))?;
            let numbers: Vec<f32> = estimate.to_dtype(DType::F32)?.to_vec1()?;
            Ok(numbers.into_iter().map(|number| f64::from(number) / 2.0).collect())
        };
        (0..self.model.config().layers).map(of).collect()
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
