//! The spans of a run.

use candle_core::Tensor;
use llmtrace::{SpanExt as _, generation, llm_span, semconv};
use tracing::Span;

use super::artifact::{Artifact, ArtifactWriter};
use super::detail::Detail;
use super::pass::{Parts, PassReport, PassTap};
use super::{names, tell};
use crate::error::RunError;
use crate::generate::{GeneratedToken, Generation, Sampling, Stop};
use crate::hooks::{ActivationCache, Tap};
use crate::model::{Model, Session};

/// What a run tells the trace around it. With [`Detail::Off`], or where nobody listens, it is a few comparisons.
#[derive(Debug)]
pub(crate) struct RunTrace<'m> {
    model: &'m Model,
    detail: Detail,
    /// The generation; disabled where nobody listens.
    span: Span,
    artifact: Option<ArtifactWriter>,
    /// Tokens read and written so far.
    tokens: (usize, usize),
}

/// One pass of a run.
#[derive(Debug)]
pub(crate) struct PassTrace {
    span: Span,
    step: usize,
}

impl<'m> RunTrace<'m> {
    /// Opens the span of a run.
    pub(crate) fn open(
        model: &'m Model,
        operation: &str,
        detail: Detail,
        artifact: Option<ArtifactWriter>,
    ) -> Self {
        let span = if detail == Detail::Off { Span::none() } else { generation!("lens run") };
        if !span.is_disabled() {
            tell::run(&span, model, detail, operation);
        }
        Self { model, detail, span, artifact, tokens: (0, 0) }
    }

    /// The span of the run.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// How an answer is to be written.
    pub(crate) fn settings(&self, sampling: &Sampling, stop: &Stop) {
        if !self.span.is_disabled() {
            tell::settings(&self.span, sampling, stop);
        }
    }

    /// What is read.
    pub(crate) fn prompt(&mut self, text: &str, tokens: usize) {
        self.tokens.0 = tokens;
        if !self.span.is_disabled() {
            tell::prompt(&self.span, text);
        }
    }

    /// Opens the span of a pass that reads `positions` tokens and chooses the token of `step`.
    pub(crate) fn pass(&self, step: usize, positions: usize) -> PassTrace {
        if self.detail < Detail::Layers || self.span.is_disabled() {
            return PassTrace { span: Span::none(), step };
        }
        let span = if step == 0 { llm_span!("prompt") } else { llm_span!("step") };
        if step > 0 {
            span.set_attribute(semconv::OTEL_NAME, format!("step {step}"));
        }
        span.set_attribute(names::STEP, step);
        span.set_attribute(names::POSITIONS, positions);
        PassTrace { span, step }
    }

    /// Reads tokens, and takes the time of the parts where the detail asks for it.
    pub(crate) fn read(
        &self,
        pass: &PassTrace,
        session: &mut Session<'_>,
        tokens: &[u32],
        tap: &mut dyn Tap,
    ) -> Result<(Tensor, Option<PassReport>), RunError> {
        if self.detail < Detail::Layers {
            return Ok((session.read_with_tap(tokens, tap)?, None));
        }
        let is_told = !pass.span.is_disabled() && (pass.step == 0 || self.detail == Detail::Full);
        let parts = if is_told { Parts::Spans } else { Parts::TimesOnly };
        let _in_pass = pass.span.enter();
        let mut tap = PassTap::new(tap, self.model.config().layers, parts);
        let logits = session.read_with_tap(tokens, &mut tap)?;
        Ok((logits, Some(tap.into_report())))
    }

    /// Says that the first token is there.
    pub(crate) fn first_token(&self) {
        self.span.record_first_chunk();
    }

    /// Says what a pass led to, and ends its span.
    pub(crate) fn chosen(&mut self, pass: PassTrace, token: &GeneratedToken, kept: &ActivationCache) {
        let PassTrace { span, step } = pass;
        self.tokens.1 += 1;
        if let Some(artifact) = &mut self.artifact {
            artifact.keep(step, kept);
        }
        if !span.is_disabled() {
            tell::step(&span, self.model, token);
        }
    }

    /// Says how the run ended; returns where its tensors are.
    pub(crate) fn answered(mut self, generation: &Generation) -> Option<Artifact> {
        let written = self.artifact.take().map(|writer| writer.write(&self.span, generation));
        if !self.span.is_disabled() {
            tell::answer(&self.span, generation);
            if let Some(written) = &written {
                tell::artifact(&self.span, written.as_ref());
            }
        }
        written?.ok()
    }

    /// Says that the run failed, and after how many tokens.
    pub(crate) fn failed(self, error: &dyn std::error::Error) {
        if !self.span.is_disabled() {
            tell::failure(&self.span, self.tokens, error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use llmtrace::testing::Recording;

    use super::*;

    const PROMPT: &str = "the capital of";

    /// Everything a run asks of its trace, without the passes themselves.
    fn tell(detail: Detail, model: &Model, generation: &Generation) {
        let kept = ActivationCache::new(Arc::clone(model.shared_config()));
        let told = allocation_counter::measure(|| {
            let mut trace = RunTrace::open(model, names::OPERATION, detail, None);
            let span = trace.span().clone();
            let _in_run = span.enter();
            trace.settings(&Sampling::greedy(), &Stop::after(2));
            trace.prompt(PROMPT, generation.prompt.len());
            for (step, token) in generation.tokens.iter().enumerate() {
                let pass = trace.pass(step, token.positions);
                trace.first_token();
                trace.chosen(pass, token, &kept);
            }
            trace.answered(generation);
        });
        assert_eq!(told.count_total == 0, detail == Detail::Off, "{detail:?}: {told:?}");
    }

    #[test]
    fn a_run_that_is_not_told_allocates_nothing_and_has_no_span() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/gpt2");
        let model = Model::load(folder).unwrap();
        let generation = model.generator().stop(Stop::after(2)).run(PROMPT).unwrap();
        let check = |detail: Detail, spans: usize| {
            let recording = Recording::start();
            recording.run(|| tell(detail, &model, &generation));
            assert_eq!(recording.spans().len(), spans, "{detail:?}");
        };
        check(Detail::Off, 0);
        check(Detail::Summary, 1);
        check(Detail::Layers, 3);
    }
}
