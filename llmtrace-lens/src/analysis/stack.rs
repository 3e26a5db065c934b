//! Stacks of the residual stream, as TransformerLens has them.

use candle_core::{D, Tensor};

use super::direction::Target;
use super::error::ReadError;
use super::reading::{Reading, single};
use crate::hooks::{HookPoint, Site};
use crate::model::{Norm, NormKind};
use crate::ops::floats;

/// Vectors of the residual stream, one entry for each part of a run.
#[derive(Clone, Debug)]
pub struct ResidualStack {
    labels: Vec<String>,
    values: Tensor,
}

impl ResidualStack {
    /// The entries' names, as TransformerLens has them.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The entries `[n, t, D]`.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Entries `[1, t, D]` under their names.
    fn of(entries: Vec<(String, Tensor)>) -> Result<Self, ReadError> {
        let (labels, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        Ok(Self { labels, values: Tensor::cat(&values, 0)? })
    }
}

impl Reading<'_> {
    /// The stream before each block up to `layer`: `0_pre`, `1_pre`, .., and `final_post` where `layer` is their number.
    ///
    /// # Errors
    /// There is no such block, or the run did not keep the stream.
    pub fn accumulated_resid(&self, layer: usize) -> Result<ResidualStack, ReadError> {
        self.accumulated(layer, &[Site::ResidPre])
    }

    /// The same with the stream between attention and MLP of each block before `layer`: `0_pre`, `0_mid`, ..
    ///
    /// # Errors
    /// As above; or the model's blocks are parallel and have no stream there.
    pub fn accumulated_resid_with_mid(&self, layer: usize) -> Result<ResidualStack, ReadError> {
        self.accumulated(layer, &[Site::ResidPre, Site::ResidMid])
    }

    fn accumulated(&self, layer: usize, sites: &[Site]) -> Result<ResidualStack, ReadError> {
        let layers = self.config().layers;
        ReadError::check("block", layer, layers + 1)?;
        let mut entries = Vec::new();
        for before in 0..layer {
            for site in sites {
                let name = if *site == Site::ResidPre { "pre" } else { "mid" };
                entries.push((
                    format!("{before}_{name}"),
                    self.stream(HookPoint::block(before, *site))?.clone(),
                ));
            }
        }
        entries.push(if layer == layers {
            ("final_post".to_owned(), self.last_stream()?.clone())
        } else {
            (format!("{layer}_pre"), self.stream(HookPoint::block(layer, Site::ResidPre))?.clone())
        });
        ResidualStack::of(entries)
    }

    /// What was added to the stream before a block: `embed`, `pos_embed`, `0_attn_out`, `0_mlp_out`, ..; their sum is the
    /// stream that enters it, or the last one where `layer` is the number of blocks.
    ///
    /// # Errors
    /// There is no such block, or the run did not keep one of them.
    pub fn decompose_resid(&self, layer: usize) -> Result<ResidualStack, ReadError> {
        ReadError::check("block", layer, self.config().layers + 1)?;
        let mut entries = vec![("embed".to_owned(), self.stream(HookPoint::global(Site::Embed))?.clone())];
        if Site::PosEmbed.exists_in(self.config()) {
            entries.push(("pos_embed".to_owned(), self.stream(HookPoint::global(Site::PosEmbed))?.clone()));
        }
        for before in 0..layer {
            for (site, name) in [(Site::AttnOut, "attn_out"), (Site::MlpOut, "mlp_out")] {
                entries
                    .push((format!("{before}_{name}"), self.stream(HookPoint::block(before, site))?.clone()));
            }
        }
        ResidualStack::of(entries)
    }

    /// What each head of the blocks before `layer` wrote: `L0H0`, .., then `remainder`, with which they sum to the stream
    /// there. It is `hook_z` times the output's weights, so the values' bias is in it and the output's is not; a norm after
    /// attention is held at the scale it had.
    ///
    /// # Errors
    /// There is no such block, or the run did not keep one of them.
    pub fn stack_head_results(&self, layer: usize) -> Result<ResidualStack, ReadError> {
        let config = self.config();
        let mut rest = self.decompose_resid(layer)?.values.sum_keepdim(0)?;
        let mut entries = Vec::new();
        for (before, block) in self.model.weights().blocks.iter().enumerate().take(layer) {
            let z = self
                .value(HookPoint::block(before, Site::Z), &[config.heads, config.head_dim])?
                .squeeze(0)?;
            let output = block.attention.output.weight.contiguous()?;
            let output = output.reshape((config.heads, config.head_dim, config.d_model))?;
            let mut written = z.transpose(0, 1)?.contiguous()?.matmul(&output)?;
            if let Some(norm) = &block.ln1_post {
                let scale = self.value(HookPoint::block(before, Site::Ln1PostScale), &[1])?;
                written = held(norm, &written, scale)?;
            }
            rest = (rest - written.sum_keepdim(0)?)?;
            for head in 0..config.heads {
                entries.push((format!("L{before}H{head}"), written.narrow(0, head, 1)?));
            }
        }
        entries.push(("remainder".to_owned(), rest));
        ResidualStack::of(entries)
    }

    /// The entries as the final norm passes them on, divided by the scale that it had in the run, times its gain; its
    /// bias belongs to no entry and is left out.
    ///
    /// # Errors
    /// The run did not keep the last stream.
    pub fn apply_ln_to_stack(&self, stack: &ResidualStack) -> Result<ResidualStack, ReadError> {
        let scales: Result<Vec<f32>, ReadError> =
            (0..self.tokens.len()).map(|position| self.final_scale(position)).collect();
        let scales = Tensor::from_vec(scales?, (1, self.tokens.len(), 1), stack.values.device())?;
        let values = held(&self.model.weights().ln_final, &stack.values, &scales)?;
        Ok(ResidualStack { labels: stack.labels.clone(), values })
    }

    /// What each entry adds to a logit, or a difference of two, at each position: one row for each entry. The rows of a
    /// whole stream sum to the logit less the constant of [`Attribution`](super::Attribution).
    ///
    /// # Errors
    /// A token is outside the vocabulary, or the run did not keep the last stream.
    pub fn logit_attrs(&self, stack: &ResidualStack, target: Target) -> Result<Vec<Vec<f32>>, ReadError> {
        let (column, _) = target.column(self.model)?;
        let column: Vec<f32> = column.into_iter().map(single).collect();
        let normed = self.apply_ln_to_stack(stack)?.values;
        let (entries, steps, width) = normed.dims3()?;
        let column = Tensor::from_vec(column, (width, 1), normed.device())?;
        let shares = floats(&normed.reshape((entries * steps, width))?.matmul(&column)?)?;
        Ok(shares.chunks(steps.max(1)).map(<[f32]>::to_vec).collect())
    }
}

/// A norm without its bias that divides by a scale of another value.
fn held(norm: &Norm, x: &Tensor, scale: &Tensor) -> Result<Tensor, ReadError> {
    let centred = match norm.kind {
        NormKind::Layer => x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?,
        NormKind::Rms => x.clone(),
    };
    Ok(centred.broadcast_div(scale)?.broadcast_mul(&norm.gain)?)
}
