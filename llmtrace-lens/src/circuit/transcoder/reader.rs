//! How active features are where their layer reads something.

use std::collections::BTreeSet;

use candle_core::{Device, Tensor};

use super::activation::FeatureActivation;
use super::transcoders::{Encoder, Transcoders};
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{input, pre_activations};
use crate::hooks::ActivationCache;
use crate::model::Model;

/// Tells how active features of a layer are: all of them, or some.
#[derive(Debug)]
pub(crate) struct FeatureReader {
    encoder: Encoder,
    rows: Rows,
}

/// Reads all features of every layer; the encoders stay in memory.
pub(crate) struct FeatureReaders<'t> {
    pub(crate) model: &'t Model,
    pub(crate) transcoders: &'t Transcoders,
    layers: Vec<FeatureReader>,
}

impl<'t> FeatureReaders<'t> {
    /// Of the transcoders of a model.
    pub(crate) fn new(model: &'t Model, transcoders: &'t Transcoders) -> Result<Self, CircuitError> {
        transcoders.check(model)?;
        let layers = 0..transcoders.layers();
        let layers = layers.map(|layer| FeatureReader::all(transcoders, layer, model.device()));
        Ok(Self { model, transcoders, layers: layers.collect::<Result<_, _>>()? })
    }

    /// For each position of a run that kept what the layer's features read, those that are not 0, in their order.
    pub(crate) fn active(
        &self,
        layer: usize,
        cache: &ActivationCache,
    ) -> Result<Vec<Vec<(usize, f32)>>, CircuitError> {
        let Some(reader) = self.layers.get(layer) else { return Ok(Vec::new()) };
        reader.active(&input(cache, self.model.config(), layer, self.transcoders.input())?)
    }
}

/// Which rows of the encoder are there.
#[derive(Debug)]
enum Rows {
    All,
    /// All, as which are active depends on the others, but only these are told of.
    Among(BTreeSet<usize>),
    /// Of these features alone, in this order.
    Of(Vec<usize>),
}

impl FeatureReader {
    /// Reads all features of a layer.
    pub(crate) fn all(
        transcoders: &Transcoders,
        layer: usize,
        device: &Device,
    ) -> Result<Self, CircuitError> {
        Ok(Self { encoder: transcoders.encoder(layer)?.on(device)?, rows: Rows::All })
    }

    /// Reads these features of a layer.
    pub(crate) fn of(
        transcoders: &Transcoders,
        layer: usize,
        features: impl IntoIterator<Item = usize>,
        device: &Device,
    ) -> Result<Self, CircuitError> {
        let features: BTreeSet<usize> = features.into_iter().collect();
        let rows: Vec<usize> = features.iter().copied().collect();
        let encoder = transcoders.encoder_rows(layer, &rows)?;
        if matches!(encoder.activation, FeatureActivation::TopK(_)) {
            return Ok(Self {
                encoder: transcoders.encoder(layer)?.on(device)?,
                rows: Rows::Among(features),
            });
        }
        Ok(Self { encoder: encoder.on(device)?, rows: Rows::Of(rows) })
    }

    /// For each position of what the layer reads `[T, D]`, the features that are not 0, in their order, with their activations.
    pub(crate) fn active(&self, read: &Tensor) -> Result<Vec<Vec<(usize, f32)>>, CircuitError> {
        let encoder = &self.encoder;
        if matches!(&self.rows, Rows::Of(rows) if rows.is_empty()) {
            return Ok(vec![Vec::new(); read.dim(0)?]);
        }
        let pre = pre_activations(encoder, read)?;
        let active = |row: &Vec<f32>| -> Vec<(usize, f32)> {
            match &self.rows {
                Rows::All => encoder.activation.active(row),
                Rows::Among(told) => {
                    let active = encoder.activation.active(row).into_iter();
                    active.filter(|(feature, _)| told.contains(feature)).collect()
                }
                Rows::Of(features) => {
                    let each = features.iter().zip(row);
                    let each = each.map(|(feature, pre)| (*feature, encoder.activation.of(*feature, *pre)));
                    each.filter(|(_, activation)| *activation != 0.0).collect()
                }
            }
        };
        Ok(pre.iter().map(active).collect())
    }
}
