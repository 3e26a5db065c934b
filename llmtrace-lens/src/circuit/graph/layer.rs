//! One block of the model as it is held: linear, with the gains of its norms folded into its weights.

use std::collections::BTreeMap;

use candle_core::{D, Tensor};

use super::active::{ActiveFeature, through_gain};
use crate::circuit::error::CircuitError;
use crate::circuit::transcoder::{FeatureInput, FeatureOutput, TranscoderKind, Transcoders};
use crate::hooks::{ActivationCache, HookPoint, Site};
use crate::model::{Block, Config, Norm, NormKind, Residual};

/// One block as it is held. T: positions, D: width of the stream, H heads of dh, K key and value heads.
#[derive(Debug)]
pub(crate) struct HeldLayer {
    /// Attention from t to s, divided by what the norms at both ends divided by, `[K, H / K, T, T]`.
    pub(super) pattern: Tensor,
    /// From the stream's gradient to that of the heads' values, `[D, H dh]`.
    pub(super) to_heads: Tensor,
    /// From the gradient of what the heads read to that of the stream, `[K dh, D]`.
    pub(super) from_heads: Tensor,
    /// What attention adds to the stream whatever it reads, `[T, D]`.
    pub(super) attention_constant: Tensor,
    /// What the MLP adds to the stream whatever is active, `[T, D]`.
    pub(super) mlp_constant: Tensor,
    /// What features leave over of the MLP's output, `[T, D]`.
    pub(crate) errors: Tensor,
    /// The transcoder's linear way, from gradient to gradient, `[D, D]`, and what the norm divides by `[T, 1, 1]`.
    pub(super) skip: Option<(Tensor, Tensor)>,
    /// The norm between what features write and the stream: its gain, and what it divides by `[T, 1, 1]`.
    pub(crate) post: Option<(Norm, Tensor)>,
    /// What the features write here, `[u, D]`.
    pub(super) decoders: Tensor,
    /// For each position, which rows of `decoders` are written, by which of the prompt's active features, how strongly.
    pub(super) written: Vec<Written>,
}

/// What is written at one position.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) rows: Vec<u32>,
    pub(super) features: Vec<usize>,
    pub(super) activations: Vec<f32>,
}

/// What a layer is made of.
pub(super) struct Parts<'a> {
    pub(super) config: &'a Config,
    pub(super) cache: &'a ActivationCache,
    pub(super) transcoders: &'a Transcoders,
    pub(super) features: &'a [ActiveFeature],
    pub(super) masked: usize,
}

impl HeldLayer {
    /// What active features add to the output of this layer when each is so much more than it was, `[T, D]`.
    pub(crate) fn written_by(&self, more: &[f32]) -> Result<Tensor, CircuitError> {
        let of = |here: &Written| -> Vec<f32> {
            here.features.iter().map(|feature| more.get(*feature).copied().unwrap_or(0.0)).collect()
        };
        Ok(post_norm(&summed(&self.decoders, &self.written, of)?, self.post.as_ref())?)
    }
}

impl Parts<'_> {
    pub(super) fn layer(&self, layer: usize, block: &Block) -> Result<HeldLayer, CircuitError> {
        let (decoders, written) = self.decoders(layer)?;
        let post = match (&block.ln2_post, self.transcoders.output()) {
            (Some(norm), FeatureOutput::MlpOutput) => {
                let scale = self.scale(layer, Site::Ln2PostScale)?.unsqueeze(2)?;
                Some((norm.clone(), scale))
            }
            _ => None,
        };
        let (skip, skipped) = self.skip(layer, block, post.as_ref())?;
        let [constant, errors] = self.left_over(layer, &decoders, &written, post.as_ref(), skipped)?;
        let (to_heads, from_heads) = self.heads(block)?;
        Ok(HeldLayer {
            pattern: self.pattern(layer, block)?,
            to_heads,
            from_heads,
            attention_constant: self.attention_constant(layer, block)?,
            mlp_constant: constant,
            errors,
            skip,
            post,
            decoders,
            written,
        })
    }

    /// What features that are active write to this layer, each decoder once, and where.
    fn decoders(&self, layer: usize) -> Result<(Tensor, Vec<Written>), CircuitError> {
        let steps = self.steps()?;
        let mut rows: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for active in self.features {
            if self.transcoders.writes(active.layer).contains(&layer) {
                rows.entry((active.layer, active.feature)).or_insert(0);
            }
        }
        for (row, (_, place)) in (0_u32..).zip(rows.iter_mut()) {
            *place = row;
        }
        let mut tables = Vec::new();
        for source in 0..=layer {
            let features: Vec<usize> =
                rows.range((source, 0)..(source + 1, 0)).map(|((_, feature), _)| *feature).collect();
            if !features.is_empty() {
                tables.push(self.transcoders.decoders(source, &features, layer)?);
            }
        }
        let device = self.device()?;
        let table = if tables.is_empty() {
            Tensor::zeros((0, self.config.d_model), candle_core::DType::F32, &device)?
        } else {
            Tensor::cat(&tables, 0)?.to_device(&device)?.contiguous()?
        };
        let mut written = vec![Written::default(); steps];
        for (index, active) in self.features.iter().enumerate() {
            let row = rows.get(&(active.layer, active.feature));
            if let (Some(row), Some(here)) = (row, written.get_mut(active.position)) {
                here.rows.push(*row);
                here.features.push(index);
                here.activations.push(active.activation);
            }
        }
        Ok((table, written))
    }

    /// The linear way backwards, and what it adds to the stream `[T, D]`, its own constant left out.
    #[expect(clippy::type_complexity, reason = "two parts of one thing")]
    fn skip(
        &self,
        layer: usize,
        block: &Block,
        post: Option<&(Norm, Tensor)>,
    ) -> Result<(Option<(Tensor, Tensor)>, Option<[Tensor; 2]>), CircuitError> {
        let Some(weight) = self.transcoders.skip(layer)? else { return Ok((None, None)) };
        let weight = weight.to_device(&self.device()?)?;
        let read = input(self.cache, self.config, layer, self.transcoders.input())?;
        let whole = post_norm(&read.matmul(&weight.t()?)?, post)?;
        let scale = self.scale(layer, Site::Ln2Scale)?.unsqueeze(2)?;
        let norm = &block.ln2;
        let (folded, constant, scale) = match (self.transcoders.input(), &norm.bias) {
            (FeatureInput::Stream, _) => (weight, None, scale.ones_like()?),
            (FeatureInput::MlpInput, bias) => {
                let constant =
                    bias.as_ref().map(|bias| bias.unsqueeze(0)?.matmul(&weight.t()?)).transpose()?;
                (through_gain(&weight, norm)?, constant, scale)
            }
            (FeatureInput::Normalized, _) => (centred(&weight, norm.kind)?, None, scale),
        };
        let constant = match constant {
            Some(row) => post_norm(&row.broadcast_as(whole.shape())?.contiguous()?, post)?,
            None => whole.zeros_like()?,
        };
        let linear = (&whole - &constant)?;
        Ok((Some((folded, scale)), Some([linear, constant])))
    }

    /// The MLP's output `[T, D]` in two parts: what is always there, and what features leave over.
    fn left_over(
        &self,
        layer: usize,
        decoders: &Tensor,
        written: &[Written],
        post: Option<&(Norm, Tensor)>,
        skipped: Option<[Tensor; 2]>,
    ) -> Result<[Tensor; 2], CircuitError> {
        let output = self.cache.at(HookPoint::block(layer, Site::MlpOut))?.squeeze(0)?;
        let (steps, width) = output.dims2()?;
        let bias = self.transcoders.decoder_bias(layer)?.to_device(output.device())?;
        let bias = bias.unsqueeze(0)?.broadcast_as((steps, width))?.contiguous()?;
        let features = post_norm(&summed(decoders, written, |here| here.activations.clone())?, post)?;
        let mut constant = post_norm(&bias, post)?;
        if let Some(bias) = post.and_then(|(norm, _)| norm.bias.as_ref()) {
            constant = constant.broadcast_add(bias)?;
        }
        let mut rest = (output - features)?;
        if let Some([linear, always]) = skipped {
            rest = (rest - linear)?;
            constant = (constant + always)?;
        }
        // Where nothing is a feature, all is constant; neurons leave rounding alone.
        let exact = self.transcoders.kind() == TranscoderKind::Neurons;
        let masked = if exact { steps } else { self.masked.min(steps) };
        let left =
            Tensor::cat(&[&rest.narrow(0, 0, masked)?, &constant.narrow(0, masked, steps - masked)?], 0)?;
        Ok([left.clone(), (rest - left)?])
    }

    /// Weights of attention's values, from gradient to gradient.
    fn heads(&self, block: &Block) -> candle_core::Result<(Tensor, Tensor)> {
        let (heads, shared, size) = (self.config.heads, self.config.kv_heads, self.config.head_dim);
        let output = &block.attention.output.weight;
        // [H dh, D], read back through the norm after attention.
        let output = match &block.ln1_post {
            Some(norm) => {
                let centred = centred(output, norm.kind)?;
                centred.broadcast_mul(&norm.gain)?
            }
            None => output.clone(),
        };
        let values = block.attention.qkv.weight.narrow(1, (heads + shared) * size, shared * size)?;
        Ok((output.t()?.contiguous()?, through_gain(&values.t()?.contiguous()?, &block.ln1)?))
    }

    /// Attention, divided by what the norms before and after it divided by.
    fn pattern(&self, layer: usize, block: &Block) -> Result<Tensor, CircuitError> {
        let pattern = self.cache.at(HookPoint::block(layer, Site::Pattern))?.squeeze(0)?;
        let steps = pattern.dim(D::Minus1)?;
        let read = self.scale(layer, Site::Ln1Scale)?.reshape((1, 1, steps))?;
        let mut pattern = pattern.broadcast_div(&read)?;
        if block.ln1_post.is_some() {
            let written = self.scale(layer, Site::Ln1PostScale)?.reshape((1, steps, 1))?;
            pattern = pattern.broadcast_div(&written)?;
        }
        let shared = self.config.kv_heads;
        Ok(pattern.contiguous()?.reshape((shared, self.config.heads / shared, steps, steps))?)
    }

    /// What attention adds whatever it reads: biases of the norm before it, of its values, of its output, of the norm after it.
    fn attention_constant(&self, layer: usize, block: &Block) -> Result<Tensor, CircuitError> {
        let (heads, shared, size) = (self.config.heads, self.config.kv_heads, self.config.head_dim);
        let (steps, width) = (self.steps()?, self.config.d_model);
        let qkv = &block.attention.qkv;
        let first = (heads + shared) * size;
        let device = self.device()?;
        let mut value = match &qkv.bias {
            Some(bias) => bias.narrow(0, first, shared * size)?.unsqueeze(0)?,
            None => Tensor::zeros((1, shared * size), candle_core::DType::F32, &device)?,
        };
        if let Some(bias) = &block.ln1.bias {
            let weight = qkv.weight.narrow(1, first, shared * size)?;
            value = (value + bias.unsqueeze(0)?.matmul(&weight)?)?;
        }
        // Each row of attention sums to 1.
        let value = value.reshape((shared, 1, size))?.broadcast_as((shared, heads / shared, size))?;
        let value = value.contiguous()?.reshape((1, heads * size))?;
        let written = block.attention.output.apply(&value)?.broadcast_as((steps, width))?.contiguous()?;
        let Some(norm) = &block.ln1_post else { return Ok(written) };
        let scale = self.scale(layer, Site::Ln1PostScale)?.unsqueeze(2)?;
        let held = Some((norm.clone(), scale));
        let written = post_norm(&written, held.as_ref())?;
        Ok(norm.bias.as_ref().map_or(Ok(written.clone()), |bias| written.broadcast_add(bias))?)
    }

    /// What a norm of this layer divides by, `[T, 1]`.
    fn scale(&self, layer: usize, site: Site) -> Result<Tensor, CircuitError> {
        Ok(self.cache.at(HookPoint::block(layer, site))?.squeeze(0)?)
    }

    fn steps(&self) -> Result<usize, CircuitError> {
        Ok(self.cache.at(HookPoint::global(Site::Embed))?.dim(1)?)
    }

    fn device(&self) -> Result<candle_core::Device, CircuitError> {
        Ok(self.cache.at(HookPoint::global(Site::Embed))?.device().clone())
    }
}

/// What is written at each position `[T, D]`: decoders `[u, D]`, each by so much.
fn summed(
    decoders: &Tensor,
    written: &[Written],
    by: impl Fn(&Written) -> Vec<f32>,
) -> Result<Tensor, CircuitError> {
    let (device, width) = (decoders.device(), decoders.dim(1)?);
    let mut rows = Vec::with_capacity(written.len());
    for here in written {
        if here.rows.is_empty() {
            rows.push(Tensor::zeros((1, width), decoders.dtype(), device)?);
            continue;
        }
        let count = here.rows.len();
        let index = Tensor::from_slice(&here.rows, count, device)?;
        let weights = Tensor::from_vec(by(here), (1, count), device)?;
        rows.push(weights.matmul(&decoders.index_select(&index, 0)?)?);
    }
    Ok(Tensor::cat(&rows, 0)?)
}

/// Minus the mean over the last dimension, for a layer norm.
pub(crate) fn centred(x: &Tensor, kind: NormKind) -> candle_core::Result<Tensor> {
    match kind {
        NormKind::Layer => x.broadcast_sub(&x.mean_keepdim(D::Minus1)?),
        NormKind::Rms => Ok(x.clone()),
    }
}

/// What features read in a layer, `[T, D]`.
pub(crate) fn input(
    cache: &ActivationCache,
    config: &Config,
    layer: usize,
    input: FeatureInput,
) -> Result<Tensor, CircuitError> {
    let site = input_site(config, input);
    Ok(cache.at(HookPoint::block(layer, site))?.squeeze(0)?)
}

/// The site where features read.
pub(crate) fn input_site(config: &Config, input: FeatureInput) -> Site {
    match input {
        FeatureInput::Stream if config.residual == Residual::Parallel => Site::ResidPre,
        FeatureInput::Stream => Site::ResidMid,
        FeatureInput::Normalized => Site::Ln2Normalized,
        FeatureInput::MlpInput => Site::Ln2Out,
    }
}

/// `x` `[T, D]` through the linear part of a norm that divides by what it did; itself without one.
pub(crate) fn post_norm(x: &Tensor, post: Option<&(Norm, Tensor)>) -> candle_core::Result<Tensor> {
    let Some((norm, scale)) = post else { return Ok(x.clone()) };
    centred(x, norm.kind)?.broadcast_mul(&norm.gain)?.broadcast_div(&scale.squeeze(2)?)
}
