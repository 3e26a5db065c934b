//! A traced pass without an answer.

use candle_core::Tensor;

use super::detail::Detail;
use super::pass::{Parts, PassReport, PassTap};
use super::run::RunTrace;
use super::{names, tell};
use crate::generate::{GenerateError, Prompt, Token};
use crate::hooks::{ActivationCache, HookTap, Hooks};
use crate::model::{Model, Readout, Start};

/// What a model makes of a text that it reads once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The text's tokens.
    pub tokens: Vec<Token>,
    /// Logits `[1, t, V]`, or `[1, 1, V]` where only the last position was asked for.
    pub logits: Tensor,
    /// What the hooks kept.
    pub cache: ActivationCache,
    /// Where the time went, from [`Detail::Layers`] on.
    pub pass: Option<PassReport>,
}

impl Model {
    /// Reads a text once, with hooks, and tells the trace around it, as [`Generator`](crate::generate::Generator) does.
    ///
    /// The span is a generation with the operation `forward` and no output.
    ///
    /// # Errors
    /// The prompt is empty or cannot be read, a hook's pattern fits no point, or a hook or the model fails.
    pub fn read<'p>(
        &self,
        prompt: impl Into<Prompt<'p>>,
        readout: Readout,
        hooks: &mut Hooks<'_>,
        detail: Detail,
    ) -> Result<Reading, GenerateError> {
        let mut trace = RunTrace::open(self, names::FORWARD, detail, None);
        let span = trace.span().clone();
        let _in_run = span.enter();
        match read(self, prompt.into(), readout, hooks, detail, &mut trace) {
            Ok(reading) => {
                if !span.is_disabled() {
                    let found = reading.pass.iter().flat_map(PassReport::findings).collect();
                    tell::reading(&span, reading.tokens.len(), found);
                }
                Ok(reading)
            }
            Err(error) => {
                trace.failed(&error);
                Err(error)
            }
        }
    }
}

fn read(
    model: &Model,
    prompt: Prompt<'_>,
    readout: Readout,
    hooks: &mut Hooks<'_>,
    detail: Detail,
    trace: &mut RunTrace<'_>,
) -> Result<Reading, GenerateError> {
    let prompt = prompt.read(model)?;
    trace.prompt(&prompt.text, prompt.tokens.len());
    let batch = model.batch(&[&prompt.ids()], 0)?;
    let mut tap = HookTap::new(hooks, model.shared_config())?;
    let (logits, pass) = if detail < Detail::Layers {
        (model.forward(&mut tap, Start::Tokens(&batch), readout)?, None)
    } else {
        let parts = if trace.span().is_disabled() { Parts::TimesOnly } else { Parts::Spans };
        let mut timed = PassTap::new(&mut tap, model.config().layers, parts);
        let logits = model.forward(&mut timed, Start::Tokens(&batch), readout)?;
        (logits, Some(timed.into_report()))
    };
    Ok(Reading { tokens: prompt.tokens, logits, cache: tap.cache, pass })
}
