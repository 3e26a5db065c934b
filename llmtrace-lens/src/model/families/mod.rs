//! One file a model family: what its config.json means and what its tensors are called.

mod gpt2;
mod gpt_neox;
mod llama;

use super::checkpoint::Checkpoint;
use super::config::{Activation, Config};
use super::fields::Fields;
use super::weights::Weights;
use crate::error::LoadError;

/// A model family. To add one, write its file and name it in [`FAMILIES`].
pub(crate) struct Family {
    /// The values of `model_type` in config.json that it reads.
    pub(crate) model_types: &'static [&'static str],
    /// Reads config.json, as transformers 5 writes it and as older files on the hub have it.
    pub(crate) config: fn(&Fields<'_>) -> Result<Config, LoadError>,
    /// Reads the tensors.
    pub(crate) weights: fn(&Checkpoint, &Config) -> Result<Weights, LoadError>,
}

const FAMILIES: &[&Family] = &[&gpt2::FAMILY, &gpt_neox::FAMILY, &llama::FAMILY];

/// The family that config.json names.
pub(crate) fn find(fields: &Fields<'_>) -> Result<&'static Family, LoadError> {
    let found = fields.text(&["model_type"]).ok_or_else(|| fields.wrong(&["model_type"], "is missing"))?;
    let family = FAMILIES.iter().find(|family| family.model_types.contains(&found));
    family.copied().ok_or_else(|| LoadError::Architecture {
        path: fields.path().to_owned(),
        found: found.to_owned(),
        known: FAMILIES.iter().flat_map(|family| family.model_types).copied().collect(),
    })
}

/// The activation by the name that transformers gives it.
fn activation(fields: &Fields<'_>, names: &[&str], default: &str) -> Result<Activation, LoadError> {
    match fields.text(names).unwrap_or(default) {
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "gelu" => Ok(Activation::Gelu),
        "silu" | "swish" => Ok(Activation::Silu),
        "relu" => Ok(Activation::Relu),
        other => Err(fields.wrong(
            names,
            &format!("is {other:?}; known: gelu_new, gelu_pytorch_tanh, gelu_fast, gelu, silu, swish, relu"),
        )),
    }
}
