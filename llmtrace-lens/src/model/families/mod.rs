//! One file a model family: what its config.json means and what its tensors are called.
//!
//! To add a family:
//! 1. Copy the file of the family most like it (`gpt_neox.rs` is a short one) and name it in [`FAMILIES`].
//! 2. `config` fills in a [`Config`] from config.json. A field that is left out has the default of that family's
//!    `configuration_*.py` in transformers: look it up, and add it to the table in `tests.rs`. A field that asks for
//!    something that the forward pass does not compute is an error.
//! 3. `weights` asks for every tensor by its name on disk and the shape that the configuration makes it. What is left
//!    over in the files is an error too, save what `unused` names.
//! 4. Make a small random model with `models/make`: what transformers computes from it is the test.

use candle_core::Tensor;

use super::checkpoint::Checkpoint;
use super::config::{Activation, Config};
use super::fields::Fields;
use super::weights::{Linear, Norm, Weights};
use crate::error::LoadError;

mod gpt2;
mod gpt_neox;
mod llama;
mod members;
#[cfg(test)]
mod tests;

const FAMILIES: &[&Family] = &[&gpt2::FAMILY, &gpt_neox::FAMILY, &llama::FAMILY];

/// A model family.
pub(crate) struct Family {
    /// The values of `model_type` in config.json that it reads.
    model_types: &'static [&'static str],
    /// Reads config.json, as transformers 5 writes it and as older files on the hub have it.
    config: fn(&Fields<'_>) -> Result<Config, LoadError>,
    /// Reads the tensors.
    weights: fn(&Fields<'_>, &Config, &Checkpoint) -> Result<Weights, LoadError>,
    /// Parts of the names of tensors that may be there without being read: tables that are computed anew, and what reads
    /// no text.
    unused: &'static [&'static str],
}

/// The model that config.json describes, with the tensors of these files.
pub(crate) fn read(fields: &Fields<'_>, files: &Checkpoint) -> Result<(Config, Weights), LoadError> {
    let family = find(fields)?;
    refuse_unknown(fields)?;
    let config = (family.config)(fields)?;
    let weights = (family.weights)(fields, &config, files)?;
    files.all_asked(family.unused)?;
    Ok((config, weights))
}

/// The family that config.json names.
fn find(fields: &Fields<'_>) -> Result<&'static Family, LoadError> {
    let name = ["model_type"];
    let found = fields.text(&name)?.ok_or_else(|| fields.wrong(&name, "is missing"))?;
    let family = FAMILIES.iter().find(|family| family.model_types.contains(&found));
    family.copied().ok_or_else(|| LoadError::Architecture {
        path: fields.path().to_owned(),
        found: found.to_owned(),
        known: FAMILIES.iter().flat_map(|family| family.model_types).copied().collect(),
    })
}

/// Fields that change what any model computes, in ways that are not known here.
const UNKNOWN: &[(&str, &str)] = &[
    ("quantization_config", "quantized weights cannot be read"),
    ("add_cross_attention", "attention to another model's text is not computed"),
    ("is_encoder_decoder", "attention to another model's text is not computed"),
    ("use_bidirectional_attention", "attention to later positions is not computed"),
    ("attn_output_gate", "gates of attention are not computed"),
    ("num_experts", "mixtures of experts are not computed"),
    ("num_local_experts", "mixtures of experts are not computed"),
    ("n_routed_experts", "mixtures of experts are not computed"),
];

fn refuse_unknown(fields: &Fields<'_>) -> Result<(), LoadError> {
    for (name, problem) in UNKNOWN {
        if let Some(value) = fields.value(&[name]).filter(|value| **value != false && **value != 0) {
            return Err(fields.unexpected(&[name], value, &format!("none: {problem}")));
        }
    }
    fields.object(&["text_config"])?.map_or(Ok(()), |text| refuse_unknown(&text))
}

/// The most blocks that a model may have: what is made for each must not fill the memory before a tensor is seen.
const MOST_BLOCKS: usize = 4096;

/// The number of blocks.
fn blocks(fields: &Fields<'_>, names: &[&str]) -> Result<usize, LoadError> {
    fields.whole(names, 1, MOST_BLOCKS)?.ok_or_else(|| fields.wrong(names, "is missing"))
}

/// The size of each of the heads that share the stream's width, which the field of these names states.
fn head_size(fields: &Fields<'_>, names: &[&str], width: usize, heads: usize) -> Result<usize, LoadError> {
    match width.checked_rem(heads) {
        Some(0) => Ok(width / heads),
        _ => Err(fields.wrong(names, &format!("is {width}, expected a multiple of the {heads} heads"))),
    }
}

/// The activation by the name that transformers gives it.
fn activation(fields: &Fields<'_>, names: &[&str], default: &str) -> Result<Activation, LoadError> {
    match fields.text(names)?.unwrap_or(default) {
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_python_tanh" | "gelu_fast" | "gelu_accurate" => {
            Ok(Activation::GeluTanh)
        }
        "gelu" | "gelu_python" => Ok(Activation::Gelu),
        "silu" | "swish" => Ok(Activation::Silu),
        "relu" => Ok(Activation::Relu),
        other => Err(fields.wrong(
            names,
            &format!("is {other:?}, expected gelu_new, gelu_pytorch_tanh, gelu_python_tanh, gelu_fast, gelu_accurate, gelu, gelu_python, silu, swish or relu"),
        )),
    }
}

/// A norm with a gain and a bias.
fn layer_norm(files: &Checkpoint, config: &Config, prefix: &str) -> Result<Norm, LoadError> {
    Ok(Norm {
        kind: config.norm,
        epsilon: config.epsilon,
        gain: files.tensor(&format!("{prefix}.weight"), &[config.d_model])?,
        bias: Some(files.tensor(&format!("{prefix}.bias"), &[config.d_model])?),
    })
}

/// What a family's `tie_word_embeddings` is where config.json does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// The unembedding is the embedding.
    Tied,
    /// It has a tensor of its own.
    Own,
}

/// The unembedding `[D, V]`: the first tensor of these names, else the embedding `[V, D]` where config.json ties them.
///
/// A tensor that is there is read even where they are tied, as transformers 5 does: some files hold another one than they say.
fn unembed(
    fields: &Fields<'_>,
    files: &Checkpoint,
    names: &[&str],
    embed: &Tensor,
    default: Head,
) -> Result<Linear, LoadError> {
    let field = "tie_word_embeddings";
    let tied = fields.flag(&[field], default == Head::Tied)?;
    let head = match names.iter().find(|name| files.has(name)) {
        Some(name) => files.tensor(name, embed.dims())?,
        None if tied => embed.clone(),
        None => {
            let name = names.first().copied().unwrap_or_default();
            return Err(files.invalid(format!(
                "no tensor {name:?}, expected one of shape {:?}: {field:?} is not true in config.json",
                embed.dims()
            )));
        }
    };
    Ok(Linear { weight: head.t()?, bias: None })
}
