//! One prompt's run, held: what an attribution graph is computed on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use candle_core::{D, DType, Tensor};

use super::active::{self, ActiveFeature, through_gain};
use super::layer::{self, HeldLayer, Parts};
use super::target::{Direction, Reading};
use crate::circuit::error::CircuitError;
use crate::circuit::transcoder::{Encoder, FeatureInput, Transcoders};
use crate::hooks::{ActivationCache, Filter, HookPoint, Hooks, Site, points};
use crate::model::{Model, Readout};
use crate::ops::floats;

/// The local replacement model of one prompt (Ameisen et al. 2025): attention patterns and norms' divisors as they were, features and
/// their errors in place of MLPs, so that every number of the stream is a sum.
#[derive(Debug)]
pub(crate) struct Local<'m> {
    pub(crate) model: &'m Model,
    pub(crate) transcoders: &'m Transcoders,
    pub(crate) tokens: Vec<u32>,
    /// At so many first positions nothing is a feature, and the MLP's output is constant.
    pub(crate) masked: usize,
    pub(crate) cache: ActivationCache,
    /// By layer, position and number.
    pub(crate) features: Vec<ActiveFeature>,
    pub(crate) layers: Vec<HeldLayer>,
    /// What reads each feature's input, in their order.
    pub(super) readings: Vec<Reading>,
    /// Logits `[V]` of the last position, before any softcap.
    pub(crate) logits: Vec<f32>,
}

impl<'m> Local<'m> {
    /// Runs the model and finds what is active.
    pub(crate) fn new(
        model: &'m Model,
        transcoders: &'m Transcoders,
        tokens: &[u32],
        masked: usize,
    ) -> Result<Self, CircuitError> {
        transcoders.check(model)?;
        let mut hooks = Hooks::new().keep(kept(model));
        let (_, cache) = model.run_batch_with_hooks(&[tokens], Readout::Last, &mut hooks)?;
        let logits = floats(cache.at(HookPoint::global(Site::Unembed))?)?;
        let mut local = Self {
            model,
            transcoders,
            tokens: tokens.to_vec(),
            masked,
            cache,
            features: Vec::new(),
            layers: Vec::new(),
            readings: Vec::new(),
            logits,
        };
        for layer in 0..model.config().layers {
            local.find_features(layer)?;
        }
        local.hold()?;
        Ok(local)
    }

    /// The number of positions.
    pub(crate) fn steps(&self) -> usize {
        self.tokens.len()
    }

    /// A vector that reads the normed stream at the last position, as a reading of the stream.
    pub(super) fn final_reading(&self, direction: &Direction) -> Result<Reading, CircuitError> {
        let Direction { vector, constant } = direction;
        let norm = &self.model.weights().ln_final;
        let scale = floats(self.cache.at(HookPoint::global(Site::LnFinalScale))?)?;
        let scale = scale.last().copied().unwrap_or(f32::NAN);
        let direction = Tensor::from_slice(vector, (1, vector.len()), self.model.device())?;
        let along = norm.bias.as_ref().map(|bias| floats(&(direction.squeeze(0)? * bias)?)).transpose()?;
        let along: f32 = along.map_or(0.0, |products| products.iter().sum());
        let vector = (through_gain(&direction, norm)? / f64::from(scale))?;
        Ok(Reading {
            layer: self.layers.len(),
            position: self.steps().saturating_sub(1),
            vector: floats(&vector)?.into(),
            divisor: 1.0,
            constant: constant + along,
        })
    }

    /// Where features read.
    pub(crate) fn input_site(&self) -> Site {
        layer::input_site(self.model.config(), self.transcoders.input())
    }

    fn find_features(&mut self, layer: usize) -> Result<(), CircuitError> {
        let input = self.transcoders.input();
        let read = layer::input(&self.cache, self.model.config(), layer, input)?;
        let encoder = self.transcoders.encoder(layer)?.on(self.model.device())?;
        let found = active::of_layer(layer, &encoder, &read, self.masked)?;
        self.read_features(&encoder, &found)?;
        self.features.extend(found);
        Ok(())
    }

    /// Encoder rows of active features as readings of the stream, each row once.
    fn read_features(&mut self, encoder: &Encoder, found: &[ActiveFeature]) -> Result<(), CircuitError> {
        let Some(layer) = found.first().map(|active| active.layer) else { return Ok(()) };
        let block = self.model.weights().blocks.get(layer);
        let norm = &block.ok_or_else(|| CircuitError::Input(format!("there is no layer {layer}")))?.ln2;
        let features: BTreeSet<usize> = found.iter().map(|active| active.feature).collect();
        let rows: Vec<u32> =
            features.iter().map(|feature| u32::try_from(*feature).unwrap_or(u32::MAX)).collect();
        let rows = Tensor::from_vec(rows, features.len(), encoder.weight.device())?;
        let vectors = encoder.weight.index_select(&rows, 0)?.to_dtype(DType::F32)?;
        let bias = encoder.bias.index_select(&rows, 0)?;
        let (vectors, constants, divided) = match self.transcoders.input() {
            FeatureInput::Stream => (vectors, bias, false),
            FeatureInput::Normalized => (layer::centred(&vectors, norm.kind)?, bias, true),
            FeatureInput::MlpInput => {
                let constants = match &norm.bias {
                    Some(along) => (bias + vectors.broadcast_mul(along)?.sum(D::Minus1)?)?,
                    None => bias,
                };
                (through_gain(&vectors, norm)?, constants, true)
            }
        };
        let scales = floats(self.cache.at(HookPoint::block(layer, Site::Ln2Scale))?)?;
        let (vectors, constants) = (vectors.to_vec2::<f32>()?, floats(&constants)?);
        let read = vectors.into_iter().map(Arc::<[f32]>::from).zip(constants);
        let read: BTreeMap<usize, (Arc<[f32]>, f32)> = features.into_iter().zip(read).collect();
        for active in found {
            let Some((vector, constant)) = read.get(&active.feature) else { continue };
            let divisor = scales.get(active.position).copied().filter(|_| divided).unwrap_or(1.0);
            let (vector, constant) = (Arc::clone(vector), *constant);
            self.readings.push(Reading { layer, position: active.position, vector, divisor, constant });
        }
        Ok(())
    }

    fn hold(&mut self) -> Result<(), CircuitError> {
        let parts = Parts {
            config: self.model.config(),
            cache: &self.cache,
            transcoders: self.transcoders,
            features: &self.features,
            masked: self.masked,
        };
        let blocks = self.model.weights().blocks.iter().enumerate();
        let layers: Result<Vec<_>, CircuitError> =
            blocks.map(|(layer, block)| parts.layer(layer, block)).collect();
        self.layers = layers?;
        Ok(())
    }
}

/// The points that a graph needs, of those that this model has.
fn kept(model: &Model) -> Filter {
    const SITES: [Site; 14] = [
        Site::Embed,
        Site::PosEmbed,
        Site::ResidPre,
        Site::Ln1Scale,
        Site::Pattern,
        Site::Ln1PostScale,
        Site::ResidMid,
        Site::Ln2Scale,
        Site::Ln2Normalized,
        Site::Ln2Out,
        Site::Ln2PostScale,
        Site::MlpOut,
        Site::LnFinalScale,
        Site::Unembed,
    ];
    let config = model.config();
    let all = points(config).filter(|point| SITES.contains(&point.site()));
    let names: Vec<String> = all.map(|point| point.to_string()).collect();
    let names = format!("{},{}", names.join(","), Site::LnFinalOut.name());
    Filter::new(&names)
}
