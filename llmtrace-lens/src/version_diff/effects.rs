//! What each part of a model has to do with the change of its answers.

use candle_core::Tensor;

use super::diff::PartEffect;
use super::error::DiffError;
use super::measured::divergence;
use super::neurons::with_neuron;
use super::runs::HeldRun;
use crate::analysis::Reading;
use crate::hooks::{HookPoint, Hooks, Site, Slice};
use crate::model::{Model, Readout};
use crate::ops::floats;

/// Prompts whose answers moved, and the runs that say why.
pub(super) struct Effects<'m> {
    pub(super) before: &'m Model,
    pub(super) after: &'m Model,
    pub(super) moved: Vec<Moved<'m>>,
}

/// A prompt whose answer moved.
pub(super) struct Moved<'m> {
    pub(super) before: Reading<'m>,
    pub(super) held: HeldRun,
    /// Logits of the newer model after the prompt.
    pub(super) after: Vec<f32>,
    /// `KL(after || before)` there.
    pub(super) divergence: f64,
}

impl Effects<'_> {
    /// That of every part, in the order of the forward pass; `told` hears of each.
    pub(super) fn parts(&self, told: &mut dyn FnMut()) -> Result<Vec<PartEffect>, DiffError> {
        let mut found = Vec::new();
        if self.moved.is_empty() {
            return Ok(found);
        }
        let mut add = |part: String, layer: Option<usize>, effect: f64| {
            told();
            found.push(PartEffect { part, layer, effect });
        };
        add("embeddings".to_owned(), None, self.mean(|moved| self.embedded(moved))?);
        for layer in 0..self.before.config().layers {
            for (name, site) in [("attention", Site::AttnOut), ("MLP", Site::MlpOut)] {
                let point = HookPoint::block(layer, site);
                let effect = self.mean(|moved| {
                    let new = moved.held.cache.at(point)?;
                    self.patched(moved, layer, point, new, Slice::all())
                })?;
                add(format!("{name} of L{layer}"), Some(layer), effect);
            }
        }
        let readout = self.mean(|moved| Ok(moved.held.logits.clone()))?;
        add("final norm and unembedding".to_owned(), None, readout);
        Ok(found)
    }

    /// That of a head's output; none where no answer moved.
    pub(super) fn head(&self, layer: usize, head: usize) -> Result<Option<f64>, DiffError> {
        let point = HookPoint::block(layer, Site::Result);
        self.some(|moved| {
            let new = moved.held.cache.at(point)?;
            self.patched(moved, layer, point, new, Slice::head(head))
        })
    }

    /// That of what a neuron writes; none where no answer moved.
    pub(super) fn neuron(&self, layer: usize, neuron: usize) -> Result<Option<f64>, DiffError> {
        let [post, written] = [Site::Post, Site::MlpOut].map(|site| HookPoint::block(layer, site));
        self.some(|moved| {
            let activations = (moved.before.cache().at(post)?, moved.held.cache.at(post)?);
            let models = (self.before, self.after);
            match with_neuron(models, (layer, neuron), activations.0, activations.1)? {
                Some(new) => self.patched(moved, layer, written, &new, Slice::all()),
                None => Ok(Vec::new()),
            }
        })
    }

    fn some(
        &self,
        logits: impl Fn(&Moved<'_>) -> Result<Vec<f32>, DiffError>,
    ) -> Result<Option<f64>, DiffError> {
        if self.moved.is_empty() { Ok(None) } else { self.mean(logits).map(Some) }
    }

    /// The mean effect over the prompts of what makes these logits.
    fn mean(&self, logits: impl Fn(&Moved<'_>) -> Result<Vec<f32>, DiffError>) -> Result<f64, DiffError> {
        let mut sum = 0.0;
        for moved in &self.moved {
            sum += 1.0 - divergence(&moved.after, &logits(moved)?) / moved.divergence;
        }
        Ok(sum / self.moved.len().max(1) as f64)
    }

    /// Logits of the older model after a prompt, with a value of one block replaced.
    fn patched(
        &self,
        moved: &Moved<'_>,
        layer: usize,
        point: HookPoint,
        new: &Tensor,
        slice: Slice,
    ) -> Result<Vec<f32>, DiffError> {
        let stream = moved.before.cache().at(HookPoint::block(layer, Site::ResidPre))?;
        let mut hooks = Hooks::new().replace(point.to_string().as_str(), new, slice);
        Ok(floats(&self.before.run_residual(layer, stream, Readout::Last, &mut hooks)?.0)?)
    }

    /// The same with the embeddings of the newer model.
    fn embedded(&self, moved: &Moved<'_>) -> Result<Vec<f32>, DiffError> {
        let mut stream = moved.held.cache.at(HookPoint::global(Site::Embed))?.clone();
        if let Ok(positions) = moved.held.cache.at(HookPoint::global(Site::PosEmbed)) {
            stream = stream.broadcast_add(positions)?;
        }
        Ok(floats(&self.before.run_residual(0, &stream, Readout::Last, &mut Hooks::new())?.0)?)
    }
}
