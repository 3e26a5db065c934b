//! What a model is run on.

use candle_core::Tensor;

use crate::error::RunError;
use crate::model::Model;

/// What a gradient, or an attribution made of gradients, is computed for: prompts of one length.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// One prompt.
    Tokens(&'a [u32]),
    /// Prompts of one length.
    Batch(&'a [&'a [u32]]),
    /// Token embeddings `[b, t, D]`, scaled where the model scales them (Gemma); position embeddings are still added.
    Embeddings(&'a Tensor),
}

impl<'a> From<&'a [u32]> for Input<'a> {
    fn from(tokens: &'a [u32]) -> Self {
        Self::Tokens(tokens)
    }
}

impl<'a> From<&'a Vec<u32>> for Input<'a> {
    fn from(tokens: &'a Vec<u32>) -> Self {
        Self::Tokens(tokens)
    }
}

impl<'a, const N: usize> From<&'a [u32; N]> for Input<'a> {
    fn from(tokens: &'a [u32; N]) -> Self {
        Self::Tokens(tokens)
    }
}

impl<'a> From<&'a [&'a [u32]]> for Input<'a> {
    fn from(prompts: &'a [&'a [u32]]) -> Self {
        Self::Batch(prompts)
    }
}

impl<'a> From<&'a Tensor> for Input<'a> {
    fn from(embeddings: &'a Tensor) -> Self {
        Self::Embeddings(embeddings)
    }
}

impl Model {
    /// Token embeddings `[b, t, D]` of prompts of one length, scaled where the model scales them: the value at `hook_embed`.
    ///
    /// # Errors
    /// No token, one outside the vocabulary, more than the model has positions for, or embeddings of another width.
    pub fn embeddings<'a>(&self, input: impl Into<Input<'a>>) -> Result<Tensor, RunError> {
        match input.into() {
            Input::Tokens(tokens) => self.embed(&[tokens]),
            Input::Batch(prompts) => self.embed(prompts),
            Input::Embeddings(embeddings) => {
                self.check_stream(embeddings)?;
                self.check_positions(embeddings.dim(0)?, 0, embeddings.dim(1)?)?;
                Ok(embeddings.clone())
            }
        }
    }

    /// The embeddings `[b, t + n, D]` of prompts and the tokens that each of them goes on with.
    pub(super) fn appended(&self, embeddings: Tensor, tokens: &[u32]) -> Result<Tensor, RunError> {
        if tokens.is_empty() {
            return Ok(embeddings);
        }
        let (batch, steps, width) = embeddings.dims3()?;
        self.check_positions(batch, 0, steps + tokens.len())?;
        let more = self.embed(&[tokens])?.to_dtype(embeddings.dtype())?;
        let more = more.broadcast_as((batch, tokens.len(), width))?;
        Ok(Tensor::cat(&[&embeddings, &more], 1)?)
    }

    fn embed(&self, prompts: &[&[u32]]) -> Result<Tensor, RunError> {
        let tokens = self.batch(prompts, 0)?;
        let (batch, steps) = tokens.dims2()?;
        let rows = self.weights().embed.index_select(&tokens.flatten_all()?, 0)?;
        let rows = rows.reshape((batch, steps, self.config().d_model))?;
        Ok(self.config().embed_scale.map_or(Ok(rows.clone()), |scale| rows * scale)?)
    }
}
