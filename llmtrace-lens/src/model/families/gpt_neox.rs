//! GPT-NeoX and Pythia.

use super::{Family, activation};
use crate::error::LoadError;
use crate::model::checkpoint::Checkpoint;
use crate::model::config::{Config, MlpKind, NormKind, Positions, Residual};
use crate::model::fields::Fields;
use crate::model::rotary;
use crate::model::weights::{Attention, Block, Linear, Mlp, Norm, Weights};

pub(super) const FAMILY: Family = Family { model_types: &["gpt_neox"], config, weights };

fn config(fields: &Fields<'_>) -> Result<Config, LoadError> {
    let d_model = fields.count(&["hidden_size"])?;
    let heads = fields.count(&["num_attention_heads"])?;
    let layers = fields.count(&["num_hidden_layers"])?;
    if d_model % heads != 0 {
        return Err(
            fields.wrong(&["hidden_size"], &format!("is {d_model}, which {heads} heads do not divide"))
        );
    }
    let head_dim = d_model / heads;
    let rotated = rotary::Defaults { head_dim, theta: 10_000.0, partial: 0.25 };
    let residual =
        if fields.flag(&["use_parallel_residual"], true) { Residual::Parallel } else { Residual::Sequential };
    Ok(Config {
        family: "gpt_neox".to_owned(),
        layers,
        d_model,
        d_mlp: fields.count(&["intermediate_size"])?,
        heads,
        kv_heads: heads,
        head_dim,
        vocab: fields.count(&["vocab_size"])?,
        context: fields.count(&["max_position_embeddings"])?,
        norm: NormKind::Layer,
        epsilon: fields.number(&["layer_norm_eps"])?.unwrap_or(1e-5),
        positions: Positions::Rotary(vec![rotary::read(fields, &rotated)?; layers]),
        activation: activation(fields, &["hidden_act"], "gelu")?,
        mlp: MlpKind::Plain,
        residual,
        post_norms: false,
        qk_norm: false,
        attention_scale: (head_dim as f64).powf(-0.5),
        attention_softcap: None,
        logit_softcap: None,
        embed_scale: None,
        windows: vec![None; layers],
    })
}

fn weights(files: &Checkpoint, config: &Config) -> Result<Weights, LoadError> {
    let (width, vocab) = (config.d_model, config.vocab);
    let embed = files.tensor("gpt_neox.embed_in.weight", &[vocab, width])?;
    let head = files.optional("embed_out.weight", &[vocab, width])?.unwrap_or_else(|| embed.clone());
    Ok(Weights {
        positions: None,
        blocks: (0..config.layers)
            .map(|layer| block(files, config, &format!("gpt_neox.layers.{layer}")))
            .collect::<Result<_, _>>()?,
        ln_final: norm(files, config, "gpt_neox.final_layer_norm")?,
        unembed: Linear { weight: head.t()?, bias: None },
        embed,
    })
}

fn block(files: &Checkpoint, config: &Config, prefix: &str) -> Result<Block, LoadError> {
    let (width, hidden) = (config.d_model, config.d_mlp);
    Ok(Block {
        ln1: norm(files, config, &format!("{prefix}.input_layernorm"))?,
        attention: Attention {
            qkv: by_kind(
                &files.linear(&format!("{prefix}.attention.query_key_value"), width, 3 * width)?,
                config,
            )?,
            q_norm: None,
            k_norm: None,
            output: files.linear(&format!("{prefix}.attention.dense"), width, width)?,
        },
        ln1_post: None,
        ln2: norm(files, config, &format!("{prefix}.post_attention_layernorm"))?,
        mlp: Mlp {
            input: files.linear(&format!("{prefix}.mlp.dense_h_to_4h"), width, hidden)?,
            gate: None,
            output: files.linear(&format!("{prefix}.mlp.dense_4h_to_h"), hidden, width)?,
        },
        ln2_post: None,
    })
}

/// On disk query, key and value of the first head come first, then those of the second: here all queries come first.
fn by_kind(qkv: &Linear, config: &Config) -> Result<Linear, LoadError> {
    let (heads, size, width) = (config.heads, config.head_dim, config.d_model);
    let weight = qkv
        .weight
        .t()?
        .reshape((heads, 3, size, width))?
        .transpose(0, 1)?
        .contiguous()?
        .reshape((3 * width, width))?
        .t()?;
    let bias = qkv
        .bias
        .as_ref()
        .map(|bias| bias.reshape((heads, 3, size))?.transpose(0, 1)?.contiguous()?.reshape(3 * width));
    Ok(Linear { weight, bias: bias.transpose()? })
}

fn norm(files: &Checkpoint, config: &Config, prefix: &str) -> Result<Norm, LoadError> {
    Ok(Norm {
        kind: config.norm,
        epsilon: config.epsilon,
        gain: files.tensor(&format!("{prefix}.weight"), &[config.d_model])?,
        bias: Some(files.tensor(&format!("{prefix}.bias"), &[config.d_model])?),
    })
}
