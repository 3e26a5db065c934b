//! The backward pass of attention.

use candle_core::{D, Tensor};

use super::backward::Backward;
use super::{ops, tape};
use crate::error::RunError;
use crate::hooks::Site;
use crate::model::{Attention, Norm, Positions};

impl Backward<'_> {
    /// The gradient of what attention read, from that of what it wrote, both `[b, t, D]`.
    pub(super) fn attention(
        &mut self,
        layer: usize,
        weights: &Attention,
        written: &Tensor,
    ) -> Result<Tensor, RunError> {
        let (batch, steps, _) = written.dims3()?;
        let (heads, shared, size) = (self.config.heads, self.config.kv_heads, self.config.head_dim);
        let z = ops::linear(written, &weights.output.weight)?.reshape((batch, steps, heads, size))?;
        self.record(layer, Site::Z, &z);
        let [q, k, v] = self.heads(layer, &z)?;
        let [q, k] = self.unpositioned(layer, weights, q, k)?;
        for (site, gradient) in [(Site::Q, &q), (Site::K, &k), (Site::V, &v)] {
            self.record(layer, site, gradient);
        }
        let flat = |gradient: &Tensor, count: usize| gradient.reshape((batch, steps, count * size));
        let all = Tensor::cat(&[flat(&q, heads)?, flat(&k, shared)?, flat(&v, shared)?], D::Minus1)?;
        Ok(ops::linear(&all, &weights.qkv.weight)?)
    }

    /// Gradients of queries `[b, t, H, dh]` and keys as they are compared, and of values, `[b, t, K, dh]`, from that of
    /// the weighted values `[b, t, H, dh]`.
    fn heads(&mut self, layer: usize, z: &Tensor) -> Result<[Tensor; 3], RunError> {
        let (batch, steps, heads, size) = z.dims4()?;
        let shared = self.config.kv_heads;
        let together = heads / shared * steps;
        // Query heads that share a key head stand one below the other.
        let below = |x: &Tensor| {
            if heads == shared {
                return by_head(x);
            }
            x.transpose(1, 2)?.contiguous()?.reshape((batch, shared, together, size))
        };
        let [q_site, k_site] = tape::compared(self.config);
        let z = below(z)?;
        let v = by_head(&self.tape.take(layer, Site::V)?)?;
        let pattern = self.tape.take(layer, Site::Pattern)?;
        let past = pattern.dim(D::Minus1)?;
        let gradient = z.matmul(&v.t()?)?;
        let stacked = pattern.reshape((batch, shared, together, past))?;
        let v = stacked.t()?.matmul(&z)?.transpose(1, 2)?.contiguous()?;
        self.record_with(layer, Site::Pattern, || gradient.reshape((batch, heads, steps, past)))?;
        self.record_with(layer, Site::AttnScores, || {
            ops::softmax(&gradient, &stacked)?.reshape((batch, heads, steps, past))
        })?;
        let mut scores = ops::scaled_softmax(&gradient, &stacked, self.config.attention_scale)?;
        if let Some(cap) = self.config.attention_softcap {
            let capped = self.tape.take(layer, Site::AttnScores)?.reshape(scores.shape())?;
            scores = ops::softcap(&scores, &capped, cap)?;
        }
        let k = by_head(&self.tape.take(layer, k_site)?)?;
        let q = below(&self.tape.take(layer, q_site)?)?;
        let k_gradient = scores.t()?.matmul(&q)?.transpose(1, 2)?.contiguous()?;
        let q_gradient = scores.matmul(&k)?.reshape((batch, heads, steps, size))?;
        Ok([q_gradient.transpose(1, 2)?.contiguous()?, k_gradient, v])
    }

    /// Gradients of queries and keys before their rotation and norm.
    fn unpositioned(
        &mut self,
        layer: usize,
        weights: &Attention,
        q: Tensor,
        k: Tensor,
    ) -> Result<[Tensor; 2], RunError> {
        let (mut q, mut k) = (q, k);
        if let Positions::Rotary(rotations) = &self.config.positions
            && let Some(rotary) = rotations.get(layer)
        {
            self.record(layer, Site::RotQ, &q);
            self.record(layer, Site::RotK, &k);
            let (cos, sin) = crate::ops::rotation(&rotary.frequencies, rotary.scale, 0, q.dim(1)?, &q)?;
            (q, k) = (ops::rotate(&q, &cos, &sin)?, ops::rotate(&k, &cos, &sin)?);
        }
        if let (Some(q_norm), Some(k_norm)) = (&weights.q_norm, &weights.k_norm) {
            self.record(layer, Site::QNormed, &q);
            self.record(layer, Site::KNormed, &k);
            q = self.head_norm(layer, q_norm, Site::Q, &q)?;
            k = self.head_norm(layer, k_norm, Site::K, &k)?;
        }
        Ok([q, k])
    }

    /// The gradient of what a norm of each head read; its quotient is computed again.
    fn head_norm(
        &mut self,
        layer: usize,
        norm: &Norm,
        site: Site,
        written: &Tensor,
    ) -> Result<Tensor, RunError> {
        let read = self.tape.take(layer, site)?;
        let (normalized, scale) = crate::ops::normalize(&read, norm.kind, norm.epsilon)?;
        Ok(ops::norm(written, norm, &normalized, &scale)?)
    }
}

/// `[b, t, heads, dh]` as `[b, heads, t, dh]`, in a form that can be multiplied.
fn by_head(x: &Tensor) -> candle_core::Result<Tensor> {
    let turned = x.transpose(1, 2)?;
    // On the CPU one sequence need not be copied: its heads are a stride apart.
    if x.dim(0)? == 1 && x.device().is_cpu() { Ok(turned) } else { turned.contiguous() }
}
