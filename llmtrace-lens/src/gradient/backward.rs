//! The backward pass: one for all families, block by block from the last to the first.

use candle_core::Tensor;

use super::ops;
use super::tape::Tape;
use crate::error::RunError;
use crate::hooks::{ActivationCache, HookPoint, PointSet, Site};
use crate::model::{Block, Config, Mlp, Norm, Residual, Weights};

/// One backward pass through a model.
pub(super) struct Backward<'a> {
    pub(super) config: &'a Config,
    pub(super) weights: &'a Weights,
    pub(super) tape: Tape,
    /// Where the caller wants to see the gradient.
    pub(super) wanted: PointSet,
    pub(super) gradients: ActivationCache,
}

impl Backward<'_> {
    /// The gradient of what entered the first block, from that of what left the last, both `[b, t, D]`.
    pub(super) fn blocks(&mut self, gradient: Tensor) -> Result<Tensor, RunError> {
        let weights = self.weights;
        let mut gradient = gradient;
        for (layer, block) in weights.blocks.iter().enumerate().rev() {
            gradient = self.block(layer, block, gradient)?;
        }
        self.record(0, Site::Embed, &gradient);
        self.record(0, Site::PosEmbed, &gradient);
        Ok(gradient)
    }

    fn block(&mut self, layer: usize, block: &Block, after: Tensor) -> Result<Tensor, RunError> {
        self.record(layer, Site::ResidPost, &after);
        self.record(layer, Site::MlpOut, &after);
        self.record(layer, Site::Ln2PostOut, &after);
        let written = match &block.ln2_post {
            Some(norm) => self.norm(layer, norm, [Site::Ln2PostScale, Site::Ln2PostNormalized], &after)?,
            None => after.clone(),
        };
        self.record(layer, Site::MlpWritten, &written);
        let read = self.mlp(layer, &block.mlp, &written)?;
        self.record(layer, Site::Ln2Out, &read);
        let read = self.norm(layer, &block.ln2, [Site::Ln2Scale, Site::Ln2Normalized], &read)?;
        let (middle, skipped) = match self.config.residual {
            Residual::Sequential => ((after + read)?, None),
            Residual::Parallel => (after, Some(read)),
        };
        self.record(layer, Site::ResidMid, &middle);
        self.record(layer, Site::AttnOut, &middle);
        self.record(layer, Site::Ln1PostOut, &middle);
        let written = match &block.ln1_post {
            Some(norm) => self.norm(layer, norm, [Site::Ln1PostScale, Site::Ln1PostNormalized], &middle)?,
            None => middle.clone(),
        };
        self.record(layer, Site::AttnWritten, &written);
        let read = self.attention(layer, &block.attention, &written)?;
        self.record(layer, Site::Ln1Out, &read);
        let read = self.norm(layer, &block.ln1, [Site::Ln1Scale, Site::Ln1Normalized], &read)?;
        let mut before = (middle + read)?;
        if let Some(skipped) = skipped {
            before = (before + skipped)?;
        }
        self.record(layer, Site::ResidPre, &before);
        Ok(before)
    }

    /// The gradient of what an MLP read, from that of what it wrote, both `[b, t, D]`.
    fn mlp(&mut self, layer: usize, mlp: &Mlp, written: &Tensor) -> Result<Tensor, RunError> {
        let post = ops::linear(written, &mlp.output.weight)?;
        self.record(layer, Site::Post, &post);
        let pre = self.tape.take(layer, Site::Pre)?;
        let activation = self.config.activation;
        let Some(gate) = &mlp.gate else {
            let pre = ops::activated(&post, &pre, activation)?;
            self.record(layer, Site::Pre, &pre);
            return Ok(ops::linear(&pre, &mlp.input.weight)?);
        };
        let linear = self.tape.take(layer, Site::PreLinear)?;
        let [pre, linear] = ops::gated(&post, &pre, &linear, activation)?;
        self.record(layer, Site::Pre, &pre);
        self.record(layer, Site::PreLinear, &linear);
        Ok((ops::linear(&pre, &gate.weight)? + ops::linear(&linear, &mlp.input.weight)?)?)
    }

    /// The gradient of what a norm read, from that of what it wrote.
    fn norm(
        &mut self,
        layer: usize,
        norm: &Norm,
        [scale_site, normalized_site]: [Site; 2],
        written: &Tensor,
    ) -> Result<Tensor, RunError> {
        let scale = self.tape.take(layer, scale_site)?;
        let normalized = self.tape.take(layer, normalized_site)?;
        let quotient = || written.broadcast_mul(&norm.gain);
        self.record_with(layer, normalized_site, quotient)?;
        self.record_with(layer, scale_site, || ops::divisor(&quotient()?, &normalized, &scale))?;
        Ok(ops::norm(written, norm, &normalized, &scale)?)
    }

    pub(super) fn wants(&self, layer: usize, site: Site) -> bool {
        self.wanted.contains(HookPoint::block(layer, site))
    }

    pub(super) fn record(&mut self, layer: usize, site: Site, gradient: &Tensor) {
        if self.wants(layer, site) {
            self.gradients.insert(HookPoint::block(layer, site), 0, gradient.clone());
        }
    }
}
