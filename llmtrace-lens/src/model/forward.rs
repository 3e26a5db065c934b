//! The forward pass: one for all families, with every hook point, and with fewer steps where nobody looks.

use candle_core::{D, IndexOp as _, Tensor};

use super::config::{Config, Positions};
use super::weights::{Attention, Block, Linear, Mlp, Norm, Weights};
use crate::error::RunError;
use crate::hooks::{HookPoint, Site, Tap};
use crate::ops;

/// Where a pass begins.
pub(crate) enum Start<'a> {
    /// Token ids `[b, t]`, u32.
    Tokens(&'a Tensor),
    /// Token embeddings `[b, t, D]`, scaled where the model scales them; position embeddings are still added.
    Embeddings(Tensor),
    /// The stream that enters a block `[b, t, D]`.
    Residual(usize, Tensor),
}

impl Start<'_> {
    fn steps(&self) -> candle_core::Result<usize> {
        match self {
            Self::Tokens(tokens) => tokens.dim(1),
            Self::Embeddings(x) | Self::Residual(_, x) => x.dim(1),
        }
    }
}

/// Which positions are turned into logits: that product is the dearest of a small model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readout {
    /// Logits of every position.
    All,
    /// Logits of the last position alone, `[b, 1, V]`.
    Last,
}

/// Keys and values of earlier positions, by block: each `[b, s, K, dh]`, keys rotated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    pub(crate) blocks: Vec<Option<(Tensor, Tensor)>>,
    pub(crate) positions: usize,
}

/// One pass through a model.
pub(crate) struct Forward<'a, T: Tap + ?Sized> {
    pub(crate) config: &'a Config,
    pub(crate) weights: &'a Weights,
    pub(crate) tap: &'a mut T,
    pub(crate) past: Option<&'a mut Past>,
}

impl<T: Tap + ?Sized> Forward<'_, T> {
    /// Logits `[b, t, V]`, or `[b, 1, V]`.
    pub(crate) fn logits(&mut self, start: Start<'_>, readout: Readout) -> Result<Tensor, RunError> {
        let stream = self.stream(start)?;
        self.unembed(stream, readout)
    }

    /// The stream after the last block `[b, t, D]`.
    pub(crate) fn stream(&mut self, start: Start<'_>) -> Result<Tensor, RunError> {
        let before = self.past.as_ref().map_or(0, |past| past.positions);
        let steps = start.steps()?;
        self.tap.begin(before, self.past.is_none().then_some(steps));
        let (first, mut x) = match start {
            Start::Residual(layer, x) => (layer, x),
            Start::Tokens(tokens) => {
                let (batch, steps) = tokens.dims2()?;
                let rows = self.weights.embed.index_select(&tokens.flatten_all()?, 0)?;
                let rows = rows.reshape((batch, steps, self.config.d_model))?;
                let x = self.config.embed_scale.map_or(Ok(rows.clone()), |scale| rows * scale)?;
                (0, self.embed(x)?)
            }
            Start::Embeddings(x) => (0, self.embed(x)?),
        };
        for layer in first..self.config.layers {
            x = self.block(layer, x, before)?;
        }
        if let Some(past) = &mut self.past {
            past.positions = before + steps;
        }
        Ok(x)
    }

    fn embed(&mut self, x: Tensor) -> Result<Tensor, RunError> {
        let x = self.tap.visit(HookPoint::global(Site::Embed), x)?;
        let Some(table) = &self.weights.positions else { return Ok(x) };
        let (batch, steps, width) = x.dims3()?;
        let before = self.past.as_ref().map_or(0, |past| past.positions);
        let rows = table.narrow(0, before, steps)?.unsqueeze(0)?;
        let point = HookPoint::global(Site::PosEmbed);
        if !self.tap.wants(point) {
            return Ok(x.broadcast_add(&rows)?);
        }
        let rows = self.tap.visit(point, rows.broadcast_as((batch, steps, width))?.contiguous()?)?;
        Ok((x + rows)?)
    }

    fn block(&mut self, layer: usize, x: Tensor, before: usize) -> Result<Tensor, RunError> {
        let weights = self.weights;
        let block: &Block =
            weights.blocks.get(layer).ok_or_else(|| RunError::Input(format!("there is no block {layer}")))?;
        let x = self.visit(layer, Site::ResidPre, x)?;
        let attended = self.attention(layer, block, &x, before)?;
        let attended = match &block.ln1_post {
            Some(norm) => {
                let attended = self.visit(layer, Site::AttnWritten, attended)?;
                let sites = [Site::Ln1PostScale, Site::Ln1PostNormalized];
                let attended = self.norm(layer, norm, &attended, sites)?;
                self.visit(layer, Site::Ln1PostOut, attended)?
            }
            None => attended,
        };
        let attended = self.visit(layer, Site::AttnOut, attended)?;
        let mut middle = ops::add(&x, &attended)?;
        let read = if Site::ResidMid.exists_in(self.config) {
            middle = self.visit(layer, Site::ResidMid, middle)?;
            middle.clone()
        } else {
            x
        };
        let read = self.visit(layer, Site::MlpIn, read)?;
        let normed = self.norm(layer, &block.ln2, &read, [Site::Ln2Scale, Site::Ln2Normalized])?;
        let normed = self.visit(layer, Site::Ln2Out, normed)?;
        let written = self.mlp(layer, &block.mlp, &normed)?;
        let written = match &block.ln2_post {
            Some(norm) => {
                let written = self.visit(layer, Site::MlpWritten, written)?;
                let sites = [Site::Ln2PostScale, Site::Ln2PostNormalized];
                let written = self.norm(layer, norm, &written, sites)?;
                self.visit(layer, Site::Ln2PostOut, written)?
            }
            None => written,
        };
        let written = self.visit(layer, Site::MlpOut, written)?;
        self.visit(layer, Site::ResidPost, ops::add(&middle, &written)?)
    }

    /// What attention writes `[b, t, D]`.
    fn attention(
        &mut self,
        layer: usize,
        block: &Block,
        x: &Tensor,
        before: usize,
    ) -> Result<Tensor, RunError> {
        let weights = &block.attention;
        let [queries, keys, values] = self.heads(layer, block, x)?;
        let [queries, keys] = self.positioned(layer, weights, queries, keys, before)?;
        let (keys, values) = self.remembered(layer, keys, values)?;
        let scoring = ops::Scoring {
            scale: self.config.attention_scale,
            cap: self.config.attention_softcap,
            before,
            window: self.config.windows.get(layer).copied().flatten(),
        };
        let pattern = if self.wants(layer, Site::AttnScores) {
            let scores = ops::scores(&queries, &keys, scoring)?;
            ops::softmax(&self.visit(layer, Site::AttnScores, scores)?)?
        } else {
            ops::pattern(&queries, &keys, scoring)?
        };
        let pattern = self.visit(layer, Site::Pattern, pattern)?;
        let z = self.visit(layer, Site::Z, ops::weigh(&pattern, &values)?)?;
        let (batch, steps, heads, size) = z.dims4()?;
        if self.wants(layer, Site::Result) {
            let per_head = self.results(&z, &weights.output)?;
            let summed = self.visit(layer, Site::Result, per_head)?.sum(2)?;
            return Ok(weights
                .output
                .bias
                .as_ref()
                .map_or(Ok(summed.clone()), |bias| summed.broadcast_add(bias))?);
        }
        Ok(weights.output.apply(&z.reshape((batch, steps, heads * size))?)?)
    }

    /// What each head writes `[b, t, H, D]`, without the bias.
    fn results(&self, z: &Tensor, output: &Linear) -> Result<Tensor, RunError> {
        let (batch, steps, heads, size) = z.dims4()?;
        let by_head = output.weight.contiguous()?.reshape((heads, size, self.config.d_model))?;
        let z = z.reshape((batch * steps, heads, size))?.transpose(0, 1)?.contiguous()?;
        let written = z.matmul(&by_head)?.transpose(0, 1)?.contiguous()?;
        Ok(written.reshape((batch, steps, heads, self.config.d_model))?)
    }

    /// Queries `[b, t, H, dh]`, keys and values `[b, t, K, dh]`, before rotation.
    fn heads(&mut self, layer: usize, block: &Block, x: &Tensor) -> Result<[Tensor; 3], RunError> {
        let (batch, steps, _) = x.dims3()?;
        let (heads, shared, size) = (self.config.heads, self.config.kv_heads, self.config.head_dim);
        let qkv = &block.attention.qkv;
        let split = [Site::AttnIn, Site::QInput, Site::KInput, Site::VInput];
        let parts = if split.into_iter().any(|site| self.wants(layer, site)) {
            self.split_heads(layer, block, x)?
        } else {
            let normed = self.norm(layer, &block.ln1, x, [Site::Ln1Scale, Site::Ln1Normalized])?;
            let normed = self.visit(layer, Site::Ln1Out, normed)?;
            let all = qkv.apply(&normed)?;
            let part = |first: usize, count: usize| {
                all.narrow(D::Minus1, first * size, count * size)?
                    .contiguous()?
                    .reshape((batch, steps, count, size))
            };
            [part(0, heads)?, part(heads, shared)?, part(heads + shared, shared)?]
        };
        let [q, k, v] = parts;
        Ok([self.visit(layer, Site::Q, q)?, self.visit(layer, Site::K, k)?, self.visit(layer, Site::V, v)?])
    }

    /// The same where each head reads its own copy of the stream, and the first norm is one of each copy.
    fn split_heads(&mut self, layer: usize, block: &Block, x: &Tensor) -> Result<[Tensor; 3], RunError> {
        let (batch, steps, width) = x.dims3()?;
        let (heads, shared, size) = (self.config.heads, self.config.kv_heads, self.config.head_dim);
        let all = heads + 2 * shared;
        let inputs = self.head_inputs(layer, x)?;
        let normed = self.norm(layer, &block.ln1, &inputs, [Site::Ln1Scale, Site::Ln1Normalized])?;
        let normed = self.visit(layer, Site::Ln1Out, normed)?;
        let normed = normed.reshape((batch * steps, all, width))?.transpose(0, 1)?.contiguous()?;
        let qkv = &block.attention.qkv;
        let columns = qkv.weight.contiguous()?.reshape((width, all, size))?.transpose(0, 1)?.contiguous()?;
        let mut product =
            normed.matmul(&columns)?.transpose(0, 1)?.contiguous()?.reshape((batch, steps, all, size))?;
        if let Some(bias) = &qkv.bias {
            product = product.broadcast_add(&bias.reshape((all, size))?)?;
        }
        let part = |first: usize, count: usize| product.narrow(2, first, count)?.contiguous();
        Ok([part(0, heads)?, part(heads, shared)?, part(heads + shared, shared)?])
    }

    /// What query, key and value heads read, in this order `[b, t, H + 2K, D]`.
    fn head_inputs(&mut self, layer: usize, x: &Tensor) -> Result<Tensor, RunError> {
        let (batch, steps, width) = x.dims3()?;
        let (heads, shared) = (self.config.heads, self.config.kv_heads);
        let copies = |count: usize| x.unsqueeze(2)?.broadcast_as((batch, steps, count, width))?.contiguous();
        let mut inputs = [copies(heads)?, copies(shared)?, copies(shared)?];
        if self.wants(layer, Site::AttnIn) {
            let all = self.visit(layer, Site::AttnIn, inputs[0].clone())?;
            inputs = [all.clone(), all.clone(), all];
        }
        let [q, k, v] = inputs;
        let inputs = [
            self.visit(layer, Site::QInput, q)?,
            self.visit(layer, Site::KInput, k)?,
            self.visit(layer, Site::VInput, v)?,
        ];
        Ok(Tensor::cat(&inputs, 2)?)
    }

    /// Queries and keys as attention compares them.
    fn positioned(
        &mut self,
        layer: usize,
        weights: &Attention,
        q: Tensor,
        k: Tensor,
        before: usize,
    ) -> Result<[Tensor; 2], RunError> {
        let (mut q, mut k) = (q, k);
        if let (Some(q_norm), Some(k_norm)) = (&weights.q_norm, &weights.k_norm) {
            q = self.visit(layer, Site::QNormed, q_norm.apply(&q)?)?;
            k = self.visit(layer, Site::KNormed, k_norm.apply(&k)?)?;
        }
        let Positions::Rotary(rotations) = &self.config.positions else { return Ok([q, k]) };
        let Some(rotary) = rotations.get(layer) else { return Ok([q, k]) };
        let (cos, sin) = ops::rotation(&rotary.frequencies, rotary.scale, before, q.dim(1)?, &q)?;
        q = self.visit(layer, Site::RotQ, ops::rotate(&q, &cos, &sin)?)?;
        k = self.visit(layer, Site::RotK, ops::rotate(&k, &cos, &sin)?)?;
        Ok([q, k])
    }

    /// Keys and values of earlier positions before those of this pass.
    fn remembered(&mut self, layer: usize, k: Tensor, v: Tensor) -> Result<(Tensor, Tensor), RunError> {
        let Some(past) = &mut self.past else { return Ok((k, v)) };
        if past.blocks.len() <= layer {
            past.blocks.resize(layer + 1, None);
        }
        let (k, v) = match &past.blocks[layer] {
            Some((old_k, old_v)) => (Tensor::cat(&[old_k, &k], 1)?, Tensor::cat(&[old_v, &v], 1)?),
            None => (k, v),
        };
        past.blocks[layer] = Some((k.clone(), v.clone()));
        Ok((k, v))
    }

    /// What the MLP writes `[b, t, D]`.
    fn mlp(&mut self, layer: usize, mlp: &Mlp, x: &Tensor) -> Result<Tensor, RunError> {
        let activation = self.config.activation;
        let post = match &mlp.gate {
            Some(gate) => {
                let pre = self.visit(layer, Site::Pre, gate.apply(x)?)?;
                let linear = self.visit(layer, Site::PreLinear, mlp.input.apply(x)?)?;
                ops::activate_gated(&pre, &linear, activation)?
            }
            None => ops::activate(&self.visit(layer, Site::Pre, mlp.input.apply(x)?)?, activation)?,
        };
        let post = self.visit(layer, Site::Post, post)?;
        Ok(mlp.output.apply(&post)?)
    }

    /// A norm whose divisor and quotient are looked at; replacing the divisor divides by the new one.
    fn norm(
        &mut self,
        layer: usize,
        norm: &Norm,
        x: &Tensor,
        [scale_site, normalized_site]: [Site; 2],
    ) -> Result<Tensor, RunError> {
        let points = [scale_site, normalized_site].map(|site| HookPoint::block(layer, site));
        if !points.iter().any(|point| self.tap.wants(*point)) {
            return Ok(norm.apply(x)?);
        }
        let (mut normalized, scale) = ops::normalize(x, norm.kind, norm.epsilon)?;
        if self.tap.wants(points[0]) {
            let new = self.tap.visit(points[0], scale.clone())?;
            if new.id() != scale.id() {
                normalized = normalized.broadcast_mul(&(scale / new)?)?;
            }
        }
        let normalized = self.tap.visit(points[1], normalized)?;
        Ok(ops::affine(&normalized, &norm.gain, norm.bias.as_ref())?)
    }

    /// Logits of the positions asked for.
    fn unembed(&mut self, stream: Tensor, readout: Readout) -> Result<Tensor, RunError> {
        let stream = if readout == Readout::Last { self.last(&stream)? } else { stream };
        let weights = self.weights;
        let normed =
            self.norm(0, &weights.ln_final, &stream, [Site::LnFinalScale, Site::LnFinalNormalized])?;
        let normed = self.visit(0, Site::LnFinalOut, normed)?;
        let logits = self.visit(0, Site::Unembed, weights.unembed.apply(&normed)?)?;
        Ok(match self.config.logit_softcap {
            Some(cap) => ops::softcap(&logits, cap)?,
            None => logits,
        })
    }

    /// The last position alone `[b, 1, D]`.
    fn last(&mut self, stream: &Tensor) -> Result<Tensor, RunError> {
        let steps = stream.dim(1)?;
        let last = steps.saturating_sub(1);
        match &self.past {
            Some(past) => self.tap.begin(past.positions.saturating_sub(1), None),
            None => self.tap.begin(last, Some(steps)),
        }
        Ok(stream.i((.., last..=last, ..))?.contiguous()?)
    }

    fn wants(&self, layer: usize, site: Site) -> bool {
        self.tap.wants(HookPoint::block(layer, site))
    }

    fn visit(&mut self, layer: usize, site: Site, value: Tensor) -> Result<Tensor, RunError> {
        self.tap.visit(HookPoint::block(layer, site), value)
    }
}

impl Linear {
    /// `x W + b` for `x` `[.., in]`.
    pub(crate) fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        ops::linear(x, &self.weight, self.bias.as_ref())
    }
}

impl Norm {
    /// The norm of `x` `[.., D]`.
    pub(crate) fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        ops::norm(x, self.kind, self.epsilon, &self.gain, self.bias.as_ref())
    }
}
