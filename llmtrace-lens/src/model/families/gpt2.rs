//! GPT-2.

use candle_core::Tensor;

use super::{Family, Head, activation, blocks, head_size, layer_norm, unembed};
use crate::error::LoadError;
use crate::model::checkpoint::Checkpoint;
use crate::model::config::{Config, MlpKind, NormKind, Positions, Residual};
use crate::model::fields::Fields;
use crate::model::weights::{Attention, Block, Linear, Mlp, Weights};

pub(super) const FAMILY: Family = Family {
    model_types: &["gpt2"],
    config,
    weights,
    // The causal mask and what stands in its place.
    unused: &[".attn.bias", ".attn.masked_bias"],
};

fn config(fields: &Fields<'_>) -> Result<Config, LoadError> {
    let width = ["n_embd", "hidden_size"];
    let d_model = fields.count(&width)?;
    let heads = fields.count(&["n_head", "num_attention_heads"])?;
    let layers = blocks(fields, &["n_layer", "num_hidden_layers"])?;
    let by_layer = ["scale_attn_by_inverse_layer_idx"];
    if fields.flag(&by_layer, false)? {
        return Err(fields.wrong(&by_layer, "is true, expected false: scales by block are not computed"));
    }
    let head_dim = head_size(fields, &width, d_model, heads)?;
    let scaled = fields.flag(&["scale_attn_weights"], true)?;
    Ok(Config {
        family: "gpt2".to_owned(),
        layers,
        d_model,
        d_mlp: fields.count_or_none(&["n_inner"])?.unwrap_or(4 * d_model),
        heads,
        kv_heads: heads,
        head_dim,
        vocab: fields.count(&["vocab_size"])?,
        context: fields.count(&["n_positions", "max_position_embeddings", "n_ctx"])?,
        norm: NormKind::Layer,
        epsilon: fields.epsilon("layer_norm_epsilon", 1e-5)?,
        positions: Positions::Learned,
        activation: activation(fields, &["activation_function"], "gelu_new")?,
        mlp: MlpKind::Plain,
        residual: Residual::Sequential,
        post_norms: false,
        qk_norm: false,
        attention_scale: if scaled { (head_dim as f64).powf(-0.5) } else { 1.0 },
        attention_softcap: None,
        logit_softcap: None,
        embed_scale: None,
        windows: vec![None; layers],
    })
}

fn weights(fields: &Fields<'_>, config: &Config, files: &Checkpoint) -> Result<Weights, LoadError> {
    // The first files on the hub were saved from the model without its head.
    let root = if files.has_any("transformer.") { "transformer." } else { "" };
    let (width, vocab) = (config.d_model, config.vocab);
    let embed = files.tensor(&format!("{root}wte.weight"), &[vocab, width])?;
    Ok(Weights {
        positions: Some(files.tensor(&format!("{root}wpe.weight"), &[config.context, width])?),
        blocks: (0..config.layers)
            .map(|layer| block(files, config, &format!("{root}h.{layer}")))
            .collect::<Result<_, _>>()?,
        ln_final: layer_norm(files, config, &format!("{root}ln_f"))?,
        unembed: unembed(fields, files, &["lm_head.weight"], &embed, Head::Tied)?,
        embed,
    })
}

fn block(files: &Checkpoint, config: &Config, prefix: &str) -> Result<Block, LoadError> {
    let (width, hidden) = (config.d_model, config.d_mlp);
    let qkv = conv1d(files, &format!("{prefix}.attn.c_attn"), width, 3 * width)?;
    let output = conv1d(files, &format!("{prefix}.attn.c_proj"), width, width)?;
    Ok(Block {
        ln1: layer_norm(files, config, &format!("{prefix}.ln_1"))?,
        attention: Attention { qkv, q_norm: None, k_norm: None, output },
        ln1_post: None,
        ln2: layer_norm(files, config, &format!("{prefix}.ln_2"))?,
        mlp: Mlp {
            input: conv1d(files, &format!("{prefix}.mlp.c_fc"), width, hidden)?,
            gate: None,
            output: conv1d(files, &format!("{prefix}.mlp.c_proj"), hidden, width)?,
        },
        ln2_post: None,
    })
}

/// GPT-2 keeps its weights `[in, out]`.
fn conv1d(files: &Checkpoint, prefix: &str, input: usize, output: usize) -> Result<Linear, LoadError> {
    let weight: Tensor = files.tensor(&format!("{prefix}.weight"), &[input, output])?;
    Ok(Linear { weight, bias: Some(files.tensor(&format!("{prefix}.bias"), &[output])?) })
}
