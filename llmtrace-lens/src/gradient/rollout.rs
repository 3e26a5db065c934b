//! Attention rollout.

use candle_core::Tensor;

use crate::error::RunError;
use crate::hooks::{ActivationCache, HookPoint, Site};
use crate::model::Model;

impl Model {
    /// Attention rollout `[L, t, t]` of one prompt (Abnar and Zuidema 2020): entry `[l, i, j]` is the share of position
    /// `j`'s embedding in what position `i` is after block `l`, were attention all that moves it. Heads are averaged, half
    /// of the stream passes each block unchanged, and blocks are multiplied.
    ///
    /// # Errors
    /// The prompt cannot be run.
    pub fn attention_rollout(&self, tokens: &[u32]) -> Result<Tensor, RunError> {
        let (_, cache) = self.run_with_cache(tokens, "blocks.*.attn.hook_pattern")?;
        rollout(&cache)?.ok_or_else(|| RunError::Input("the model has no block".to_owned()))
    }
}

fn rollout(cache: &ActivationCache) -> Result<Option<Tensor>, RunError> {
    let mut layers: Vec<Tensor> = Vec::with_capacity(cache.config().layers);
    for layer in 0..cache.config().layers {
        let pattern = cache.at(HookPoint::block(layer, Site::Pattern))?.squeeze(0)?.mean(0)?;
        let unchanged = Tensor::eye(pattern.dim(0)?, pattern.dtype(), pattern.device())?;
        let mixed = ((pattern + unchanged)? * 0.5)?;
        let after = layers.last().map_or(Ok(mixed.clone()), |before| mixed.matmul(before))?;
        layers.push(after);
    }
    Ok(if layers.is_empty() { None } else { Some(Tensor::stack(&layers, 0)?) })
}
