//! The spans of a run.

use candle_core::Tensor;
use llmtrace::{Message, SpanExt as _, Usage, generation, llm_span, semconv};
use serde_json::json;
use tracing::Span;

use super::artifact::{Artifact, ArtifactWriter};
use super::detail::Detail;
use super::names;
use super::pass::{Parts, PassReport, PassTap};
use crate::error::RunError;
use crate::generate::{Choice, Draw, FilterEffect, GeneratedToken, Generation, Sampling, Stop};
use crate::hooks::{ActivationCache, Tap};
use crate::model::{Model, Session};

/// What a run tells the trace around it. With [`Detail::Off`], or where nobody listens, it is a few comparisons.
#[derive(Debug)]
pub(crate) struct RunTrace {
    detail: Detail,
    /// The generation; disabled where nobody listens.
    span: Span,
    artifact: Option<ArtifactWriter>,
}

/// One pass of a run.
#[derive(Debug)]
pub(crate) struct PassTrace {
    span: Span,
    is_prompt: bool,
}

impl RunTrace {
    /// Opens the span of a run.
    pub(crate) fn open(detail: Detail, artifact: Option<ArtifactWriter>) -> Self {
        let span = if detail == Detail::Off { Span::none() } else { generation!("text_completion") };
        Self { detail, span, artifact }
    }

    /// The span of the run.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// What is known before the first pass.
    pub(crate) fn asked(&self, model: &Model, prompt: &str, sampling: &Sampling, stop: &Stop) {
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        span.set_attribute(semconv::OTEL_NAME, format!("{} {}", names::OPERATION, model.name()));
        span.set_attribute(semconv::OPERATION_NAME, names::OPERATION);
        span.set_attribute(semconv::PROVIDER_NAME, names::PROVIDER);
        span.set_attribute(semconv::REQUEST_MODEL, model.name());
        span.set_attribute(semconv::OUTPUT_TYPE, "text");
        span.set_attribute(semconv::REQUEST_MAX_TOKENS, stop.max_tokens);
        if !stop.texts.is_empty() {
            span.set_attribute(semconv::REQUEST_STOP_SEQUENCES, stop.texts.clone());
        }
        if let Draw::Random { seed } = sampling.draw {
            span.set_attribute(semconv::REQUEST_SEED, seed);
        }
        for (name, value) in [
            (semconv::REQUEST_TEMPERATURE, sampling.temperature),
            (semconv::REQUEST_TOP_P, sampling.top_p),
            (names::REQUEST_MIN_P, sampling.min_p),
            (names::REQUEST_REPETITION_PENALTY, sampling.repetition_penalty),
        ] {
            if let Some(value) = value {
                span.set_attribute(name, value);
            }
        }
        if let Some(k) = sampling.top_k {
            span.set_attribute(semconv::REQUEST_TOP_K, k);
        }
        span.set_attribute(names::DETAIL, self.detail.as_str());
        span.set_attribute(names::FAMILY, model.config().family.as_str());
        span.record_input(&[Message::user(prompt)]);
    }

    /// Opens the span of a pass that reads `positions` tokens and chooses the token of `step`.
    pub(crate) fn pass(&self, step: usize, positions: usize) -> PassTrace {
        let is_prompt = step == 0;
        if self.detail < Detail::Layers || self.span.is_disabled() {
            return PassTrace { span: Span::none(), is_prompt };
        }
        let span = if is_prompt { llm_span!("prompt") } else { llm_span!("step") };
        if !is_prompt {
            span.set_attribute(semconv::OTEL_NAME, format!("step {step}"));
        }
        span.set_attribute(names::STEP, step);
        span.set_attribute(names::POSITIONS, positions);
        PassTrace { span, is_prompt }
    }

    /// Reads tokens, and takes the time of the parts where the detail asks for it.
    pub(crate) fn read(
        &self,
        pass: &PassTrace,
        session: &mut Session<'_>,
        tokens: &[u32],
        layers: usize,
        tap: &mut dyn Tap,
    ) -> Result<(Tensor, Option<PassReport>), RunError> {
        if self.detail < Detail::Layers {
            return Ok((session.read_with_tap(tokens, tap)?, None));
        }
        let is_told = !pass.span.is_disabled() && (pass.is_prompt || self.detail == Detail::Full);
        let parts = if is_told { Parts::Spans } else { Parts::TimesOnly };
        let _in_pass = pass.span.enter();
        let mut tap = PassTap::new(tap, layers, session.positions(), parts);
        let logits = session.read_with_tap(tokens, &mut tap)?;
        Ok((logits, Some(std::mem::take(&mut tap.report))))
    }

    /// Says that the first token is there.
    pub(crate) fn first_token(&self) {
        self.span.record_first_chunk();
    }

    /// Says what a pass led to.
    pub(crate) fn chosen(
        &mut self,
        pass: &PassTrace,
        step: usize,
        token: &GeneratedToken,
        kept: &ActivationCache,
    ) {
        if let Some(artifact) = &mut self.artifact {
            artifact.keep(step, kept);
        }
        let span = &pass.span;
        if span.is_disabled() {
            return;
        }
        let Choice { model, last, model_entropy, final_entropy, filters, .. } = &token.choice;
        for (name, value) in [
            (names::PROBABILITY, model.probability),
            (names::LOG_PROBABILITY, model.log_probability),
            (names::ENTROPY_BITS, model_entropy.bits()),
            (names::FINAL_PROBABILITY, last.probability),
            (names::FINAL_ENTROPY_BITS, final_entropy.bits()),
            (names::FORWARD_SECONDS, token.forward.as_secs_f64()),
            (names::FLOPS, token.flops),
        ] {
            span.set_attribute(name, value);
        }
        span.set_attribute(names::RANK, model.rank);
        span.set_attribute(names::KV_CACHE_BYTES, token.memory.kv_cache_bytes);
        if token.memory.kept_bytes > 0 {
            span.set_attribute(names::KEPT_BYTES, token.memory.kept_bytes);
        }
        if let Some(report) = &token.pass {
            let blocks = report.blocks.iter().map(|block| block.time.as_secs_f64());
            span.set_attribute(names::LAYER_SECONDS, blocks.collect::<Vec<f64>>());
        }
        if !filters.is_empty() {
            // Which tokens were removed is content; how many is not.
            let filters: Vec<_> = filters
                .iter()
                .map(|report| match &report.effect {
                    FilterEffect::Changed { tokens, moved } => {
                        json!({"filter": report.filter, "left": report.left, "changed": tokens, "moved": moved})
                    }
                    FilterEffect::Removed { tokens, mass, .. } => {
                        json!({"filter": report.filter, "left": report.left, "removed": tokens, "mass": mass})
                    }
                })
                .collect();
            span.set_attribute(names::FILTERS, json!(filters));
        }
        span.set_attribute(names::PIECE, token.token.spelling.as_str());
        span.set_attribute(names::ALTERNATIVES, json!(token.choice.alternatives));
    }

    /// Says how the run ended; returns where its tensors are.
    pub(crate) fn ended(mut self, model: &Model, generation: &Generation) -> Option<Artifact> {
        let artifact = self.artifact.take().and_then(|writer| self.write(writer, generation));
        let span = &self.span;
        if span.is_disabled() {
            return artifact;
        }
        span.set_attribute(semconv::RESPONSE_MODEL, model.name());
        span.set_attribute(semconv::RESPONSE_FINISH_REASONS, [generation.finish.as_str()]);
        span.record_usage(Usage::new(generation.prompt.len() as u64, generation.tokens.len() as u64));
        let answer = Message::assistant(generation.text.as_str());
        span.record_output(&[answer.with_finish_reason(generation.finish.as_str())]);
        for (name, value) in [
            (names::MEAN_LOG_PROBABILITY, generation.mean_log_probability()),
            (names::MEAN_ENTROPY_BITS, generation.mean_entropy_bits()),
            (names::FORWARD_SECONDS, generation.forward().as_secs_f64()),
            (names::FLOPS, generation.flops()),
        ] {
            span.set_attribute(name, value);
        }
        let memory = generation.memory();
        span.set_attribute(names::KV_CACHE_BYTES, memory.kv_cache_bytes);
        if memory.kept_bytes > 0 {
            span.set_attribute(names::KEPT_BYTES, memory.kept_bytes);
        }
        let layers = generation.layer_seconds();
        if !layers.is_empty() {
            span.set_attribute(names::LAYER_SECONDS, layers);
        }
        let findings = generation.findings();
        if !findings.is_empty() {
            span.set_attribute(names::FINDINGS, findings);
        }
        span.set_attribute(semconv::OTEL_STATUS_CODE, "OK");
        artifact
    }

    /// Says that the run failed.
    pub(crate) fn failed(self, error: &dyn std::error::Error) {
        self.span.record_error(error);
    }

    fn write(&self, writer: ArtifactWriter, generation: &Generation) -> Option<Artifact> {
        match writer.write(&self.span, generation) {
            Ok(artifact) => {
                self.span.set_attribute(names::ARTIFACT_PATH, artifact.path.display().to_string());
                self.span.set_attribute(names::ARTIFACT_TENSORS, json!(artifact.tensors));
                if artifact.omitted > 0 {
                    self.span.set_attribute(names::ARTIFACT_OMITTED, artifact.omitted);
                }
                Some(artifact)
            }
            Err(problem) => {
                self.span.set_attribute(names::ARTIFACT_ERROR, problem);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use llmtrace::testing::Recording;

    use super::*;

    /// Everything a run asks of its trace, without the passes themselves.
    fn tell(detail: Detail, model: &Model, generation: &Generation) {
        let kept = ActivationCache::new(Arc::clone(model.shared_config()));
        let told = allocation_counter::measure(|| {
            let mut trace = RunTrace::open(detail, None);
            let span = trace.span().clone();
            let _in_run = span.enter();
            trace.asked(model, PROMPT, &Sampling::greedy(), &Stop::after(2));
            for (step, token) in generation.tokens.iter().enumerate() {
                let pass = trace.pass(step, token.positions);
                trace.first_token();
                trace.chosen(&pass, step, token, &kept);
            }
            trace.ended(model, generation);
        });
        let is_silent = detail == Detail::Off;
        assert_eq!(told.count_total == 0, is_silent, "{detail:?}: {told:?}");
    }

    const PROMPT: &str = "the capital of";

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
