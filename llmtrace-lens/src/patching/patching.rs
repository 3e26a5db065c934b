//! Sweeps of patches.

use std::fmt;

use candle_core::Tensor;

use super::along::{Along, Cells};
use super::metric::{Metric, labels};
use super::sweep::{Ends, Sweep, SweepAxis};
use crate::error::RunError;
use crate::hooks::{ActivationCache, HookPoint, Hooks, Site};
use crate::model::{Model, Readout};

/// About this many positions are run at once.
const POSITIONS: usize = 1024;

/// Activation patching: values of a clean run are put into a corrupted one, one place at a time, to see where the metric comes back
/// (Vig et al. 2020, Meng et al. 2022; the sweeps are those of TransformerLens's `patching.py`).
///
/// Swap the prompts to see where a clean run breaks.
///
/// ```no_run
/// use llmtrace_lens::patching::{Along, Metric, Patching};
/// use llmtrace_lens::{Model, Site};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = Model::load("model")?;
/// let clean = model.tokenize("the capital of the state containing Oakland is")?;
/// let corrupted = model.tokenize("the capital of the state containing Dallas is")?;
/// let metric = Metric::logit_difference(17, 42);
/// let mut patching = Patching::new(&model, &clean, &corrupted, metric)?
///     .progress(|done, total| eprint!("\r{done} of {total}"));
/// let by_layer_and_position = patching.sweep(Site::ResidPre, Along::Positions)?;
/// let by_layer_and_head = patching.sweep(Site::Z, Along::Heads)?;
/// # Ok(())
/// # }
/// ```
pub struct Patching<'a> {
    pub(super) model: &'a Model,
    pub(super) clean: Vec<u32>,
    pub(super) corrupted: Vec<u32>,
    pub(super) metric: Metric,
    pub(super) ends: Ends,
    /// The corrupted stream that enters each block: a patch in a block needs none before it.
    pub(super) streams: ActivationCache,
    batch: usize,
    pub(super) progress: Progress<'a>,
}

/// Told the number of patches done, and of all.
pub(super) type Progress<'a> = Box<dyn FnMut(usize, usize) + 'a>;

impl<'a> Patching<'a> {
    /// Runs both prompts.
    ///
    /// # Errors
    /// The prompts are not of one length, the metric names a token that the model does not have, or it is the same of both.
    pub fn new(model: &'a Model, clean: &[u32], corrupted: &[u32], metric: Metric) -> Result<Self, RunError> {
        if clean.len() != corrupted.len() {
            return Err(RunError::Input(format!(
                "the clean prompt and the corrupted one have {} and {} tokens: patching needs the same positions in both",
                clean.len(),
                corrupted.len()
            )));
        }
        let metric = metric.named(model)?;
        let good = metric.of_batch(&model.run_batch(&[clean], Readout::Last)?)?;
        let mut hooks = Hooks::new().keep("blocks.*.hook_resid_pre");
        let (logits, streams) = model.run_batch_with_hooks(&[corrupted], Readout::Last, &mut hooks)?;
        let bad = metric.of_batch(&logits)?;
        let ends = Ends::new(good.iter().sum(), bad.iter().sum())?;
        Ok(Self {
            model,
            clean: clean.to_vec(),
            corrupted: corrupted.to_vec(),
            metric,
            ends,
            streams,
            batch: (POSITIONS / clean.len().max(1)).clamp(1, 64),
            progress: Box::new(|_, _| {}),
        })
    }

    /// How many patches are run at once; more take more memory.
    pub fn batch(mut self, patches: usize) -> Self {
        self.batch = patches.max(1);
        self
    }

    /// Called with the number of patches done and of all.
    pub fn progress(mut self, tell: impl FnMut(usize, usize) + 'a) -> Self {
        self.progress = Box::new(tell);
        self
    }

    /// The metric of the clean run.
    pub fn clean_metric(&self) -> f64 {
        self.ends.clean
    }

    /// The metric of the corrupted run.
    pub fn corrupted_metric(&self) -> f64 {
        self.ends.corrupted
    }

    /// One site of every block, patched place by place: `Site::ResidPre` along positions, `Site::Z` along heads.
    ///
    /// # Errors
    /// The model has no such site in its blocks, or its value no such axes.
    pub fn sweep(&mut self, site: Site, along: Along) -> Result<Sweep, RunError> {
        let mut sweeps = self.sweeps(&[site], along)?;
        sweeps.pop().ok_or_else(|| RunError::Input("there is nothing to patch".to_owned()))
    }

    /// The stream that enters each block, what attention adds and what the MLP adds, each `[layer, position]`.
    ///
    /// # Errors
    /// A run failed.
    pub fn block_every(&mut self) -> Result<Vec<Sweep>, RunError> {
        self.sweeps(&[Site::ResidPre, Site::AttnOut, Site::MlpOut], Along::Positions)
    }

    /// Outputs, queries, keys, values and attention weights of heads, along `Heads` or `PositionsAndHeads`.
    ///
    /// # Errors
    /// As for [`sweep`](Self::sweep).
    pub fn heads_every(&mut self, along: Along) -> Result<Vec<Sweep>, RunError> {
        self.sweeps(&[Site::Z, Site::Q, Site::K, Site::V, Site::Pattern], along)
    }

    fn sweeps(&mut self, sites: &[Site], along: Along) -> Result<Vec<Sweep>, RunError> {
        let layers = self.model.config().layers;
        if let Some(site) = sites.iter().find(|site| !site.in_block()) {
            return Err(RunError::Input(format!("{} is in no block: sweeps go through blocks", site.name())));
        }
        let names: Vec<String> = sites.iter().map(|site| format!("blocks.*.{}", site.name())).collect();
        let clean = kept(self.model, &self.clean, &names.join(","))?;
        let mut plans = Vec::with_capacity(sites.len());
        for site in sites {
            plans.push((*site, cells(&clean, HookPoint::block(0, *site), along)?));
        }
        let total = plans.iter().map(|(_, cells)| cells.count() * layers).sum();
        let mut done = 0;
        let tokens = self.positions();
        let mut sweeps = Vec::with_capacity(sites.len());
        for (site, cells) in &plans {
            let mut values = Vec::with_capacity(cells.count() * layers);
            for layer in 0..layers {
                values.extend(self.layer(HookPoint::block(layer, *site), cells, &clean, &mut done, total)?);
            }
            let mut axes = vec![SweepAxis::counted("layer", layers)];
            axes.extend(cells.labels(&tokens));
            sweeps.push(self.ends.sweep(site.name(), self.metric.name(), axes, values));
        }
        Ok(sweeps)
    }

    /// The clean token of each position, and the corrupted one where it is another: `Oakland/Dallas`.
    fn positions(&self) -> Vec<String> {
        let [clean, corrupted] = [&self.clean, &self.corrupted].map(|tokens| labels(self.model, tokens));
        let both = |(clean, corrupted): (String, String)| {
            if clean == corrupted { clean } else { format!("{}/{}", clean, corrupted.trim_start()) }
        };
        clean.into_iter().zip(corrupted).map(both).collect()
    }

    /// The metric of each patch at one point.
    fn layer(
        &mut self,
        point: HookPoint,
        cells: &Cells,
        clean: &ActivationCache,
        done: &mut usize,
        total: usize,
    ) -> Result<Vec<f64>, RunError> {
        let layer = point.layer().unwrap_or(0);
        let stream = self.streams.at(HookPoint::block(layer, Site::ResidPre))?.clone();
        let donor = clean.at(point)?;
        let mut values = vec![self.ends.corrupted; cells.count()];
        let patched: Vec<usize> = (0..cells.count()).filter(|cell| !cells.is_unseen(*cell)).collect();
        *done += cells.count() - patched.len();
        for some in patched.chunks(self.batch) {
            let (mask, shape) = cells.mask(some, point, donor.dims());
            let mask = Tensor::from_vec(mask, shape, self.model.device())?;
            let mut hooks = Hooks::new().on(point, |_, value| blend(&mask, donor, value).map(Some));
            let stream = rows(&stream, some.len())?;
            let (logits, _) = self.model.run_residual(layer, &stream, Readout::Last, &mut hooks)?;
            for (cell, value) in some.iter().zip(self.metric.of_batch(&logits)?) {
                if let Some(slot) = values.get_mut(*cell) {
                    *slot = value;
                }
            }
            *done += some.len();
            (self.progress)(*done, total);
        }
        Ok(values)
    }
}

impl fmt::Debug for Patching<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patching")
            .field("metric", &self.metric)
            .field("clean", &self.ends.clean)
            .field("corrupted", &self.ends.corrupted)
            .finish_non_exhaustive()
    }
}

fn cells(clean: &ActivationCache, point: HookPoint, along: Along) -> Result<Cells, RunError> {
    let value = clean.at(point)?;
    Cells::new(along, point, value.dims()).ok_or_else(|| RunError::Intervention {
        point,
        problem: format!("a value of shape {:?} cannot be patched along {along:?}", value.dims()),
    })
}

/// `new` where the mask is 1, `old` elsewhere; mask and `new` are broadcast.
pub(crate) fn blend(mask: &Tensor, new: &Tensor, old: &Tensor) -> Result<Tensor, RunError> {
    Ok(mask.broadcast_as(old.shape())?.where_cond(&new.broadcast_as(old.shape())?, old)?)
}

/// The values of a run at the points of a filter.
pub(super) fn kept(model: &Model, tokens: &[u32], filter: &str) -> Result<ActivationCache, RunError> {
    let mut hooks = Hooks::new().keep(filter);
    Ok(model.run_batch_with_hooks(&[tokens], Readout::Last, &mut hooks)?.1)
}

/// One sequence `[1, ..]` as `count` equal ones.
pub(crate) fn rows(value: &Tensor, count: usize) -> Result<Tensor, RunError> {
    let mut shape = value.dims().to_vec();
    if let Some(first) = shape.first_mut() {
        *first = count;
    }
    Ok(value.broadcast_as(shape)?.contiguous()?)
}
