//! The gradient of what a model says of prompts.

use std::sync::Arc;

use candle_core::Tensor;

use super::backward::Backward;
use super::input::Input;
use super::tape::Tape;
use super::target::Target;
use crate::error::RunError;
use crate::hooks::{ActivationCache, Filter, PointSet, points};
use crate::model::{Forward, Model, Start};

/// How what a model says of prompts changes with every number on the way: the derivative by it.
#[derive(Clone, Debug)]
pub struct Gradient {
    values: Vec<f64>,
    embeddings: Tensor,
    points: ActivationCache,
}

impl Gradient {
    /// The target's value for each prompt.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The gradient by the token embeddings of the prompts `[b, t, D]`, as they are at `hook_embed`.
    pub fn embeddings(&self) -> &Tensor {
        &self.embeddings
    }

    /// The gradients by the values at the points asked for, each of the shape of its [`Site`](crate::Site); where the
    /// target is a continuation, its tokens have positions here too.
    pub fn points(&self) -> &ActivationCache {
        &self.points
    }
}

impl Model {
    /// The gradient of `target` by the token embeddings of one prompt, or of several of one length: a run, and a backward
    /// pass through every block with softmax and norms in full, and constant weights.
    ///
    /// ```no_run
    /// use llmtrace_lens::{Model, Target};
    ///
    /// let model = Model::load("models/two-hop")?;
    /// let tokens = model.tokenize("the capital of the state containing Dallas is")?;
    /// let gradient = model.gradient(&tokens, &Target::logit(42))?;
    /// assert_eq!(gradient.embeddings().dims()[1], tokens.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The input cannot be run, or the target names a token or a position that is not there.
    pub fn gradient<'a>(&self, input: impl Into<Input<'a>>, target: &Target) -> Result<Gradient, RunError> {
        let embeddings = self.embeddings(input)?;
        self.backward(&embeddings, target, PointSet::none(self.config()))
    }

    /// The same, with the gradients by the values at the hook points that `filter` chooses.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient); or the filter names a point that the model does not have, or one at which no
    /// gradient is computed: those that [`Site::is_costly`](crate::Site::is_costly) tells.
    pub fn gradient_at<'a>(
        &self,
        input: impl Into<Input<'a>>,
        target: &Target,
        filter: impl Into<Filter>,
    ) -> Result<Gradient, RunError> {
        let wanted = filter.into().resolve(self.config())?;
        let costly = |point: &crate::HookPoint| wanted.contains(*point) && point.site().is_costly();
        if let Some(point) = points(self.config()).find(costly) {
            return Err(RunError::Input(format!("no gradient is computed at {point}")));
        }
        let embeddings = self.embeddings(input)?;
        self.backward(&embeddings, target, wanted)
    }

    fn backward(&self, embeddings: &Tensor, target: &Target, wanted: PointSet) -> Result<Gradient, RunError> {
        let (config, weights) = (self.config(), self.weights());
        let steps = embeddings.dim(1)?;
        let reading = target.resolve(steps, config.vocab)?;
        let start = Start::Embeddings(self.appended(embeddings.clone(), &reading.appended)?);
        let mut tape = Tape::new(config);
        let stream = Forward { config, weights, tap: &mut tape, past: None }.stream(start)?;
        let gradients = ActivationCache::new(Arc::clone(self.shared_config()));
        let mut pass = Backward { config, weights, tape, wanted, gradients };
        let (values, gradient) = pass.read(&stream, &reading)?;
        drop(stream);
        let gradient = pass.blocks(gradient)?;
        Ok(Gradient { values, embeddings: gradient.narrow(1, 0, steps)?, points: pass.gradients })
    }
}
