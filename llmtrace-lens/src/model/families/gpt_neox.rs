//! GPT-NeoX and Pythia.

use super::{Family, Head, activation, blocks, head_size, layer_norm, unembed};
use crate::error::LoadError;
use crate::model::checkpoint::{Bias, Checkpoint};
use crate::model::config::{Config, MlpKind, NormKind, Positions, Residual};
use crate::model::fields::Fields;
use crate::model::rotary;
use crate::model::weights::{Attention, Block, Linear, Mlp, Weights};

pub(super) const FAMILY: Family = Family {
    model_types: &["gpt_neox"],
    config,
    weights,
    // The causal mask, what stands in its place, and the frequencies of the rotation.
    unused: &[".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"],
};

fn config(fields: &Fields<'_>) -> Result<Config, LoadError> {
    let d_model = fields.count(&["hidden_size"])?;
    let heads = fields.count(&["num_attention_heads"])?;
    let layers = blocks(fields, &["num_hidden_layers"])?;
    let head_dim = head_size(fields, &["hidden_size"], d_model, heads)?;
    let context = fields.count(&["max_position_embeddings"])?;
    let rotated = rotary::Defaults { head_dim, theta: 10_000.0, partial: 0.25, context };
    let residual = if fields.flag(&["use_parallel_residual"], true)? {
        Residual::Parallel
    } else {
        Residual::Sequential
    };
    Ok(Config {
        family: "gpt_neox".to_owned(),
        layers,
        d_model,
        d_mlp: fields.count(&["intermediate_size"])?,
        heads,
        kv_heads: heads,
        head_dim,
        vocab: fields.count(&["vocab_size"])?,
        context,
        norm: NormKind::Layer,
        epsilon: fields.epsilon("layer_norm_eps", 1e-5)?,
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

fn weights(fields: &Fields<'_>, config: &Config, files: &Checkpoint) -> Result<Weights, LoadError> {
    let (width, vocab) = (config.d_model, config.vocab);
    let embed = files.tensor("gpt_neox.embed_in.weight", &[vocab, width])?;
    let biased = fields.flag(&["attention_bias"], true)?;
    let bias = if biased { Bias::Present } else { Bias::Absent };
    Ok(Weights {
        positions: None,
        blocks: (0..config.layers)
            .map(|layer| block(files, config, bias, &format!("gpt_neox.layers.{layer}")))
            .collect::<Result<_, _>>()?,
        ln_final: layer_norm(files, config, "gpt_neox.final_layer_norm")?,
        unembed: unembed(fields, files, &["embed_out.weight", "lm_head.weight"], &embed, Head::Own)?,
        embed,
    })
}

fn block(files: &Checkpoint, config: &Config, bias: Bias, prefix: &str) -> Result<Block, LoadError> {
    let (width, hidden) = (config.d_model, config.d_mlp);
    Ok(Block {
        ln1: layer_norm(files, config, &format!("{prefix}.input_layernorm"))?,
        attention: Attention {
            qkv: by_kind(
                &files.linear(&format!("{prefix}.attention.query_key_value"), width, 3 * width, bias)?,
                config,
            )?,
            q_norm: None,
            k_norm: None,
            output: files.linear(&format!("{prefix}.attention.dense"), width, width, bias)?,
        },
        ln1_post: None,
        ln2: layer_norm(files, config, &format!("{prefix}.post_attention_layernorm"))?,
        mlp: Mlp {
            input: files.linear(&format!("{prefix}.mlp.dense_h_to_4h"), width, hidden, Bias::Present)?,
            gate: None,
            output: files.linear(&format!("{prefix}.mlp.dense_4h_to_h"), hidden, width, Bias::Present)?,
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
