//! The closed form: what every source adds to a batch of readings, without autograd.
//!
//! With patterns and divisors held, the gradient of a reading goes back block by block: through attention it is two products
//! with weights and one with the pattern, through an MLP nothing passes but a transcoder's linear way. At each MLP's output
//! the gradient times what a source writes is the source's share.

use candle_core::{D, DType, Tensor};

use super::active::through_gain;
use super::layer::HeldLayer;
use super::local::Local;
use super::target::Reading;
use crate::circuit::error::CircuitError;
use crate::hooks::{HookPoint, Site};
use crate::model::Residual;
use crate::ops::floats;

/// What each source adds to one reading.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// By active feature, then by error (layer, position), then by token.
    pub(super) sources: Vec<f32>,
    /// What no node adds: biases, position embeddings, MLPs at masked positions.
    pub(super) constant: f32,
}

impl Local<'_> {
    /// The number of sources: active features, errors, tokens.
    pub(super) fn sources(&self) -> usize {
        self.features.len() + (self.layers.len() + 1) * self.steps()
    }

    /// The rows of some readings: what each source adds to each.
    pub(super) fn rows(&self, readings: &[&Reading]) -> Result<Vec<Row>, CircuitError> {
        if readings.is_empty() {
            return Ok(Vec::new());
        }
        let steps = readings.iter().map(|reading| reading.position + 1).max().unwrap_or(0);
        let top = readings.iter().map(|reading| reading.layer).max().unwrap_or(0);
        let width = self.model.config().d_model;
        let mut pass = Pass {
            local: self,
            readings,
            steps,
            rows: readings
                .iter()
                .map(|reading| Row { sources: vec![0.0; self.sources()], constant: reading.constant })
                .collect(),
        };
        let dims = (steps, readings.len(), width);
        let mut gradient = match pass.injected(self.layers.len())? {
            Some(injected) => injected,
            None => Tensor::zeros(dims, DType::F32, self.model.device())?,
        };
        for (layer, held) in self.layers.iter().enumerate().take(top + 1).rev() {
            gradient = pass.layer(layer, held, gradient, layer < top)?;
        }
        pass.embeddings(&gradient)?;
        Ok(pass.rows)
    }
}

/// One batch going back. Gradients are `[T, B, D]`: position, reading, width.
struct Pass<'a> {
    local: &'a Local<'a>,
    readings: &'a [&'a Reading],
    /// Positions that the readings can depend on.
    steps: usize,
    rows: Vec<Row>,
}

impl Pass<'_> {
    /// The gradient of what entered a block from that of what left it; `below` tells that there is any yet.
    fn layer(
        &mut self,
        layer: usize,
        held: &HeldLayer,
        after: Tensor,
        below: bool,
    ) -> Result<Tensor, CircuitError> {
        let mut through_mlp = self.injected(layer)?;
        if below {
            let written = self.written(layer, held, &after)?;
            if let Some((skip, scale)) = &held.skip {
                let read = product(&written, skip)?.broadcast_div(&scale.narrow(0, 0, self.steps)?)?;
                through_mlp = Some(through_mlp.map_or(Ok(read.clone()), |more| more + read)?);
            }
        }
        let parallel = self.local.model.config().residual == Residual::Parallel;
        let add = |gradient: Tensor, more: Option<Tensor>| {
            more.map_or(Ok(gradient.clone()), |more| gradient + more)
        };
        let (middle, late) = if parallel { (after, through_mlp) } else { (add(after, through_mlp)?, None) };
        self.constant(&middle, &held.attention_constant)?;
        let before = (&middle + self.attention(held, &middle)?)?;
        Ok(add(before, late)?)
    }

    /// Reads the sources of a layer, and gives the gradient of what its features write.
    fn written(&mut self, layer: usize, held: &HeldLayer, after: &Tensor) -> Result<Tensor, CircuitError> {
        let written = match &held.post {
            Some((norm, scale)) => {
                through_gain(after, norm)?.broadcast_div(&scale.narrow(0, 0, self.steps)?)?
            }
            None => after.clone(),
        };
        for (position, here) in held.written.iter().enumerate().take(self.steps) {
            if here.rows.is_empty() {
                continue;
            }
            let index = Tensor::from_slice(&here.rows, here.rows.len(), written.device())?;
            let vectors = held.decoders.index_select(&index, 0)?;
            let shares = floats(&written.get(position)?.matmul(&vectors.t()?)?)?;
            for (row, shares) in self.rows.iter_mut().zip(shares.chunks(here.rows.len())) {
                for ((share, feature), activation) in shares.iter().zip(&here.features).zip(&here.activations)
                {
                    if let Some(edge) = row.sources.get_mut(*feature) {
                        *edge += share * activation;
                    }
                }
            }
        }
        let first = self.local.features.len() + layer * self.local.steps();
        self.each_position(after, &held.errors, first)?;
        self.constant(after, &held.mlp_constant)?;
        Ok(written)
    }

    fn embeddings(&mut self, gradient: &Tensor) -> Result<(), CircuitError> {
        let local = self.local;
        let first = local.features.len() + local.layers.len() * local.steps();
        let embed = local.cache.at(HookPoint::global(Site::Embed))?.squeeze(0)?;
        self.each_position(gradient, &embed, first)?;
        if Site::PosEmbed.exists_in(local.model.config()) {
            let positions = local.cache.at(HookPoint::global(Site::PosEmbed))?.squeeze(0)?;
            self.constant(gradient, &positions)?;
        }
        Ok(())
    }

    /// What attention sends back.
    fn attention(&self, held: &HeldLayer, middle: &Tensor) -> Result<Tensor, CircuitError> {
        let (steps, batch, _) = middle.dims3()?;
        let (shared, group, _, _) = held.pattern.dims4()?;
        let size = self.local.model.config().head_dim;
        let heads = product(middle, &held.to_heads)?.reshape((steps, batch, shared, group, size))?;
        let heads = heads.permute((2, 3, 0, 1, 4))?.contiguous()?;
        let heads = heads.reshape((shared, group * steps, batch * size))?;
        // Query heads that share a key head stand one below the other, so that one product sums them.
        let pattern = held.pattern.narrow(2, 0, steps)?.narrow(3, 0, steps)?.contiguous()?;
        let pattern = pattern.reshape((shared, group * steps, steps))?.transpose(1, 2)?;
        let values = pattern.contiguous()?.matmul(&heads)?.reshape((shared, steps, batch, size))?;
        let values = values.permute((1, 2, 0, 3))?.contiguous()?.reshape((steps, batch, shared * size))?;
        Ok(product(&values, &held.from_heads)?)
    }

    /// The readings that begin at a layer, as a gradient; nothing where none does.
    fn injected(&self, layer: usize) -> Result<Option<Tensor>, CircuitError> {
        if self.readings.iter().all(|reading| reading.layer != layer) {
            return Ok(None);
        }
        let width = self.local.model.config().d_model;
        let batch = self.readings.len();
        let mut values = vec![0.0_f32; self.steps * batch * width];
        for (index, reading) in self.readings.iter().enumerate().filter(|(_, reading)| reading.layer == layer)
        {
            let first = (reading.position * batch + index) * width;
            if let Some(place) = values.get_mut(first..first + width) {
                for (place, value) in place.iter_mut().zip(reading.vector.iter()) {
                    *place = value / reading.divisor;
                }
            }
        }
        Ok(Some(Tensor::from_vec(values, (self.steps, batch, width), self.local.model.device())?))
    }

    /// Adds a gradient times one vector a position `[T, D]` to one source a position.
    fn each_position(
        &mut self,
        gradient: &Tensor,
        vectors: &Tensor,
        first: usize,
    ) -> Result<(), CircuitError> {
        let shares = self.products(gradient, vectors)?;
        for (position, shares) in shares.iter().enumerate() {
            for (row, share) in self.rows.iter_mut().zip(shares) {
                if let Some(edge) = row.sources.get_mut(first + position) {
                    *edge += share;
                }
            }
        }
        Ok(())
    }

    fn constant(&mut self, gradient: &Tensor, vectors: &Tensor) -> Result<(), CircuitError> {
        for shares in self.products(gradient, vectors)? {
            for (row, share) in self.rows.iter_mut().zip(shares) {
                row.constant += share;
            }
        }
        Ok(())
    }

    /// Products `[T][B]` of a gradient with one vector a position `[T, D]`.
    fn products(&self, gradient: &Tensor, vectors: &Tensor) -> Result<Vec<Vec<f32>>, CircuitError> {
        let vectors = vectors.narrow(0, 0, self.steps)?.unsqueeze(2)?.contiguous()?;
        Ok(gradient.contiguous()?.matmul(&vectors)?.squeeze(D::Minus1)?.to_vec2()?)
    }
}

/// `x` `[T, B, in]` times `weight` `[in, out]`.
fn product(x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
    crate::ops::linear(x, weight, None)
}
