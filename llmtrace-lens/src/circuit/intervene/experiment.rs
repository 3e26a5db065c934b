//! One prompt whose features are changed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use candle_core::{DType, Tensor};
use serde::Serialize;

use super::change::{Change, Held};
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{ActiveFeature, AttributionGraph, Local, Tracer, floats, input, post_norm};
use crate::circuit::transcoder::FeatureActivation;
use crate::error::RunError;
use crate::hooks::{HookPoint, Hooks, Site, Slice};
use crate::model::Readout;

/// One prompt's run, its graph, and what comes of changing its features.
#[derive(Debug)]
pub struct Experiment<'m> {
    local: Local<'m>,
    graph: AttributionGraph,
    encoders: Vec<ActiveEncoder>,
    /// Directions of the normed stream that the targets read, `[D, targets]`, and what is added.
    targets: (Tensor, Vec<f32>),
}

/// What came of changing features.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The features that were active, as they are after the change; one that is changed itself is as the model would have it.
    pub features: Vec<ActiveFeature>,
    /// The graph's targets.
    pub targets: Vec<f64>,
    /// Logits of the last position, before any softcap.
    pub logits: Vec<f32>,
}

/// Encoder rows of the active features of a layer.
#[derive(Debug)]
struct ActiveEncoder {
    first: usize,
    /// `[n, D]`.
    rows: Vec<Vec<f32>>,
    bias: Vec<f32>,
    activation: FeatureActivation,
}

impl<'m> Tracer<'m> {
    /// Traces one prompt and stays with it, so that its features can be changed.
    ///
    /// # Errors
    /// As for [`trace`](Self::trace).
    pub fn experiment(&self, tokens: &[u32]) -> Result<Experiment<'m>, CircuitError> {
        let local = self.local(tokens)?;
        let graph = self.graph(&local)?;
        let (directions, constants) = self.directions(&local)?;
        let mut encoders = Vec::new();
        let mut first = 0;
        for layer in 0..local.layers.len() {
            let active: Vec<&ActiveFeature> =
                local.features.iter().filter(|active| active.layer == layer).collect();
            encoders.push(ActiveEncoder::of(&local, layer, first, &active)?);
            first += active.len();
        }
        Ok(Experiment { local, graph, encoders, targets: (directions, constants) })
    }
}

impl Experiment<'_> {
    /// The prompt's graph.
    pub fn graph(&self) -> &AttributionGraph {
        &self.graph
    }

    /// The prompt's graph, to go on with.
    pub fn into_graph(self) -> AttributionGraph {
        self.graph
    }

    /// Every active feature, those that are no nodes included.
    pub fn features(&self) -> &[ActiveFeature] {
        &self.local.features
    }

    /// Runs the prompt again with features changed.
    ///
    /// Where features write before a norm that follows the MLP, that norm's divisor is held in their change.
    ///
    /// # Errors
    /// A feature is not there, or a hook failed.
    pub fn run(&self, changes: &[Change], held: Held) -> Result<Outcome, CircuitError> {
        let deltas = self.deltas(changes)?;
        let local = &self.local;
        let inputs = Mutex::new(BTreeMap::new());
        let mut hooks = self.held(held).on("blocks.*.hook_mlp_out", |moment, value| {
            let layer = moment.point.layer().unwrap_or(0);
            let value = if held == Held::Everything {
                let before = local.cache.at(moment.point)?;
                let seen = inputs.lock().ok().and_then(|inputs| inputs.get(&layer).cloned());
                self.skipped(layer, before, seen)?
            } else {
                value.clone()
            };
            match deltas.get(&layer) {
                Some(delta) => Ok(Some((value + delta.unsqueeze(0)?)?)),
                None => Ok(Some(value)),
            }
        });
        let read = self.inputs();
        hooks = hooks.read(read.as_str(), |moment, value| {
            let layer = moment.point.layer().unwrap_or(0);
            if let Ok(mut inputs) = inputs.lock() {
                inputs.insert(layer, value.squeeze(0)?);
            }
            Ok(())
        });
        let kept = format!("{},{}", Site::LnFinalOut.name(), Site::Unembed.name());
        let mut hooks = hooks.keep(kept.as_str());
        let (_, cache) = local.model.run_batch_with_hooks(&[&local.tokens], Readout::Last, &mut hooks)?;
        drop(hooks);
        let inputs = inputs.into_inner().unwrap_or_default();
        let mut features = local.features.clone();
        for (layer, encoder) in self.encoders.iter().enumerate() {
            if let Some(read) = inputs.get(&layer) {
                encoder.measure(&read.to_dtype(DType::F32)?.to_vec2()?, &mut features);
            }
        }
        let last = cache.at(HookPoint::global(Site::LnFinalOut))?.squeeze(0)?;
        let values = floats(&last.matmul(&self.targets.0)?)?;
        let targets =
            values.iter().zip(&self.targets.1).map(|(value, more)| f64::from(value + more)).collect();
        let logits = floats(cache.at(HookPoint::global(Site::Unembed))?)?;
        Ok(Outcome { features, targets, logits })
    }

    /// The activation of a feature in the prompt; 0 where it is not active.
    pub fn activation(&self, layer: usize, position: usize, feature: usize) -> f32 {
        self.find(layer, position, feature).map_or(0.0, |active| active.activation)
    }

    pub(super) fn find(&self, layer: usize, position: usize, feature: usize) -> Option<&ActiveFeature> {
        let key = (layer, position, feature);
        let features = &self.local.features;
        let at =
            features.binary_search_by_key(&key, |node| (node.layer, node.position, node.feature)).ok()?;
        features.get(at)
    }

    /// The activation of an active feature, had its pre-activation been this one.
    pub(super) fn would_be(&self, feature: &ActiveFeature, pre: f32) -> f32 {
        self.encoders.get(feature.layer).map_or(pre, |encoder| encoder.activation.of(feature.feature, pre))
    }

    /// What the changes add to the output of each layer, `[T, D]`.
    fn deltas(&self, changes: &[Change]) -> Result<BTreeMap<usize, Tensor>, CircuitError> {
        let (steps, width) = (self.local.steps(), self.local.model.config().d_model);
        let device = self.local.model.device();
        let mut deltas: BTreeMap<usize, Tensor> = BTreeMap::new();
        for change in changes {
            let (layer, position, feature) = change.feature();
            if position >= steps {
                return Err(CircuitError::Input(format!(
                    "there is no position {position}: there are {steps}"
                )));
            }
            let before = self.activation(layer, position, feature);
            let step = f64::from(change.apply(before) - before);
            for to in self.local.transcoders.writes(layer) {
                let decoder = self.local.transcoders.decoders(layer, &[feature], to)?.to_device(device)?;
                let above = Tensor::zeros((position, width), DType::F32, device)?;
                let below = Tensor::zeros((steps - position - 1, width), DType::F32, device)?;
                let delta = Tensor::cat(&[above, (decoder * step)?, below], 0)?;
                let post = self.local.layers.get(to).and_then(|held| held.post.as_ref());
                let delta = post_norm(&delta, post)?;
                let sum = match deltas.remove(&to) {
                    Some(more) => (more + delta)?,
                    None => delta,
                };
                deltas.insert(to, sum);
            }
        }
        Ok(deltas)
    }

    /// An MLP's output as it was, and what a linear way beside the features adds for another input.
    fn skipped(&self, layer: usize, before: &Tensor, seen: Option<Tensor>) -> Result<Tensor, RunError> {
        let local = &self.local;
        let failed = |error: CircuitError| RunError::Hook(Box::new(error));
        let (Some(seen), Some(skip)) = (seen, local.transcoders.skip(layer).map_err(failed)?) else {
            return Ok(before.clone());
        };
        let config = local.model.config();
        let was = input(&local.cache, config, layer, local.transcoders.input()).map_err(failed)?;
        let more = (seen - was)?.matmul(&skip.to_device(before.device())?.t()?)?;
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

impl ActiveEncoder {
    fn of(
        local: &Local<'_>,
        layer: usize,
        first: usize,
        active: &[&ActiveFeature],
    ) -> Result<Self, CircuitError> {
        let encoder = local.transcoders.encoder(layer)?;
        let rows: Vec<u32> =
            active.iter().map(|active| u32::try_from(active.feature).unwrap_or(u32::MAX)).collect();
        if rows.is_empty() {
            return Ok(Self { first, rows: Vec::new(), bias: Vec::new(), activation: encoder.activation });
        }
        let index = Tensor::from_vec(rows, active.len(), encoder.weight.device())?;
        Ok(Self {
            first,
            rows: encoder.weight.index_select(&index, 0)?.to_vec2()?,
            bias: encoder.bias.index_select(&index, 0)?.to_vec1()?,
            activation: encoder.activation,
        })
    }

    /// Pre-activations and activations of this layer's active features from what they read, `[T][D]`.
    fn measure(&self, read: &[Vec<f32>], features: &mut [ActiveFeature]) {
        for (feature, (row, bias)) in
            features.iter_mut().skip(self.first).zip(self.rows.iter().zip(&self.bias))
        {
            let Some(read) = read.get(feature.position) else { continue };
            let product: f32 = row.iter().zip(read).map(|(weight, value)| weight * value).sum();
            feature.pre_activation = product + bias;
            feature.activation = self.activation.of(feature.feature, feature.pre_activation);
        }
    }
}
