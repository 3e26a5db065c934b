//! What is looked at.

use std::fmt;

use super::error::InspectError;
use super::explaining::{self, Explained};
use super::inspected::{Beside, Inspected};
use crate::analysis::Reading;
use crate::error::RunError;
use crate::generate::Stop;
use crate::hooks::Site;
use crate::model::{Model, Origin, Readout};
use crate::patching::{Along, Metric, Patching, Sweep};
use crate::trace::Detail;

/// Looks at one prompt from every side: the answer, the logit lens, attention, patches from another prompt, an
/// explanation, times and norms.
///
/// ```
/// use llmtrace_lens::Toy;
/// use llmtrace_lens::inspect::Inspection;
///
/// let model = Toy::Relu.load()?;
/// let seen = Inspection::new(&model, "the capital of the state containing Dallas is")
///     .beside("the capital of the state containing Oakland is")
///     .run()?;
/// assert_eq!(seen.answer.token.text, "Austin");
/// seen.page()?.to_html();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Inspection<'m> {
    model: &'m Model,
    prompt: Source,
    beside: Option<Source>,
    answer: Option<u32>,
    steps: usize,
    progress: Box<dyn FnMut(Stage) + 'm>,
}

/// A prompt as it was given.
enum Source {
    Text(String),
    Tokens(Vec<u32>),
}

/// How far an inspection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The prompt is run and read.
    Reading,
    /// So many patches of all are done.
    Patching {
        /// Patches done.
        done: usize,
        /// All patches.
        total: usize,
    },
    /// The answer is explained.
    Explaining,
}

/// How many tokens of the answer are written where nothing is said.
const STEPS: usize = 4;

impl<'m> Inspection<'m> {
    /// Looks at a prompt.
    pub fn new(model: &'m Model, prompt: impl Into<String>) -> Self {
        Self::of(model, Source::Text(prompt.into()))
    }

    /// Looks at a prompt of these tokens.
    pub fn of_tokens(model: &'m Model, tokens: &[u32]) -> Self {
        Self::of(model, Source::Tokens(tokens.to_vec()))
    }

    fn of(model: &'m Model, prompt: Source) -> Self {
        Self { model, prompt, beside: None, answer: None, steps: STEPS, progress: Box::new(|_| {}) }
    }

    /// Patches what the model computes for another prompt, with as many tokens, into the run.
    pub fn beside(self, prompt: impl Into<String>) -> Self {
        Self { beside: Some(Source::Text(prompt.into())), ..self }
    }

    /// Asks about this token in place of the one that the model finds most probable.
    pub fn answer(self, token: u32) -> Self {
        Self { answer: Some(token), ..self }
    }

    /// Writes so many tokens of the answer; 4 where nothing is said.
    pub fn steps(self, tokens: usize) -> Self {
        Self { steps: tokens.max(1), ..self }
    }

    /// Calls this as the work goes on.
    pub fn progress(self, tell: impl FnMut(Stage) + 'm) -> Self {
        Self { progress: Box::new(tell), ..self }
    }

    /// Looks.
    ///
    /// # Errors
    /// A prompt cannot be read, the two have different numbers of tokens or the same answer, or the model cannot be run.
    pub fn run(mut self) -> Result<Inspected<'m>, InspectError> {
        let model = self.model;
        let marked = self.prompt.marked(model)?;
        let tokens: Vec<u32> = marked.iter().map(|(id, _)| *id).collect();
        (self.progress)(Stage::Reading);
        // This run comes first, so that the times of the next are those of a model at work.
        let surprise = surprise(model, &tokens)?;
        let generator = model.generator().detail(Detail::Layers).stop(Stop::after(self.steps));
        let generation = generator.run(&tokens)?;
        let reading = Reading::new(model, &tokens)?;
        let mut lens = reading.logit_lens();
        if let Some(answer) = self.answer {
            lens = lens.track([answer]);
        }
        let lens = lens.read()?;
        let last = lens.rows.last().and_then(|row| row.cells.last());
        let asked = last.and_then(|cell| cell.tracked.first()).map(|tracked| tracked.guess.clone());
        let answer = asked.or_else(|| last.and_then(|cell| cell.best().cloned()));
        let answer = answer.ok_or_else(|| RunError::Input("the model says nothing".to_owned()))?;
        let beside = match self.beside.take() {
            Some(other) => Some(self.patch(&tokens, answer.token.id, &other)?),
            None => None,
        };
        (self.progress)(Stage::Explaining);
        let Explained { attribution, faithfulness, positions } =
            explaining::explain(model, &marked, answer.token.id)?;
        let attention = if tokens.len() > 1 { Some(reading.attention_summary()?) } else { None };
        let norms = reading.residual_norms()?;
        Ok(Inspected {
            model,
            reading,
            answer,
            generation,
            lens,
            attention,
            beside,
            attribution,
            positions,
            faithfulness,
            norms,
            surprise,
        })
    }

    /// Patches the run of the other prompt into that of this one, where the answer is wrong for it.
    fn patch(&mut self, tokens: &[u32], answer: u32, other: &Source) -> Result<Beside, InspectError> {
        let model = self.model;
        let other = other.tokens(model)?;
        let says = Reading::new(model, &other)?.logit_lens().last().top(1).read()?;
        let best = says.rows.last().and_then(|row| row.cells.last()).and_then(|cell| cell.best().cloned());
        let best = best.ok_or_else(|| RunError::Input("the model says nothing".to_owned()))?;
        if best.token.id == answer {
            return Err(RunError::Input(format!(
                "the model answers both prompts with {:?}: patching needs two with different answers",
                best.token.text
            ))
            .into());
        }
        let metric = Metric::logit_difference(best.token.id, answer);
        let tell = &mut self.progress;
        let mut patching = Patching::new(model, &other, tokens, metric)?
            .progress(|done, total| tell(Stage::Patching { done, total }));
        let stream: Sweep = patching.sweep(Site::ResidPre, Along::Positions)?;
        let heads = patching.sweep(Site::Z, Along::Heads)?;
        Ok(Beside { tokens: other, answer: best, stream, heads })
    }
}

impl Source {
    fn tokens(&self, model: &Model) -> Result<Vec<u32>, RunError> {
        Ok(self.marked(model)?.into_iter().map(|(id, _)| id).collect())
    }

    /// The tokens, each with where it comes from.
    fn marked(&self, model: &Model) -> Result<Vec<(u32, Origin)>, RunError> {
        let tokens: Vec<_> = match self {
            Self::Text(text) => model.tokenize_marked(text)?,
            Self::Tokens(tokens) => tokens.iter().map(|id| (*id, Origin::Text)).collect(),
        };
        if tokens.is_empty() {
            return Err(RunError::Input("the prompt has no token".to_owned()));
        }
        Ok(tokens)
    }
}

impl fmt::Debug for Inspection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection").field("model", &self.model.name()).finish_non_exhaustive()
    }
}

/// The probability that the model gave each token before it saw it; not a number for the first.
fn surprise(model: &Model, tokens: &[u32]) -> Result<Vec<f32>, RunError> {
    let logits = model.run_batch(&[tokens], Readout::All)?;
    let rows: Vec<Vec<f32>> = logits.squeeze(0)?.to_dtype(candle_core::DType::F32)?.to_vec2()?;
    let seen = rows.iter().zip(tokens.iter().skip(1)).map(|(row, token)| probability(row, *token));
    Ok(std::iter::once(f32::NAN).chain(seen).collect())
}

fn probability(logits: &[f32], token: u32) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    logits.get(token as usize).map_or(f32::NAN, |logit| (logit - largest).exp() / total)
}
