//! One run with features changed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Tensor};

use super::change::{Change, Held};
use super::changed::ChangedLayer;
use super::experiment::{Experiment, Outcome};
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{ActiveFeature, floats, input, post_norm};
use crate::error::RunError;
use crate::hooks::{HookPoint, Hooks, Site, Slice};
use crate::model::Readout;

/// What answers to a change, in the place of the MLPs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// The model's MLPs themselves.
    Model,
    /// The prompt's active features; errors are as they were, and nothing else becomes active.
    Features,
    /// Nothing: MLPs write what they wrote.
    Nobody,
}

/// What a run has seen so far.
#[derive(Default)]
struct Seen {
    /// What the features of each layer read, `[T, D]`.
    inputs: BTreeMap<usize, Tensor>,
    /// What is added to the outputs of layers to come, `[T][D]` in one row.
    more: BTreeMap<usize, Vec<f32>>,
    /// The active features as they are in this run.
    features: Vec<ActiveFeature>,
}

impl Experiment<'_> {
    pub(super) fn run_with(
        &self,
        changes: &[Change],
        held: Held,
        answers: Answers,
    ) -> Result<Outcome, CircuitError> {
        let changed = self.changed(changes)?;
        let local = &self.local;
        let seen = Mutex::new(Seen { features: local.features.clone(), ..Seen::default() });
        let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error: CircuitError| RunError::Hook(Box::new(error));
        let hooks = self.held(held).on("blocks.*.hook_mlp_out", |moment, value| {
            let layer = moment.point.layer().unwrap_or(0);
            let written = self.written(layer, &changed, answers, value, &mut lock()).map_err(failed)?;
            Ok(Some(written))
        });
        let read = self.inputs();
        let hooks = hooks.read(read.as_str(), |moment, value| {
            let layer = moment.point.layer().unwrap_or(0);
            lock().inputs.insert(layer, value.squeeze(0)?.to_dtype(DType::F32)?);
            Ok(())
        });
        let kept = format!("{},{}", Site::LnFinalOut.name(), Site::Unembed.name());
        let mut hooks = hooks.keep(kept.as_str());
        let (_, cache) = local.model.run_batch_with_hooks(&[&local.tokens], Readout::Last, &mut hooks)?;
        drop(hooks);
        let Seen { inputs, mut features, .. } = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (layer, encoder) in self.encoders.iter().enumerate() {
            if let Some(read) = inputs.get(&layer) {
                encoder.measure(&read.to_vec2()?, &mut features);
            }
        }
        let last = cache.at(HookPoint::global(Site::LnFinalOut))?.squeeze(0)?;
        let values = floats(&last.matmul(&self.targets.0)?)?;
        let targets =
            values.iter().zip(&self.targets.1).map(|(value, more)| f64::from(value + more)).collect();
        let logits = floats(cache.at(HookPoint::global(Site::Unembed))?)?;
        Ok(Outcome { features, targets, logits })
    }

    /// What a layer's MLP writes, `[1, T, D]`: of itself `value`, with what features that are changed add.
    fn written(
        &self,
        layer: usize,
        changed: &BTreeMap<usize, ChangedLayer>,
        answers: Answers,
        value: &Tensor,
        seen: &mut Seen,
    ) -> Result<Tensor, CircuitError> {
        let read = seen.inputs.get(&layer).cloned();
        let mut written = match answers {
            Answers::Model => value.clone(),
            Answers::Nobody | Answers::Features => self.skipped(layer, read.as_ref())?,
        };
        if let (Answers::Features, Some(read)) = (answers, &read) {
            written = (written + self.answered(layer, changed, read, seen)?.unsqueeze(0)?)?;
        }
        if let Some(here) = changed.get(&layer) {
            let before = here.features.iter().map(|changed| changed.before.activation).collect();
            let now = match (answers, &read) {
                (Answers::Model, Some(read)) => here.of_themselves(read)?,
                _ => before,
            };
            self.add(here, &now, seen);
        }
        let Some(more) = seen.more.remove(&layer) else { return Ok(written) };
        let width = self.local.model.config().d_model;
        let more = Tensor::from_vec(more, (self.local.steps(), width), value.device())?;
        let post = self.local.layers.get(layer).and_then(|held| held.post.as_ref());
        Ok((written + post_norm(&more, post)?.unsqueeze(0)?)?)
    }

    /// Adds to this layer and those above what changed features write beyond what they write of themselves.
    fn add(&self, here: &ChangedLayer, now: &[f32], seen: &mut Seen) {
        let (steps, width) = (self.local.steps(), self.local.model.config().d_model);
        for (changed, now) in here.features.iter().zip(now) {
            let step = changed.after - now;
            for (to, decoder) in &changed.writes {
                let more = seen.more.entry(*to).or_insert_with(|| vec![0.0; steps * width]);
                let row = more.iter_mut().skip(changed.before.position * width);
                for (sum, weight) in row.zip(decoder) {
                    *sum += step * weight;
                }
            }
        }
    }

    /// What the prompt's active features that are not changed add to a layer beyond what they did, `[T, D]`.
    fn answered(
        &self,
        layer: usize,
        changed: &BTreeMap<usize, ChangedLayer>,
        read: &Tensor,
        seen: &mut Seen,
    ) -> Result<Tensor, CircuitError> {
        if let Some(encoder) = self.encoders.get(layer) {
            encoder.measure(&read.to_vec2()?, &mut seen.features);
        }
        for changed in changed.get(&layer).into_iter().flat_map(|here| &here.features) {
            let before = &changed.before;
            let at = self.place(before.layer, before.position, before.feature);
            if let Some(feature) = at.and_then(|at| seen.features.get_mut(at)) {
                *feature = *before;
            }
        }
        let more = seen.features.iter().zip(&self.local.features);
        let more: Vec<f32> = more.map(|(now, before)| now.activation - before.activation).collect();
        let held = self.local.layers.get(layer);
        let held = held.ok_or_else(|| CircuitError::Input(format!("there is no layer {layer}")))?;
        held.written_by(&more)
    }

    /// An MLP's output as it was, `[1, T, D]`, and what a linear way beside the features adds for another input.
    fn skipped(&self, layer: usize, read: Option<&Tensor>) -> Result<Tensor, CircuitError> {
        let local = &self.local;
        let before = local.cache.at(HookPoint::block(layer, Site::MlpOut))?;
        let (Some(read), Some(skip)) = (read, local.transcoders.skip(layer)?) else {
            return Ok(before.clone());
        };
        let was = input(&local.cache, local.model.config(), layer, local.transcoders.input())?;
        let more = (read - was)?.matmul(&skip.to_device(before.device())?.t()?)?;
        let post = local.layers.get(layer).and_then(|held| held.post.as_ref());
        Ok((before + post_norm(&more, post)?.unsqueeze(0)?)?)
    }

    /// Hooks that hold what is to be held, MLPs left out.
    fn held(&self, held: Held) -> Hooks<'_> {
        const SITES: [Site; 6] = [
            Site::Pattern,
            Site::Ln1Scale,
            Site::Ln1PostScale,
            Site::Ln2Scale,
            Site::Ln2PostScale,
            Site::LnFinalScale,
        ];
        let count = match held {
            Held::Everything | Held::PatternsAndNorms => SITES.len(),
            Held::Patterns => 1,
            Held::Nothing => 0,
        };
        let config = self.local.model.config();
        let sites = SITES.into_iter().take(count).filter(|site| site.exists_in(config));
        sites.fold(Hooks::new(), |hooks, site| {
            hooks.patch(everywhere(site).as_str(), &self.local.cache, Slice::all())
        })
    }

    /// The points that features read.
    fn inputs(&self) -> String {
        everywhere(self.local.input_site())
    }
}

/// The points of a site, as a pattern.
fn everywhere(site: Site) -> String {
    if site.in_block() { format!("blocks.*.{}", site.name()) } else { site.name().to_owned() }
}
