//! Integrated gradients.

use std::fmt;

use candle_core::{D, DType, Device, Tensor};

use super::gradient::in_f64;
use super::input::Input;
use super::quadrature::gauss_legendre;
use super::target::Target;
use crate::error::RunError;
use crate::model::Model;

/// Integrated gradients (Sundararajan et al. 2017): the gradient, averaged along the straight line from a baseline to the
/// prompt's embeddings, times their difference. The sum over all is what the target has more than at the baseline.
///
/// ```
/// use llmtrace_lens::gradient::{Baseline, IntegratedGradients};
///
/// let method = IntegratedGradients::new(Baseline::Token(0)).steps(20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegratedGradients {
    baseline: Baseline,
    steps: usize,
}

/// What integrated gradients compare a prompt with. Position embeddings, where a model adds them, stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Baseline {
    /// The embedding of one token at every position.
    Token(u32),
    /// Embeddings of zeros.
    Zero,
    /// The mean embedding of the vocabulary at every position.
    Mean,
}

/// What integrated gradients found for one prompt.
#[derive(Clone, Debug)]
pub struct Integrated {
    /// What each number of each embedding did `[t, D]`, f32.
    pub attributions: Tensor,
    /// The target's value at the prompt.
    pub value: f64,
    /// The target's value at the baseline.
    pub baseline_value: f64,
    /// What the prompt was compared with.
    pub baseline: Baseline,
    /// Gradients that were averaged.
    pub steps: usize,
}

/// Steps unless told otherwise, as in Captum 0.9.
const STEPS: usize = 50;

impl IntegratedGradients {
    /// Compares with this baseline, in 50 steps.
    pub fn new(baseline: Baseline) -> Self {
        Self { baseline, steps: STEPS }
    }

    /// What explanations by it are called.
    pub(crate) const NAME: &str = "integrated_gradients";

    /// Most steps: a hundred are nearly always enough, and more than these take longer to lay out than to run.
    pub const MAX_STEPS: usize = 10_000;

    /// Averages the gradients at so many nodes of a Gauss-Legendre rule, at least one and at most
    /// [`MAX_STEPS`](Self::MAX_STEPS).
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps.max(1);
        self
    }

    pub(crate) fn baseline(&self) -> Baseline {
        self.baseline
    }

    pub(crate) fn step_count(&self) -> usize {
        self.steps
    }

    /// Prompts that are run: the gradients, and the two ends.
    pub(crate) fn runs(&self) -> usize {
        self.steps.saturating_add(2)
    }
}

impl Default for IntegratedGradients {
    /// Embeddings of zeros as the baseline, 50 steps.
    fn default() -> Self {
        Self::new(Baseline::Zero)
    }
}

impl Integrated {
    /// What each position did, summed over its embedding.
    ///
    /// # Errors
    /// The tensor library refuses.
    pub fn by_position(&self) -> Result<Vec<f64>, RunError> {
        Ok(self.attributions.to_dtype(DType::F64)?.sum(D::Minus1)?.to_vec1()?)
    }

    /// What the sum of the attributions exceeds the difference of the two values by: 0 for an exact integral.
    ///
    /// # Errors
    /// The tensor library refuses.
    pub fn delta(&self) -> Result<f64, RunError> {
        Ok(self.by_position()?.iter().sum::<f64>() - (self.value - self.baseline_value))
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "embedding of token {id}"),
            Self::Zero => f.write_str("embeddings of zeros"),
            Self::Mean => f.write_str("mean embedding of the vocabulary"),
        }
    }
}

impl Model {
    /// What each number of a prompt's embeddings did to the target, by integrated gradients.
    ///
    /// # Errors
    /// As for [`gradient`](Self::gradient); or several prompts were given, or more than
    /// [`MAX_STEPS`](IntegratedGradients::MAX_STEPS) steps are asked for.
    pub fn integrated_gradients<'a>(
        &self,
        input: impl Into<Input<'a>>,
        target: &Target,
        method: &IntegratedGradients,
    ) -> Result<Integrated, RunError> {
        self.integrated_gradients_keeping(input, target, method, &[])
    }

    /// The same, with the prompt's own embeddings in the baseline at the positions that are kept.
    pub(crate) fn integrated_gradients_keeping<'a>(
        &self,
        input: impl Into<Input<'a>>,
        target: &Target,
        method: &IntegratedGradients,
        kept: &[bool],
    ) -> Result<Integrated, RunError> {
        let (steps, most) = (method.steps, IntegratedGradients::MAX_STEPS);
        if steps > most {
            return Err(RunError::Input(format!(
                "integrated gradients take at most {most} steps, not {steps}: 50 to 300 are usual"
            )));
        }
        let prompt = self.embeddings(input)?;
        let (prompts, positions, _) = prompt.dims3()?;
        if prompts != 1 {
            return Err(RunError::Input(format!("integrated gradients take one prompt, not {prompts}")));
        }
        let baseline = keeping(kept, &prompt, &self.baseline(method.baseline, &prompt)?)?;
        let difference = (&prompt - &baseline)?;
        let mut mean: Option<Tensor> = None;
        let batch = target.batch(positions, self.config().vocab);
        for nodes in gauss_legendre(method.steps).chunks(batch) {
            let path = nodes.iter().map(|(along, _)| &baseline + (&difference * *along)?);
            let path = Tensor::cat(&path.collect::<candle_core::Result<Vec<_>>>()?, 0)?;
            let gradient = self.gradient(&path, target)?;
            let weights: Vec<f64> = nodes.iter().map(|(_, weight)| *weight).collect();
            let weights = Tensor::from_vec(weights, (nodes.len(), 1, 1), &Device::Cpu)?;
            let gradients = in_f64(gradient.embeddings())?;
            let part = gradients.broadcast_mul(&weights)?.sum(0)?;
            mean = Some(mean.map_or(Ok(part.clone()), |sum| sum + part)?);
        }
        let difference = in_f64(&difference.squeeze(0)?)?;
        let attributions = mean.map_or(Ok(difference.clone()), |mean| mean * difference)?;
        let ends = self.score(&Tensor::cat(&[&prompt, &baseline], 0)?, target)?;
        Ok(Integrated {
            attributions: attributions.to_dtype(DType::F32)?,
            value: ends.first().copied().unwrap_or_default(),
            baseline_value: ends.last().copied().unwrap_or_default(),
            baseline: method.baseline,
            steps: method.steps,
        })
    }

    /// The baseline's embeddings, of the shape of the prompt's.
    fn baseline(&self, baseline: Baseline, prompt: &Tensor) -> Result<Tensor, RunError> {
        let row = match baseline {
            Baseline::Zero => return Ok(prompt.zeros_like()?),
            Baseline::Token(token) => self.embeddings(&[token])?,
            Baseline::Mean => {
                let mean = self.weights().embed.mean_keepdim(0)?.unsqueeze(0)?;
                self.config().embed_scale.map_or(Ok(mean.clone()), |scale| mean * scale)?
            }
        };
        Ok(row.to_dtype(prompt.dtype())?.broadcast_as(prompt.shape())?.contiguous()?)
    }
}

/// The prompt's embeddings `[1, t, D]` at the positions that are kept, `others` elsewhere.
pub(crate) fn keeping(kept: &[bool], prompt: &Tensor, others: &Tensor) -> Result<Tensor, RunError> {
    if !kept.contains(&true) {
        return Ok(others.clone());
    }
    let kept: Vec<u8> = kept.iter().map(|kept| u8::from(*kept)).collect();
    let kept = Tensor::from_vec(kept, (1, prompt.dim(1)?, 1), prompt.device())?;
    Ok(kept.broadcast_as(prompt.shape())?.contiguous()?.where_cond(prompt, others)?)
}
