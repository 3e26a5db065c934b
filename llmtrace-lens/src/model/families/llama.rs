//! Llama 2 and 3, and the models that differ from it in few things: Mistral, Qwen 2, 2.5 and 3, Gemma 2 and 3.

use candle_core::Tensor;

use super::members::{Biases, MEMBERS, Member, Whole};
use super::{Family, activation, blocks, head_size, unembed};
use crate::error::LoadError;
use crate::model::checkpoint::{Bias, Checkpoint};
use crate::model::config::{Config, MlpKind, NormKind, Positions, Residual};
use crate::model::fields::Fields;
use crate::model::rotary::{self, Rotary};
use crate::model::weights::{Attention, Block, Linear, Mlp, Norm, Weights};

pub(super) const FAMILY: Family = Family {
    model_types: &["llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "gemma3"],
    config,
    weights,
    // The frequencies of the rotation, and what reads the images of Gemma 3.
    unused: &["rotary_emb.inv_freq", "vision_tower.", "multi_modal_projector."],
};

/// What Gemma scales queries by where config.json does not say.
const GEMMA_SCALAR: f64 = 256.0;

/// Which member of the family config.json describes, and the fields of its language model.
fn member<'a>(fields: &Fields<'a>) -> Result<(&'static Member, Fields<'a>), LoadError> {
    let name = fields.text(&["model_type"])?.unwrap_or_default();
    let member = MEMBERS.iter().find(|member| member.name == name.trim_end_matches("_text"));
    let member = member.ok_or_else(|| fields.wrong(&["model_type"], "is not of the Llama family"))?;
    // Gemma 3 with images keeps the language model's fields in an object of their own.
    let text = if name == "gemma3" { fields.object(&["text_config"])? } else { None };
    Ok((member, text.unwrap_or(*fields)))
}

fn config(fields: &Fields<'_>) -> Result<Config, LoadError> {
    let (member, fields) = member(fields)?;
    let fields = &fields;
    let whole = |size: fn(&Whole) -> usize| member.sizes.whole.as_ref().map(size);
    let size = |name: &str, default: Option<usize>| match fields.count_or_none(&[name])?.or(default) {
        Some(size) => Ok(size),
        None => fields.count(&[name]),
    };
    let d_model = size("hidden_size", whole(|sizes| sizes.hidden))?;
    let heads = size("num_attention_heads", whole(|sizes| sizes.heads))?;
    let layers = match whole(|sizes| sizes.layers) {
        Some(layers) if fields.value(&["num_hidden_layers"]).is_none() => layers,
        _ => blocks(fields, &["num_hidden_layers"])?,
    };
    let kv_heads = fields.count_or_none(&["num_key_value_heads"])?.or(member.sizes.kv_heads).unwrap_or(heads);
    if heads % kv_heads != 0 {
        let problem = format!("is {kv_heads}, expected a divisor of the {heads} heads");
        return Err(fields.wrong(&["num_key_value_heads"], &problem));
    }
    let head_dim = match fields.count_or_none(&["head_dim"])?.or(member.sizes.head_dim) {
        Some(size) => size,
        None => head_size(fields, &["hidden_size"], d_model, heads)?,
    };
    let context = size("max_position_embeddings", whole(|sizes| sizes.context))?;
    let windows = member.windows(fields, layers)?;
    let scalar = if member.gemma {
        fields.positive(&["query_pre_attn_scalar"])?.unwrap_or(GEMMA_SCALAR)
    } else {
        head_dim as f64
    };
    let cap = |name: &str, at: usize| -> Result<Option<f64>, LoadError> {
        if member.gemma { fields.positive_unless_null(name, member.caps[at]) } else { Ok(None) }
    };
    Ok(Config {
        family: member.name.to_owned(),
        layers,
        d_model,
        d_mlp: size("intermediate_size", whole(|sizes| sizes.intermediate))?,
        heads,
        kv_heads,
        head_dim,
        vocab: size("vocab_size", whole(|sizes| sizes.vocab))?,
        context,
        norm: NormKind::Rms,
        epsilon: fields.epsilon("rms_norm_eps", 1e-6)?,
        positions: Positions::Rotary(rotations(fields, member, (head_dim, context), &windows)?),
        activation: activation(fields, &[member.activation.0], member.activation.1)?,
        mlp: MlpKind::Gated,
        residual: Residual::Sequential,
        post_norms: member.gemma,
        qk_norm: member.qk_norm,
        attention_scale: scalar.powf(-0.5),
        attention_softcap: cap("attn_logit_softcapping", 0)?,
        logit_softcap: cap("final_logit_softcapping", 1)?,
        embed_scale: member.gemma.then(|| (d_model as f64).sqrt()),
        windows,
    })
}

/// The rotation of each block; Gemma 3 rotates by another base in those with a window.
fn rotations(
    fields: &Fields<'_>,
    member: &Member,
    (head_dim, context): (usize, usize),
    windows: &[Option<usize>],
) -> Result<Vec<Rotary>, LoadError> {
    let defaults = rotary::Defaults { head_dim, theta: 10_000.0, partial: 1.0, context };
    let rotations = if member.name == "gemma3" {
        let [full, sliding] = by_kind(fields, &defaults)?;
        let of = |window: &Option<usize>| if window.is_some() { sliding.clone() } else { full.clone() };
        windows.iter().map(of).collect()
    } else {
        vec![rotary::read(fields, &defaults)?; windows.len()]
    };
    if rotations.iter().any(|rotary| 2 * rotary.frequencies.len() != head_dim) {
        return Err(fields.wrong(&["partial_rotary_factor"], "is not 1: this family rotates whole heads"));
    }
    Ok(rotations)
}

/// The rotation of blocks without and with a window.
fn by_kind(fields: &Fields<'_>, defaults: &rotary::Defaults) -> Result<[Rotary; 2], LoadError> {
    let (parameters, scaling) = (fields.object(&["rope_parameters"])?, fields.object(&["rope_scaling"])?);
    let stated =
        |kind: &str| match &parameters {
            Some(kinds) if kinds.value(&["full_attention", "sliding_attention"]).is_none() => Err(fields
                .wrong(&["rope_parameters"], "has neither \"full_attention\" nor \"sliding_attention\"")),
            Some(_) if scaling.is_some() => {
                Err(fields.wrong(&["rope_scaling"], "is given beside \"rope_parameters\""))
            }
            Some(kinds) => kinds.object(&[kind]),
            None => Ok(None),
        };
    let rotation = |stated: Option<Fields<'_>>, field: &str, default: f64| {
        let theta = fields.positive(&[field])?.unwrap_or(default);
        let defaults = rotary::Defaults { theta, ..*defaults };
        stated.map_or_else(
            || rotary::plain(fields, &defaults),
            |stated| rotary::read_parameters(&stated, &defaults),
        )
    };
    let full = rotation(stated("full_attention")?.or(scaling), "rope_theta", 1_000_000.0)?;
    Ok([full, rotation(stated("sliding_attention")?, "rope_local_base_freq", 10_000.0)?])
}

fn weights(fields: &Fields<'_>, config: &Config, files: &Checkpoint) -> Result<Weights, LoadError> {
    let (member, text) = member(fields)?;
    let roots = ["model.language_model.", "language_model.model.", "model."];
    let root = roots.into_iter().find(|root| files.has_any(root)).unwrap_or("model.");
    let (width, vocab) = (config.d_model, config.vocab);
    let embed = files.tensor(&format!("{root}embed_tokens.weight"), &[vocab, width])?;
    let biases = biases(&text, member)?;
    Ok(Weights {
        positions: None,
        blocks: (0..config.layers)
            .map(|layer| block(files, config, biases, &format!("{root}layers.{layer}")))
            .collect::<Result<_, _>>()?,
        ln_final: norm(files, config, &format!("{root}norm"), width)?,
        unembed: unembed(
            fields,
            files,
            &["lm_head.weight", "language_model.lm_head.weight"],
            &embed,
            member.head,
        )?,
        embed,
    })
}

/// The biases of queries, keys and values; of attention's output; of the MLP.
fn biases(fields: &Fields<'_>, member: &Member) -> Result<[Bias; 3], LoadError> {
    let stated = |name: &str| -> Result<Bias, LoadError> {
        Ok(if fields.flag(&[name], false)? { Bias::Present } else { Bias::Absent })
    };
    let (inputs, output) = match member.biases {
        Biases::Never => (Bias::Absent, Bias::Absent),
        Biases::Inputs => (Bias::Present, Bias::Absent),
        Biases::Stated => (stated("attention_bias")?, stated("attention_bias")?),
    };
    let mlp = if member.name == "llama" { stated("mlp_bias")? } else { Bias::Absent };
    Ok([inputs, output, mlp])
}

fn block(files: &Checkpoint, config: &Config, biases: [Bias; 3], prefix: &str) -> Result<Block, LoadError> {
    let (width, hidden, size) = (config.d_model, config.d_mlp, config.head_dim);
    let (q, kv) = (config.heads * size, config.kv_heads * size);
    let [inputs, output, mlp] = biases;
    let attn = format!("{prefix}.self_attn");
    let parts = [("q_proj", q), ("k_proj", kv), ("v_proj", kv)];
    let parts = parts.map(|(name, output)| files.linear(&format!("{attn}.{name}"), width, output, inputs));
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
            output: files.linear(&format!("{attn}.o_proj"), q, width, output)?,
        },
        ln1_post,
        ln2,
        mlp: Mlp {
            input: files.linear(&format!("{prefix}.mlp.up_proj"), width, hidden, mlp)?,
            gate: Some(files.linear(&format!("{prefix}.mlp.gate_proj"), width, hidden, mlp)?),
            output: files.linear(&format!("{prefix}.mlp.down_proj"), hidden, width, mlp)?,
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
