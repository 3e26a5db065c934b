//! The weights of two models, tensor by tensor.

use candle_core::{DType, Device, Tensor};
use serde::Serialize;

use super::error::DiffError;
use crate::model::{Config, Linear, Mlp, Model, Norm, Weights};
use crate::ops::floats;

/// How far one tensor has moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WeightChange {
    /// Its name, as TransformerLens has it: `blocks.2.mlp.W_in`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The norm of the difference as a share of the larger of the two norms.
    pub relative: f64,
    /// The share of its numbers that moved by more than rounding to bf16 or f16 can move them.
    pub beyond_rounding: f64,
    /// What that means.
    pub status: WeightStatus,
}

/// Whether a tensor is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightStatus {
    /// Bit for bit the same.
    Same,
    /// No number moved by more than rounding to bf16 or f16 explains.
    Rounded,
    /// It holds something else.
    Changed,
}

/// The most that rounding to bf16 moves a number, as a share of it: half of the last of its 8 digits.
pub(super) const ROUNDING: f64 = 1.0 / 256.0;

/// What f16 moves a number by that is below its smallest, 2^-25.
const SMALLEST: f64 = 3e-8;

/// Every tensor of two models of the same shape, those that moved most first.
pub(super) fn changes(before: &Model, after: &Model) -> Result<Vec<WeightChange>, DiffError> {
    let pairs = named(before)?.into_iter().zip(named(after)?);
    let mut found: Vec<WeightChange> =
        pairs.map(|((name, old), (_, new))| change(name, &old, &new)).collect::<Result<_, _>>()?;
    found.sort_by(|a, b| b.status.cmp(&a.status).then(b.relative.total_cmp(&a.relative)));
    Ok(found)
}

fn change(name: String, old: &Tensor, new: &Tensor) -> Result<WeightChange, DiffError> {
    let shape = old.dims().to_vec();
    let (old, new) = (floats(old)?, floats(new)?);
    let (mut moved, mut sizes, mut beyond) = (0.0, [0.0; 2], 0_usize);
    for (a, b) in old.iter().zip(&new) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        let gap = (b - a).abs();
        moved += gap * gap;
        sizes[0] += a * a;
        sizes[1] += b * b;
        beyond += usize::from(gap > ROUNDING * a.abs().max(b.abs()) + SMALLEST || gap.is_nan());
    }
    let status = match (beyond, moved > 0.0) {
        (0, false) => WeightStatus::Same,
        (0, true) => WeightStatus::Rounded,
        _ => WeightStatus::Changed,
    };
    let relative = if moved > 0.0 { (moved / sizes[0].max(sizes[1])).sqrt() } else { 0.0 };
    let beyond_rounding = beyond as f64 / old.len().max(1) as f64;
    Ok(WeightChange { name, shape, relative, beyond_rounding, status })
}

/// The model with each weight moved by a random share of up to [`ROUNDING`] of itself: what rounding to bf16 may do at most.
pub(super) fn noisy(model: &Model, seed: u64) -> candle_core::Result<Model> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut moved = |tensor: &Tensor| {
        let count = tensor.elem_count();
        let factors: Vec<f32> = (0..count)
            .map(|_| crate::analysis::single(1.0 + ROUNDING * (2.0 * random.f64() - 1.0)))
            .collect();
        let factors = Tensor::from_vec(factors, tensor.dims(), &Device::Cpu)?.to_device(tensor.device())?;
        // Transposed views stay so: kernels choose by the layout.
        if tensor.is_contiguous() || tensor.rank() != 2 {
            return tensor * factors;
        }
        (tensor.t()? * factors.t()?.contiguous()?)?.contiguous()?.t()
    };
    let weights = map(model.weights(), &mut moved)?;
    Ok(model.with_weights(weights))
}

/// Every tensor by name; an unembedding that is the embedding stands there once.
fn named(model: &Model) -> candle_core::Result<Vec<(String, Tensor)>> {
    let (weights, config) = (model.weights(), model.config());
    let mut found = vec![("embed.W_E".to_owned(), weights.embed.clone())];
    found.extend(weights.positions.iter().map(|tensor| ("pos_embed.W_pos".to_owned(), tensor.clone())));
    for (layer, block) in weights.blocks.iter().enumerate() {
        let attention = &block.attention;
        let mut own = Vec::new();
        norm(&mut own, "ln1", Some(&block.ln1));
        queries_keys_values(&mut own, &attention.qkv, config)?;
        norm(&mut own, "attn.q_norm", attention.q_norm.as_ref());
        norm(&mut own, "attn.k_norm", attention.k_norm.as_ref());
        linear(&mut own, "attn", "O", Some(&attention.output));
        norm(&mut own, "ln1_post", block.ln1_post.as_ref());
        norm(&mut own, "ln2", Some(&block.ln2));
        linear(&mut own, "mlp", "in", Some(&block.mlp.input));
        linear(&mut own, "mlp", "gate", block.mlp.gate.as_ref());
        linear(&mut own, "mlp", "out", Some(&block.mlp.output));
        norm(&mut own, "ln2_post", block.ln2_post.as_ref());
        found.extend(own.into_iter().map(|(name, tensor)| (format!("blocks.{layer}.{name}"), tensor)));
    }
    norm(&mut found, "ln_final", Some(&weights.ln_final));
    if !is_tied(weights)? {
        linear(&mut found, "unembed", "U", Some(&weights.unembed));
    }
    Ok(found)
}

fn is_tied(weights: &Weights) -> candle_core::Result<bool> {
    let embedded = weights.embed.t()?;
    let apart = (embedded - &weights.unembed.weight)?.abs()?.max_all()?;
    Ok(apart.to_dtype(DType::F32)?.to_scalar::<f32>()? == 0.0 && weights.unembed.bias.is_none())
}

fn norm(found: &mut Vec<(String, Tensor)>, name: &str, norm: Option<&Norm>) {
    let Some(norm) = norm else { return };
    found.push((format!("{name}.w"), norm.gain.clone()));
    found.extend(norm.bias.iter().map(|bias| (format!("{name}.b"), bias.clone())));
}

fn linear(found: &mut Vec<(String, Tensor)>, place: &str, name: &str, linear: Option<&Linear>) {
    let Some(linear) = linear else { return };
    found.push((format!("{place}.W_{name}"), linear.weight.clone()));
    found.extend(linear.bias.iter().map(|bias| (format!("{place}.b_{name}"), bias.clone())));
}

fn queries_keys_values(
    found: &mut Vec<(String, Tensor)>,
    qkv: &Linear,
    config: &Config,
) -> candle_core::Result<()> {
    let (queries, keys) = (config.heads * config.head_dim, config.kv_heads * config.head_dim);
    for (name, start, size) in [("Q", 0, queries), ("K", queries, keys), ("V", queries + keys, keys)] {
        let weight = qkv.weight.narrow(1, start, size)?;
        let bias = qkv.bias.as_ref().map(|bias| bias.narrow(0, start, size)).transpose()?;
        linear(found, "attn", name, Some(&Linear { weight, bias }));
    }
    Ok(())
}

type Step<'s> = &'s mut dyn FnMut(&Tensor) -> candle_core::Result<Tensor>;

/// The weights, each tensor replaced.
fn map(weights: &Weights, step: Step<'_>) -> candle_core::Result<Weights> {
    let mut new = weights.clone();
    new.embed = step(&new.embed)?;
    new.positions = new.positions.as_ref().map(&mut *step).transpose()?;
    for block in &mut new.blocks {
        map_norm(&mut block.ln1, step)?;
        map_linear(&mut block.attention.qkv, step)?;
        map_linear(&mut block.attention.output, step)?;
        let optional = [
            &mut block.attention.q_norm,
            &mut block.attention.k_norm,
            &mut block.ln1_post,
            &mut block.ln2_post,
        ];
        for norm in optional.into_iter().flatten() {
            map_norm(norm, step)?;
        }
        map_norm(&mut block.ln2, step)?;
        let Mlp { input, gate, output } = &mut block.mlp;
        for linear in [Some(input), gate.as_mut(), Some(output)].into_iter().flatten() {
            map_linear(linear, step)?;
        }
    }
    map_norm(&mut new.ln_final, step)?;
    map_linear(&mut new.unembed, step)?;
    Ok(new)
}

fn map_norm(norm: &mut Norm, step: Step<'_>) -> candle_core::Result<()> {
    norm.gain = step(&norm.gain)?;
    norm.bias = norm.bias.as_ref().map(step).transpose()?;
    Ok(())
}

fn map_linear(linear: &mut Linear, step: Step<'_>) -> candle_core::Result<()> {
    linear.weight = step(&linear.weight)?;
    linear.bias = linear.bias.as_ref().map(step).transpose()?;
    Ok(())
}
