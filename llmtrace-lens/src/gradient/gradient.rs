//! The gradient of what a model says of prompts.

use std::sync::Arc;

use candle_core::{D, DType, Device, Tensor};

use super::backward::Backward;
use super::input::Input;
use super::readout;
use super::tape::Recorder;
use super::target::Target;
use crate::error::RunError;
use crate::hooks::{ActivationCache, Filter, HookPoint, NoTap, PointSet, Site, Tap, points};
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

    /// The Euclidean length of the gradient by each embedding (saliency, Simonyan et al. 2013): for each prompt, one number
    /// a position.
    ///
    /// # Errors
    /// The tensor library refuses.
    pub fn norms(&self) -> Result<Vec<Vec<f64>>, RunError> {
        Ok(in_f64(&self.embeddings)?.sqr()?.sum(D::Minus1)?.sqrt()?.to_vec2()?)
    }

    /// The gradient times embeddings `[b, t, D]`, summed over their width: for each prompt, one number a position. With
    /// the prompts' own embeddings it is gradient x input (Shrikumar et al. 2016).
    ///
    /// # Errors
    /// The embeddings have another shape.
    pub fn times(&self, embeddings: &Tensor) -> Result<Vec<Vec<f64>>, RunError> {
        if embeddings.dims() != self.embeddings.dims() {
            return Err(RunError::Input(format!(
                "embeddings of shape {:?} were given, expected {:?}",
                embeddings.dims(),
                self.embeddings.dims()
            )));
        }
        let product = (in_f64(&self.embeddings)? * in_f64(embeddings)?)?;
        Ok(product.sum(D::Minus1)?.to_vec2()?)
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
    /// use llmtrace_lens::Model;
    /// use llmtrace_lens::gradient::Target;
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
        let none = PointSet::none(self.config());
        let (gradient, _) = self.backward_keeping(&self.embeddings(input)?, target, none.clone(), none)?;
        Ok(gradient)
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
        let costly = |point: &HookPoint| wanted.contains(*point) && point.site().is_costly();
        if let Some(point) = points(self.config()).find(costly) {
            return Err(RunError::Input(format!("no gradient is computed at {point}")));
        }
        let embeddings = self.embeddings(input)?;
        let (gradient, _) =
            self.backward_keeping(&embeddings, target, wanted, PointSet::none(self.config()))?;
        Ok(gradient)
    }

    /// The value of `target` for each of several prompts of one length, without a backward pass.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    pub fn score<'a>(&self, input: impl Into<Input<'a>>, target: &Target) -> Result<Vec<f64>, RunError> {
        self.run_for(&self.embeddings(input)?, target, &mut NoTap)
    }

    /// The log-probability (natural logarithm) that the prompt is followed by these tokens: the sum over them, each after
    /// the prompt and the ones before it.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient).
    pub fn log_probability(&self, prompt: &[u32], continuation: &[u32]) -> Result<f64, RunError> {
        let values = self.score(prompt, &Target::continuation(continuation))?;
        Ok(values.into_iter().sum())
    }

    /// The value of `target` for each prompt, and the values of the run at the points in `kept`.
    pub(super) fn run_keeping(
        &self,
        embeddings: &Tensor,
        target: &Target,
        kept: PointSet,
    ) -> Result<(Vec<f64>, ActivationCache), RunError> {
        let mut recorder = Recorder::of_values(self.shared_config(), kept);
        let values = self.run_for(embeddings, target, &mut recorder)?;
        Ok((values, recorder.cache))
    }

    fn run_for(
        &self,
        embeddings: &Tensor,
        target: &Target,
        tap: &mut impl Tap,
    ) -> Result<Vec<f64>, RunError> {
        let (config, weights) = (self.config(), self.weights());
        let reading = target.resolve(embeddings.dim(1)?, config.vocab)?;
        let start = Start::Embeddings(self.appended(embeddings.clone(), &reading.appended)?);
        let stream = Forward { config, weights, tap, past: None }.stream(start)?;
        Ok(readout::say(config, weights, &stream, &reading, false)?.values)
    }

    /// The gradient, with that by the values at the points in `wanted`, and the values of its run at those in `kept`.
    pub(super) fn backward_keeping(
        &self,
        embeddings: &Tensor,
        target: &Target,
        wanted: PointSet,
        kept: PointSet,
    ) -> Result<(Gradient, ActivationCache), RunError> {
        let (config, weights) = (self.config(), self.weights());
        let steps = embeddings.dim(1)?;
        let reading = target.resolve(steps, config.vocab)?;
        let start = self.appended(embeddings.clone(), &reading.appended)?;
        let all_steps = start.dim(1)?;
        let mut recorder = Recorder::of_blocks(self.shared_config(), kept);
        let mut forward = Forward { config, weights, tap: &mut recorder, past: None };
        let stream = forward.stream(Start::Embeddings(start))?;
        let Recorder { tape, cache, .. } = recorder;
        let all_logits = wanted.contains(HookPoint::global(Site::Unembed));
        let said = readout::say(config, weights, &stream, &reading, all_logits)?;
        drop(stream);
        let gradients = ActivationCache::new(Arc::clone(self.shared_config()));
        let mut pass = Backward { config, weights, tape, wanted, gradients };
        let gradient = pass.read(&said, &reading, all_steps)?;
        let embeddings = pass.blocks(gradient)?.narrow(1, 0, steps)?;
        Ok((Gradient { values: said.values, embeddings, points: pass.gradients }, cache))
    }
}

/// Not every device has f64.
pub(super) fn in_f64(tensor: &Tensor) -> candle_core::Result<Tensor> {
    tensor.to_device(&Device::Cpu)?.to_dtype(DType::F64)
}
