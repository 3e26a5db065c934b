//! The files of trained transcoders, as circuit-tracer reads them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::coder::Finished;
use crate::circuit::error::CircuitError;
use crate::circuit::transcoder::{FeatureActivation, FeatureInput};
use crate::model::Model;
use crate::tensor_file;

/// Writes `layer_{i}.safetensors`: encoders, their biases, decoders and their bias as f32, and `k` where so many are active, or
/// thresholds where there are such.
pub(super) fn layer(folder: &Path, layer: usize, finished: &Finished) -> Result<(), CircuitError> {
    let (features, width) = (finished.biases.len(), finished.bias.len());
    let tensor = |values: &[f32], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu);
    let mut tensors = HashMap::from([
        ("W_enc", tensor(&finished.encoders, &[features, width])?),
        ("b_enc", tensor(&finished.biases, &[features])?),
        ("W_dec", tensor(&finished.decoders, &[features, width])?),
        ("b_dec", tensor(&finished.bias, &[width])?),
    ]);
    match &finished.activation {
        FeatureActivation::Relu => None,
        FeatureActivation::JumpRelu(thresholds) => {
            tensors.insert("activation_function.threshold", tensor(thresholds, &[features])?)
        }
        FeatureActivation::TopK(count) => {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            tensors.insert("k", Tensor::new(count, &Device::Cpu)?)
        }
    };
    let path = folder.join(format!("layer_{layer}.safetensors"));
    let tensors = tensors.iter().map(|(name, tensor)| (*name, tensor));
    tensor_file::write(&path, tensors, None).map_err(|source| CircuitError::Write { path, source })
}

/// Writes `config.yaml`: where the features read and write.
pub(super) fn config(folder: &Path, model: &Model, input: FeatureInput) -> Result<(), CircuitError> {
    let read = match input {
        FeatureInput::Stream => "hook_resid_mid",
        FeatureInput::Normalized => "ln2.hook_normalized",
        FeatureInput::MlpInput => "mlp.hook_in",
    };
    // A string of JSON is one of YAML.
    let name = serde_json::Value::from(model.name());
    let text = format!(
        "model_name: {name}\nmodel_kind: transcoder_set\nfeature_input_hook: {read}\nfeature_output_hook: hook_mlp_out\n"
    );
    let path = folder.join("config.yaml");
    fs::write(&path, text).map_err(|source| CircuitError::Write { path, source })
}
