//! Llama 2 and 3, and the families that differ from it in few things: Mistral, Qwen 2, 2.5 and 3, Gemma 2 and 3.

use candle_core::Tensor;

use super::{Family, activation};
use crate::error::LoadError;
use crate::model::checkpoint::Checkpoint;
use crate::model::config::{Config, MlpKind, NormKind, Positions, Residual};
use crate::model::fields::Fields;
use crate::model::rotary::{self, Rotary};
use crate::model::weights::{Attention, Block, Linear, Mlp, Norm, Weights};

pub(super) const FAMILY: Family = Family {
    model_types: &["llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "gemma3"],
    config,
    weights,
};

/// How many blocks of Gemma 3 look back a window, before one that looks back all the way, where config.json does not say.
const GEMMA3_PATTERN: usize = 6;

fn config(fields: &Fields<'_>) -> Result<Config, LoadError> {
    // Gemma 3 with images keeps the language model's fields in an object of their own.
    let fields = &fields.object(&["text_config"]).unwrap_or(*fields);
    let family = fields.text(&["model_type"]).unwrap_or("llama").trim_end_matches("_text").to_owned();
    let gemma = family.starts_with("gemma");
    let d_model = fields.count(&["hidden_size"])?;
    let heads = fields.count(&["num_attention_heads"])?;
    let layers = fields.count(&["num_hidden_layers"])?;
    let kv_heads = fields.count_or_none(&["num_key_value_heads"])?.unwrap_or(heads);
    if heads % kv_heads != 0 {
        return Err(fields.wrong(
            &["num_key_value_heads"],
            &format!("is {kv_heads}, which does not divide {heads} heads"),
        ));
    }
    let head_dim = match fields.count_or_none(&["head_dim"])? {
        Some(size) => size,
        None if d_model % heads == 0 => d_model / heads,
        None => {
            return Err(
                fields.wrong(&["hidden_size"], &format!("is {d_model}, which {heads} heads do not divide"))
            );
        }
    };
    let scalar = fields.number(&["query_pre_attn_scalar"])?.filter(|_| gemma).unwrap_or(head_dim as f64);
    let windows = windows(fields, &family, layers)?;
    Ok(Config {
        layers,
        d_model,
        d_mlp: fields.count(&["intermediate_size"])?,
        heads,
        kv_heads,
        head_dim,
        vocab: fields.count(&["vocab_size"])?,
        context: fields.count(&["max_position_embeddings"])?,
        norm: NormKind::Rms,
        epsilon: fields.number(&["rms_norm_eps"])?.unwrap_or(1e-6),
        positions: Positions::Rotary(rotations(fields, &family, head_dim, &windows)?),
        activation: activation(
            fields,
            &["hidden_activation", "hidden_act"],
            if gemma { "gelu_pytorch_tanh" } else { "silu" },
        )?,
        mlp: MlpKind::Gated,
        residual: Residual::Sequential,
        post_norms: gemma,
        qk_norm: matches!(family.as_str(), "qwen3" | "gemma3"),
        attention_scale: scalar.powf(-0.5),
        attention_softcap: fields.number(&["attn_logit_softcapping"])?,
        logit_softcap: fields.number(&["final_logit_softcapping"])?,
        embed_scale: gemma.then(|| (d_model as f64).sqrt()),
        windows,
        family,
    })
}

/// How far back each block looks.
fn windows(fields: &Fields<'_>, family: &str, layers: usize) -> Result<Vec<Option<usize>>, LoadError> {
    let switch = if family.starts_with("qwen") { fields.flag(&["use_sliding_window"], false) } else { true };
    let Some(window) = fields.count_or_none(&["sliding_window"])?.filter(|_| switch) else {
        return Ok(vec![None; layers]);
    };
    if let Some(kinds) = fields.value(&["layer_types"]).and_then(|kinds| kinds.as_array()) {
        if kinds.len() != layers {
            return Err(
                fields.wrong(&["layer_types"], &format!("has {} entries for {layers} layers", kinds.len()))
            );
        }
        return Ok(kinds.iter().map(|kind| (kind == "sliding_attention").then_some(window)).collect());
    }
    let pattern = fields.count_or_none(&["sliding_window_pattern"])?.unwrap_or(GEMMA3_PATTERN);
    let first_full = fields.count_or_none(&["max_window_layers"])?;
    let slides = |layer: usize| match family {
        "gemma2" => layer.is_multiple_of(2),
        "gemma3" => !(layer + 1).is_multiple_of(pattern),
        "qwen2" | "qwen3" => first_full.is_some_and(|full| layer >= full),
        _ => true,
    };
    Ok((0..layers).map(|layer| slides(layer).then_some(window)).collect())
}

/// Gemma 3 rotates by another base in the blocks with a window.
fn rotations(
    fields: &Fields<'_>,
    family: &str,
    head_dim: usize,
    windows: &[Option<usize>],
) -> Result<Vec<Rotary>, LoadError> {
    let theta = if family == "gemma3" { 1_000_000.0 } else { 10_000.0 };
    let defaults = rotary::Defaults { head_dim, theta, partial: 1.0 };
    if family != "gemma3" {
        return Ok(vec![rotary::read(fields, &defaults)?; windows.len()]);
    }
    let by_kind = fields.object(&["rope_parameters"]);
    let kind = |name: &str| by_kind.and_then(|kinds| kinds.object(&[name]));
    let full = match kind("full_attention") {
        Some(parameters) => rotary::read_parameters(&parameters, &defaults)?,
        None => rotary::read(fields, &defaults)?,
    };
    let local =
        rotary::Defaults { theta: fields.number(&["rope_local_base_freq"])?.unwrap_or(10_000.0), ..defaults };
    let sliding = match kind("sliding_attention") {
        Some(parameters) => rotary::read_parameters(&parameters, &local)?,
        None => rotary::plain(&local),
    };
    Ok(windows.iter().map(|window| if window.is_some() { sliding.clone() } else { full.clone() }).collect())
}

fn weights(files: &Checkpoint, config: &Config) -> Result<Weights, LoadError> {
    let roots = ["model.", "model.language_model.", "language_model.model."];
    let root =
        roots.into_iter().find(|root| files.has(&format!("{root}embed_tokens.weight"))).unwrap_or("model.");
    let (width, vocab) = (config.d_model, config.vocab);
    let embed = files.tensor(&format!("{root}embed_tokens.weight"), &[vocab, width])?;
    let head = files.optional("lm_head.weight", &[vocab, width])?.unwrap_or_else(|| embed.clone());
    Ok(Weights {
        positions: None,
        blocks: (0..config.layers)
            .map(|layer| block(files, config, &format!("{root}layers.{layer}")))
            .collect::<Result<_, _>>()?,
        ln_final: norm(files, config, &format!("{root}norm"), width)?,
        unembed: Linear { weight: head.t()?, bias: None },
        embed,
    })
}

fn block(files: &Checkpoint, config: &Config, prefix: &str) -> Result<Block, LoadError> {
    let (width, hidden, size) = (config.d_model, config.d_mlp, config.head_dim);
    let (q, kv) = (config.heads * size, config.kv_heads * size);
    let attn = format!("{prefix}.self_attn");
    let parts = [("q_proj", q), ("k_proj", kv), ("v_proj", kv)];
    let parts = parts.map(|(name, output)| files.linear(&format!("{attn}.{name}"), width, output));
    let part = |name: &str| norm(files, config, &format!("{prefix}.{name}"), width);
    let head_norm =
        |name: &str| config.qk_norm.then(|| norm(files, config, &format!("{attn}.{name}"), size)).transpose();
    // Where outputs are normed too, the name that Llama gives the second norm is that of the first output's.
    let (ln1_post, ln2, ln2_post) = if config.post_norms {
        (
            Some(part("post_attention_layernorm")?),
            part("pre_feedforward_layernorm")?,
            Some(part("post_feedforward_layernorm")?),
        )
    } else {
        (None, part("post_attention_layernorm")?, None)
    };
    Ok(Block {
        ln1: part("input_layernorm")?,
        attention: Attention {
            qkv: fused(parts)?,
            q_norm: head_norm("q_norm")?,
            k_norm: head_norm("k_norm")?,
            output: files.linear(&format!("{attn}.o_proj"), q, width)?,
        },
        ln1_post,
        ln2,
        mlp: Mlp {
            input: files.linear(&format!("{prefix}.mlp.up_proj"), width, hidden)?,
            gate: Some(files.linear(&format!("{prefix}.mlp.gate_proj"), width, hidden)?),
            output: files.linear(&format!("{prefix}.mlp.down_proj"), hidden, width)?,
        },
        ln2_post,
    })
}

/// One product instead of three.
fn fused(parts: [Result<Linear, LoadError>; 3]) -> Result<Linear, LoadError> {
    let [q, k, v] = parts;
    let parts = [q?, k?, v?];
    let rows = parts.iter().map(|part| part.weight.t()).collect::<Result<Vec<_>, _>>()?;
    let biases: Vec<&Tensor> = parts.iter().filter_map(|part| part.bias.as_ref()).collect();
    let bias = if biases.len() == parts.len() { Some(Tensor::cat(&biases, 0)?) } else { None };
    Ok(Linear { weight: Tensor::cat(&rows, 0)?.t()?, bias })
}

/// Gemma stores what its gain differs from one.
fn norm(files: &Checkpoint, config: &Config, prefix: &str, width: usize) -> Result<Norm, LoadError> {
    let stored = files.tensor(&format!("{prefix}.weight"), &[width])?;
    let gain = if config.post_norms { (stored + 1.0)? } else { stored };
    Ok(Norm { kind: config.norm, epsilon: config.epsilon, gain, bias: None })
}
