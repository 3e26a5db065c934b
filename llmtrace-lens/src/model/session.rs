//! A text that a model goes on with.

use candle_core::Tensor;

use super::forward::{Forward, Past, Readout, Start};
use super::model::Model;
use crate::error::RunError;
use crate::hooks::{ActivationCache, HookTap, Hooks, NoTap, Tap};

/// Keys and values of what a model has read, so that each next token costs one position.
#[derive(Clone, Debug)]
pub struct Session<'m> {
    model: &'m Model,
    past: Past,
}

impl<'m> Session<'m> {
    pub(crate) fn new(model: &'m Model) -> Self {
        Self { model, past: Past::default() }
    }

    /// The number of positions read.
    pub fn positions(&self) -> usize {
        self.past.positions
    }

    /// Bytes of keys and values that are kept.
    pub fn bytes(&self) -> usize {
        let size = |tensor: &Tensor| tensor.elem_count() * tensor.dtype().size_in_bytes();
        self.past.blocks.iter().flatten().map(|(k, v)| size(k) + size(v)).sum()
    }

    /// Reads more tokens; answers with the logits `[1, 1, V]` after the last of them.
    ///
    /// # Errors
    /// No token, one outside the vocabulary, or more positions than the model has.
    pub fn read(&mut self, tokens: &[u32]) -> Result<Tensor, RunError> {
        self.read_with_tap(tokens, &mut NoTap)
    }

    /// The same with hooks; the cache has this step's positions only.
    ///
    /// # Errors
    /// As for [`read`](Self::read); or a hook failed.
    pub fn read_with_hooks(
        &mut self,
        tokens: &[u32],
        hooks: &mut Hooks<'_>,
    ) -> Result<(Tensor, ActivationCache), RunError> {
        let mut tap = HookTap::new(hooks, self.model.shared_config())?;
        let logits = self.read_with_tap(tokens, &mut tap)?;
        Ok((logits, tap.cache))
    }

    /// A pass that fails leaves the session where it was.
    pub(crate) fn read_with_tap(&mut self, tokens: &[u32], tap: &mut dyn Tap) -> Result<Tensor, RunError> {
        let tokens = self.model.batch(&[tokens], self.past.positions)?;
        let mut past = self.past.clone();
        let mut forward = Forward {
            config: self.model.config(),
            weights: self.model.weights(),
            tap,
            past: Some(&mut past),
        };
        let logits = forward.logits(Start::Tokens(&tokens), Readout::Last)?;
        self.past = past;
        Ok(logits)
    }
}
