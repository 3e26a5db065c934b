//! Direct logit attribution of one logit.

use candle_core::Tensor;

use super::attribution::{Attribution, Part};
use super::direction::{Direction, Target};
use super::error::ReadError;
use super::reading::{Reading, single};
use crate::hooks::{HookPoint, Site};
use crate::model::{Block, Linear};
use crate::ops::floats;

/// A logit, or a difference of two, that is to be attributed; made by [`Reading::attribute`].
#[derive(Clone, Debug)]
pub struct DirectAttribution<'r> {
    pub(super) reading: &'r Reading<'r>,
    target: Target,
    position: usize,
    direction: Direction,
    logit: f64,
}

/// What the heads of a block add to a logit.
struct Heads {
    /// What each head adds beyond its share of `bias`.
    written: Vec<f64>,
    /// What is constant: the values' part that is always there, the output's bias, that of a norm after attention.
    bias: f64,
    /// What reads each value, `[H * dh]`.
    readers: Vec<f64>,
}

impl Reading<'_> {
    /// Attributes a logit of the last position.
    ///
    /// # Errors
    /// As for [`attribute_at`](Self::attribute_at).
    pub fn attribute(&self, target: Target) -> Result<DirectAttribution<'_>, ReadError> {
        self.attribute_at(target, self.tokens.len().saturating_sub(1))
    }

    /// Attributes a logit of a position.
    ///
    /// # Errors
    /// A token or the position is out of range, or the run did not keep the last block's output.
    pub fn attribute_at(&self, target: Target, position: usize) -> Result<DirectAttribution<'_>, ReadError> {
        ReadError::check("position", position, self.tokens.len())?;
        let direction = self.direction(target, position)?;
        let logit = self.logit(target, position)?;
        Ok(DirectAttribution { reading: self, target, position, direction, logit })
    }

    /// The logit that the model computed, before its softcap, by the way the model goes.
    fn logit(&self, target: Target, position: usize) -> Result<f64, ReadError> {
        let normed = match self.late(Site::LnFinalOut, position)? {
            Some(normed) => normed,
            None => {
                floats(&self.model.weights().ln_final.apply(&self.last_stream()?.narrow(1, position, 1)?)?)?
            }
        };
        let (weights, constant) = target.column(self.model)?;
        let direction = Direction { weights, constant };
        Ok(direction.dot(&normed) + constant)
    }
}

impl DirectAttribution<'_> {
    /// By what was added to the stream: `embed`, `pos_embed` and for each block `0_attn_out`, `0_mlp_out`.
    ///
    /// # Errors
    /// The run did not keep one of them.
    pub fn components(&self) -> Result<Attribution, ReadError> {
        Ok(self.answer(self.component_parts()?))
    }

    /// By head: `L0H3`, then `remainder` (embeddings and MLPs) and `attn_bias`.
    ///
    /// What values hold whatever was read (their bias, and the first norm's bias times their weights) reaches the logit
    /// wherever a head attends to, so it counts to `attn_bias` and not to the head: as TransformerLens has it with
    /// `fold_ln` and `fold_value_biases`.
    ///
    /// # Errors
    /// The run did not keep the heads' values or one of the components.
    pub fn heads(&self) -> Result<Attribution, ReadError> {
        let mut parts = Vec::new();
        let mut bias = 0.0;
        for layer in 0..self.reading.config().layers {
            let heads = self.head_parts(layer)?;
            let named = heads.written.iter().enumerate();
            parts.extend(named.map(|(head, value)| {
                Part::new(format!("L{layer}H{head}"), *value).in_layer(layer).numbered(head)
            }));
            bias += heads.bias;
        }
        parts.push(Part::new("remainder", self.sum_of(|part| !part.label.ends_with("_attn_out"))?));
        parts.push(Part::new("attn_bias", bias));
        Ok(self.answer(parts))
    }

    /// By neuron: the `count` with the largest shares (`L0N17`), then `other_neurons`, `remainder` (embeddings and
    /// attention) and `mlp_bias`.
    ///
    /// # Errors
    /// The run did not keep the neurons' values or one of the components.
    pub fn neurons(&self, count: usize) -> Result<Attribution, ReadError> {
        let mut parts = Vec::new();
        let mut bias = 0.0;
        for (layer, block) in self.reading.model.weights().blocks.iter().enumerate() {
            let (readers, constant) =
                self.readers(layer, block.ln2_post.as_ref(), Site::Ln2PostScale, &block.mlp.output)?;
            let width = [self.reading.config().d_mlp];
            let values = self.reading.at(HookPoint::block(layer, Site::Post), &width, self.position)?;
            let written = values.iter().zip(&readers).map(|(value, reader)| f64::from(*value) * reader);
            parts.extend(written.enumerate().map(|(neuron, value)| {
                Part::new(format!("L{layer}N{neuron}"), value).in_layer(layer).numbered(neuron)
            }));
            bias += constant;
        }
        parts.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        let others: f64 = parts.iter().skip(count).map(|part| f64::from(part.value)).sum();
        parts.truncate(count);
        parts.push(Part::new("other_neurons", others));
        parts.push(Part::new("remainder", self.sum_of(|part| !part.label.ends_with("_mlp_out"))?));
        parts.push(Part::new("mlp_bias", bias));
        Ok(self.answer(parts))
    }

    /// By the positions that one head read from: what each position's value adds through the head's attention, labelled
    /// `5 " Dallas"`, then `remainder` (all that is not this head's).
    ///
    /// # Errors
    /// There is no such head, or the run did not keep its attention and values.
    pub fn sources(&self, layer: usize, head: usize) -> Result<Attribution, ReadError> {
        let (reading, config) = (self.reading, self.reading.config());
        ReadError::check("block", layer, config.layers)?;
        ReadError::check("head", head, config.heads)?;
        let heads = self.head_parts(layer)?;
        let (size, shared) = (config.head_dim, head * config.kv_heads / config.heads.max(1));
        let reader = heads.readers.get(head * size..(head + 1) * size).unwrap_or_default();
        let bias = self.value_bias(layer)?;
        let bias = bias.get(shared * size..(shared + 1) * size).unwrap_or_default();
        let values = reading.value(HookPoint::block(layer, Site::V), &[config.kv_heads, size])?;
        let values = floats(&values.narrow(2, shared, 1)?)?;
        let shares = floats(&reading.pattern(layer)?.narrow(0, head, 1)?.narrow(1, self.position, 1)?)?;
        let mut parts = Vec::with_capacity(self.position + 2);
        for (source, (value, share)) in
            values.chunks(size.max(1)).zip(shares).enumerate().take(self.position + 1)
        {
            let read = value.iter().zip(bias).zip(reader);
            let read: f64 = read.map(|((value, bias), reader)| f64::from(value - bias) * reader).sum();
            let text = reading.tokens.get(source).map(|id| reading.model.token_text(*id)).unwrap_or_default();
            parts.push(
                Part::new(format!("{source} {text:?}"), f64::from(share) * read)
                    .in_layer(layer)
                    .numbered(source),
            );
        }
        let whole = self.sum_of(|_| true)?;
        let own = heads.written.get(head).copied().unwrap_or(0.0);
        parts.push(Part::new("remainder", whole - own));
        Ok(self.answer(parts))
    }

    fn component_parts(&self) -> Result<Vec<Part>, ReadError> {
        let config = self.reading.config();
        let part = |point: HookPoint, label: String| -> Result<Part, ReadError> {
            let value = self.reading.at(point, &[config.d_model], self.position)?;
            Ok(Part::new(label, self.direction.dot(&value)))
        };
        let mut parts = vec![part(HookPoint::global(Site::Embed), "embed".to_owned())?];
        if Site::PosEmbed.exists_in(config) {
            parts.push(part(HookPoint::global(Site::PosEmbed), "pos_embed".to_owned())?);
        }
        for layer in 0..config.layers {
            for (site, name) in [(Site::AttnOut, "attn_out"), (Site::MlpOut, "mlp_out")] {
                parts.push(part(HookPoint::block(layer, site), format!("{layer}_{name}"))?.in_layer(layer));
            }
        }
        Ok(parts)
    }

    fn sum_of(&self, counts: impl Fn(&Part) -> bool) -> Result<f64, ReadError> {
        let parts = self.component_parts()?;
        Ok(parts.iter().filter(|part| counts(part)).map(|part| f64::from(part.value)).sum())
    }

    /// What reads each input of the product that writes to the stream, and what its bias adds.
    fn readers(
        &self,
        layer: usize,
        post_norm: Option<&crate::model::Norm>,
        scale: Site,
        output: &Linear,
    ) -> Result<(Vec<f64>, f64), ReadError> {
        let scale = HookPoint::block(layer, scale);
        let direction = self.reading.before_post_norm(&self.direction, post_norm, scale, self.position)?;
        let weights: Vec<f32> = direction.weights.iter().copied().map(single).collect();
        let column = Tensor::from_vec(weights, (direction.weights.len(), 1), output.weight.device())?;
        let readers = floats(&output.weight.matmul(&column)?)?;
        let bias = output.bias.as_ref().map(floats).transpose()?;
        let constant = direction.constant + bias.map_or(0.0, |bias| direction.dot(&bias));
        Ok((readers.into_iter().map(f64::from).collect(), constant))
    }

    fn head_parts(&self, layer: usize) -> Result<Heads, ReadError> {
        let config = self.reading.config();
        let block = self.block(layer)?;
        let (readers, mut bias) =
            self.readers(layer, block.ln1_post.as_ref(), Site::Ln1PostScale, &block.attention.output)?;
        let shape = [config.heads, config.head_dim];
        let z = self.reading.at(HookPoint::block(layer, Site::Z), &shape, self.position)?;
        let value_bias = self.value_bias(layer)?;
        let group = (config.heads / config.kv_heads.max(1)).max(1);
        let size = config.head_dim.max(1);
        let mut written = Vec::with_capacity(config.heads);
        for (head, (z, reader)) in z.chunks(size).zip(readers.chunks(size)).enumerate() {
            let first = head / group * size;
            let value_bias = value_bias.get(first..first + size).unwrap_or_default();
            let own: f64 =
                value_bias.iter().zip(reader).map(|(bias, reader)| f64::from(*bias) * reader).sum();
            let all: f64 = z.iter().zip(reader).map(|(z, reader)| f64::from(*z) * reader).sum();
            written.push(all - own);
            bias += own;
        }
        Ok(Heads { written, bias, readers })
    }

    /// What values hold whatever was read `[K * dh]`: their bias, and that of the first norm times their weights.
    fn value_bias(&self, layer: usize) -> Result<Vec<f32>, ReadError> {
        let config = self.reading.config();
        let (first, count) =
            ((config.heads + config.kv_heads) * config.head_dim, config.kv_heads * config.head_dim);
        let block = self.block(layer)?;
        let qkv = &block.attention.qkv;
        let bias = qkv.bias.as_ref().map(|bias| floats(&bias.narrow(0, first, count)?)).transpose()?;
        let mut bias = bias.unwrap_or_else(|| vec![0.0; count]);
        if let Some(shift) = &block.ln1.bias {
            let weights = qkv.weight.narrow(1, first, count)?.contiguous()?;
            let shifted = floats(&shift.unsqueeze(0)?.matmul(&weights)?)?;
            bias.iter_mut().zip(shifted).for_each(|(bias, shift)| *bias += shift);
        }
        Ok(bias)
    }

    fn block(&self, layer: usize) -> Result<&Block, ReadError> {
        let blocks = &self.reading.model.weights().blocks;
        blocks.get(layer).ok_or(ReadError::OutOfRange { what: "block", index: layer, count: blocks.len() })
    }

    fn answer(&self, parts: Vec<Part>) -> Attribution {
        let (model, constant) = (self.reading.model, self.direction.constant);
        let (token, against) = match self.target {
            Target::Logit(token) => (token, None),
            Target::Difference { token, against } => (token, Some(against)),
        };
        let sum: f64 = parts.iter().map(|part| f64::from(part.value)).sum();
        Attribution {
            token: model.token_label(token),
            against: against.map(|token| model.token_label(token)),
            position: self.position,
            parts,
            constant: single(constant),
            logit: single(self.logit),
            gap: single(self.logit - sum - constant),
            softcap: model.config().logit_softcap,
        }
    }
}
