//! The features that stand for a model's MLPs.

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::activation::FeatureActivation;
use super::files::LayerFiles;
use super::sites::{self, FeatureInput, FeatureOutput};
use crate::circuit::error::CircuitError;
use crate::error::LoadError;
use crate::model::{Activation, MlpKind, Model};

/// One set of features a layer, each with what it reads and what it writes (Dunefsky et al. 2024; Ameisen et al. 2025).
#[derive(Clone, Debug)]
pub struct Transcoders {
    kind: TranscoderKind,
    input: FeatureInput,
    output: FeatureOutput,
    /// Width of the stream that they read and write.
    width: usize,
    source: Source,
}

/// Where features write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TranscoderKind {
    /// Each to its own layer (PLT).
    PerLayer,
    /// Each to its own layer and all above (CLT).
    CrossLayer,
    /// They are the model's own neurons: exact, nothing is left over.
    Neurons,
}

/// What turns the input of a layer into its features' activations.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    /// `[F, D]`.
    pub(crate) weight: Tensor,
    /// `[F]`.
    pub(crate) bias: Tensor,
    pub(crate) activation: FeatureActivation,
}

impl Encoder {
    pub(crate) fn on(self, device: &Device) -> candle_core::Result<Self> {
        let (weight, bias) = (self.weight.to_device(device)?, self.bias.to_device(device)?);
        Ok(Self { weight, bias, ..self })
    }
}

#[derive(Clone, Debug)]
enum Source {
    Files(Arc<[LayerFiles]>),
    Neurons(Model),
}

impl Transcoders {
    /// Opens a folder in circuit-tracer's format: per-layer (`layer_0.safetensors`, ..) or cross-layer transcoders
    /// (`W_enc_0.safetensors`, `W_dec_0.safetensors`, ..). Decoders stay on the disk, and those of active features are
    /// read when a graph needs them.
    ///
    /// # Errors
    /// A file is missing or broken, a tensor has another shape than this model needs, or `config.yaml` names an unknown hook.
    pub fn load(folder: impl AsRef<Path>, model: &Model) -> Result<Self, CircuitError> {
        let (folder, config) = (folder.as_ref(), model.config());
        let (layers, width) = (config.layers, config.d_model);
        let (input, output) = sites::of_folder(folder, config)?;
        let cross = folder.join("W_enc_0.safetensors").exists();
        let files: Result<Vec<_>, LoadError> = (0..layers)
            .map(|layer| {
                if cross {
                    LayerFiles::cross_layer(folder, layer, layers, width)
                } else {
                    LayerFiles::per_layer(folder, layer, width)
                }
            })
            .collect();
        let kind = if cross { TranscoderKind::CrossLayer } else { TranscoderKind::PerLayer };
        Ok(Self { kind, input, output, width, source: Source::Files(files?.into()) })
    }

    /// The neurons of a model whose MLP is `out(relu(in(x)))`: a transcoder that leaves no error.
    ///
    /// # Errors
    /// The MLP is gated or has another nonlinearity.
    pub fn neurons(model: &Model) -> Result<Self, CircuitError> {
        let config = model.config();
        if config.activation != Activation::Relu || config.mlp != MlpKind::Plain {
            return Err(CircuitError::Transcoders {
                model: model.name().to_owned(),
                problem: format!(
                    "its MLP {}: neurons are exact features of a plain ReLU MLP alone, give transcoders",
                    if config.mlp == MlpKind::Gated {
                        "is gated"
                    } else {
                        "has another activation than ReLU"
                    }
                ),
            });
        }
        Ok(Self {
            kind: TranscoderKind::Neurons,
            input: FeatureInput::MlpInput,
            output: FeatureOutput::MlpOutput,
            width: config.d_model,
            source: Source::Neurons(model.clone()),
        })
    }

    /// Where features write.
    pub fn kind(&self) -> TranscoderKind {
        self.kind
    }

    /// What they read.
    pub fn input(&self) -> FeatureInput {
        self.input
    }

    /// What their sum stands for.
    pub fn output(&self) -> FeatureOutput {
        self.output
    }

    /// The number of layers.
    pub fn layers(&self) -> usize {
        match &self.source {
            Source::Files(files) => files.len(),
            Source::Neurons(model) => model.config().layers,
        }
    }

    /// The number of features of a layer; 0 where there is no such layer.
    pub fn features(&self, layer: usize) -> usize {
        match &self.source {
            Source::Files(files) => files.get(layer).map_or(0, |files| files.features),
            Source::Neurons(model) if layer < model.config().layers => model.config().d_mlp,
            Source::Neurons(_) => 0,
        }
    }

    /// The layers that the features of a layer write to.
    pub fn writes(&self, layer: usize) -> std::ops::Range<usize> {
        match self.kind {
            TranscoderKind::CrossLayer => layer..self.layers(),
            _ => layer..layer.saturating_add(1),
        }
    }

    /// What each of these features of a layer adds to the output of layer `to` when it is 1, `[n, D]`.
    ///
    /// # Errors
    /// They do not write there, there is no such feature, or a file cannot be read.
    pub fn decoders(&self, layer: usize, features: &[usize], to: usize) -> Result<Tensor, CircuitError> {
        self.check_features(layer, features)?;
        if !self.writes(layer).contains(&to) {
            return Err(CircuitError::Input(format!("features of layer {layer} do not write to layer {to}")));
        }
        match &self.source {
            Source::Files(_) => Ok(self.files(layer)?.decoders(features, to - layer)?),
            Source::Neurons(model) => {
                let rows = Tensor::from_vec(numbers(features)?, features.len(), model.device())?;
                Ok(neuron_block(model, layer)?.mlp.output.weight.contiguous()?.index_select(&rows, 0)?)
            }
        }
    }

    pub(crate) fn encoder(&self, layer: usize) -> Result<Encoder, CircuitError> {
        match &self.source {
            Source::Files(_) => Ok(self.files(layer)?.encoder()?),
            Source::Neurons(model) => {
                let input = &neuron_block(model, layer)?.mlp.input;
                let bias = input.bias.clone();
                let zero = || Tensor::zeros(model.config().d_mlp, input.weight.dtype(), model.device());
                Ok(Encoder {
                    weight: input.weight.t()?.contiguous()?,
                    bias: bias.map_or_else(zero, Ok)?,
                    activation: FeatureActivation::Relu,
                })
            }
        }
    }

    /// The rows of some features of a layer's encoder, in their order; the activation is that of all.
    pub(crate) fn encoder_rows(&self, layer: usize, features: &[usize]) -> Result<Encoder, CircuitError> {
        self.check_features(layer, features)?;
        let model = match &self.source {
            Source::Files(_) => return Ok(self.files(layer)?.encoder_rows(features)?),
            Source::Neurons(model) => model,
        };
        let input = &neuron_block(model, layer)?.mlp.input;
        let device = input.weight.device();
        let rows = Tensor::from_vec(numbers(features)?, features.len(), device)?;
        let weight = match features.len() {
            0 => Tensor::zeros((0, self.width), input.weight.dtype(), device)?,
            _ => input.weight.index_select(&rows, 1)?.t()?.contiguous()?,
        };
        let bias = match (&input.bias, features.len()) {
            (Some(bias), 1..) => bias.index_select(&rows, 0)?,
            _ => Tensor::zeros(features.len(), input.weight.dtype(), device)?,
        };
        Ok(Encoder { weight, bias, activation: FeatureActivation::Relu })
    }

    /// What is added to the output of a layer whatever is active, `[D]`.
    pub(crate) fn decoder_bias(&self, layer: usize) -> Result<Tensor, CircuitError> {
        match &self.source {
            Source::Files(_) => Ok(self.files(layer)?.decoder_bias()?),
            Source::Neurons(model) => {
                let output = &neuron_block(model, layer)?.mlp.output;
                let zero = || Tensor::zeros(model.config().d_model, output.weight.dtype(), model.device());
                Ok(output.bias.clone().map_or_else(zero, Ok)?)
            }
        }
    }

    /// The linear way beside the features, `[out, in]`.
    pub(crate) fn skip(&self, layer: usize) -> Result<Option<Tensor>, CircuitError> {
        match &self.source {
            Source::Files(_) => Ok(self.files(layer)?.skip()?),
            Source::Neurons(_) => Ok(None),
        }
    }

    /// Refuses a model of another number of layers or another width.
    pub(crate) fn check(&self, model: &Model) -> Result<(), CircuitError> {
        let (found, expected) =
            ((self.layers(), self.width), (model.config().layers, model.config().d_model));
        if found == expected {
            return Ok(());
        }
        Err(CircuitError::Transcoders {
            model: model.name().to_owned(),
            problem: format!(
                "there are transcoders of {} layers and width {}, expected {} and {}",
                found.0, found.1, expected.0, expected.1
            ),
        })
    }

    /// Refuses what is not there.
    fn check_features(&self, layer: usize, features: &[usize]) -> Result<(), CircuitError> {
        let (layers, count) = (self.layers(), self.features(layer));
        if layer >= layers {
            return Err(CircuitError::Input(format!(
                "there is no layer {layer}: there are {layers}, from 0"
            )));
        }
        match features.iter().find(|feature| **feature >= count) {
            Some(feature) => {
                Err(CircuitError::Input(format!("layer {layer} has {count} features, and no {feature}")))
            }
            None => Ok(()),
        }
    }

    fn files(&self, layer: usize) -> Result<&LayerFiles, CircuitError> {
        let known = match &self.source {
            Source::Files(files) => files.get(layer),
            Source::Neurons(_) => None,
        };
        known.ok_or_else(|| CircuitError::Input(format!("there are no transcoders of layer {layer}")))
    }
}

/// Features as an index.
fn numbers(features: &[usize]) -> Result<Vec<u32>, CircuitError> {
    let rows: Result<Vec<u32>, _> = features.iter().map(|row| u32::try_from(*row)).collect();
    rows.map_err(|_| CircuitError::Input("too many features".to_owned()))
}

fn neuron_block(model: &Model, layer: usize) -> Result<&crate::model::Block, CircuitError> {
    model.weights().blocks.get(layer).ok_or_else(|| CircuitError::Input(format!("there is no layer {layer}")))
}
