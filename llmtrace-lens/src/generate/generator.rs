//! Writing an answer.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{DType, Tensor};

use super::choice::ChoiceLimits;
use super::cost::{Memory, flops};
use super::error::GenerateError;
use super::generation::{GeneratedToken, Generation, Step};
use super::prompt::{Prompt, Read, Token, spelling};
use super::sampler::Sampler;
use super::sampling::{Sampling, SamplingError};
use super::stop::{FinishReason, Stop, StopTexts};
use super::text::TextStream;
use crate::error::RunError;
use crate::hooks::{ActivationCache, HookTap, Hooks, NoTap, Tap};
use crate::model::{Model, Session};
use crate::trace::{ArtifactWriter, Artifacts, Detail, PassReport, RunTrace, names};

/// Writes answers with a model: token by token, with keys and values of what was read kept, and each step told.
///
/// Without settings it is greedy, writes at most 64 tokens, and tells the trace around it, where there is one, a
/// [summary](Detail::Summary).
///
/// ```no_run
/// use llmtrace_lens::Model;
/// use llmtrace_lens::generate::{Sampling, Stop};
///
/// let model = Model::load("models/toy")?;
/// let generator = model.generator().sampling(Sampling::random(42).top_p(0.9)).stop(Stop::after(20));
/// let answer = generator.run("The capital of Texas is")?;
/// for token in &answer.tokens {
///     println!("{:12} p = {:.3}", token.token.spelling, token.choice.model.probability);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generator<'m> {
    model: &'m Model,
    sampling: Sampling,
    limits: ChoiceLimits,
    stop: Stop,
    detail: Detail,
    artifacts: Option<Artifacts>,
}

/// How many tokens an answer has where nothing else is said.
const DEFAULT_TOKENS: usize = 64;

impl Model {
    /// Writes answers with this model.
    pub fn generator(&self) -> Generator<'_> {
        Generator {
            model: self,
            sampling: Sampling::greedy(),
            limits: ChoiceLimits::default(),
            stop: Stop::after(DEFAULT_TOKENS),
            detail: Detail::default(),
            artifacts: None,
        }
    }
}

impl Generator<'_> {
    /// Sets how tokens are chosen.
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Sets how much of each choice is written down.
    pub fn limits(mut self, limits: ChoiceLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets when an answer ends.
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Sets how much of a run is told to the trace around it, and measured.
    pub fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Writes what the hooks of a run keep to a file, to which its span refers.
    pub fn artifacts(mut self, artifacts: Artifacts) -> Self {
        self.artifacts = Some(artifacts);
        self
    }

    /// Writes an answer.
    ///
    /// # Errors
    /// A setting is wrong, the prompt is empty or cannot be read, or the model or the tokenizer fails.
    pub fn run<'p>(&self, prompt: impl Into<Prompt<'p>>) -> Result<Generation, GenerateError> {
        self.run_with(prompt, &mut Hooks::new(), |_| ControlFlow::Continue(()))
    }

    /// Writes an answer, and hands out each step when it is done; `Break` ends the answer.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn stream<'p>(
        &self,
        prompt: impl Into<Prompt<'p>>,
        on_step: impl FnMut(&Step<'_>) -> ControlFlow<()>,
    ) -> Result<Generation, GenerateError> {
        self.run_with(prompt, &mut Hooks::new(), on_step)
    }

    /// The same with hooks, which are live in every step: in step 0 they see the prompt's positions, after it one.
    ///
    /// # Errors
    /// As for [`run`](Self::run); or a hook failed.
    pub fn run_with<'p>(
        &self,
        prompt: impl Into<Prompt<'p>>,
        hooks: &mut Hooks<'_>,
        mut on_step: impl FnMut(&Step<'_>) -> ControlFlow<()>,
    ) -> Result<Generation, GenerateError> {
        let artifact = self.artifacts.clone().map(ArtifactWriter::new);
        let mut trace = RunTrace::open(self.model, names::OPERATION, self.detail, artifact);
        let span = trace.span().clone();
        let _in_run = span.enter();
        match self.answer(prompt.into(), hooks, &mut on_step, &mut trace) {
            Ok(mut generation) => {
                generation.artifact = trace.answered(&generation);
                Ok(generation)
            }
            Err(error) => {
                trace.failed(&error);
                Err(error)
            }
        }
    }

    fn answer(
        &self,
        prompt: Prompt<'_>,
        hooks: &mut Hooks<'_>,
        on_step: &mut dyn FnMut(&Step<'_>) -> ControlFlow<()>,
        trace: &mut RunTrace<'_>,
    ) -> Result<Generation, GenerateError> {
        let began = Instant::now();
        trace.settings(&self.sampling, &self.stop);
        let sampler = Sampler::new(self.sampling.clone())?.limits(self.limits);
        if self.stop.max_tokens == 0 {
            let (name, allowed) = ("max_tokens", "whole numbers from 1");
            return Err(SamplingError::Setting { name, found: "0".to_owned(), allowed }.into());
        }
        let prompt = prompt.read(self.model)?;
        trace.prompt(&prompt.text, prompt.tokens.len());
        // Patterns are read once, not in every step; without hooks the model takes its fast way.
        let mut taps =
            if hooks.is_empty() { None } else { Some(HookTap::new(hooks, self.model.shared_config())?) };
        let mut run = Run::new(self, &prompt, sampler);
        let mut first = Duration::ZERO;
        let finish = loop {
            let index = run.tokens.len();
            let pass = trace.pass(index, run.next.len());
            let (mut token, cache) =
                run.step(taps.as_mut(), |session, tokens, tap| trace.read(&pass, session, tokens, tap))?;
            if index == 0 {
                first = began.elapsed();
                trace.first_token();
            }
            let (finish, text) = run.written(&mut token)?;
            trace.chosen(pass, &token, &cache);
            let step = Step { index, token: &token, text: &text, cache: &cache };
            let flow = on_step(&step);
            run.tokens.push(token);
            match finish {
                Some(finish) => break finish,
                None if flow.is_break() => break FinishReason::Caller,
                None => {}
            }
        };
        let (text, tokens) = run.into_answer()?;
        Ok(Generation {
            model: self.model.name().to_owned(),
            sampling: self.sampling.clone(),
            stop: self.stop.clone(),
            prompt_text: prompt.text,
            prompt: prompt.tokens,
            text,
            tokens,
            finish,
            time_to_first_token: first,
            time: began.elapsed(),
            artifact: None,
        })
    }
}

/// An answer that is being written.
struct Run<'g, 'm> {
    generator: &'g Generator<'m>,
    sampler: Sampler,
    session: Session<'m>,
    /// What the next step reads.
    next: Vec<u32>,
    /// All tokens so far.
    occurred: Vec<u32>,
    tokens: Vec<GeneratedToken>,
    text: Option<TextStream<'m>>,
    stops: StopTexts<'g>,
    /// Where the answer's text ends, once a stop text was found.
    cut: Option<usize>,
}

impl<'g, 'm> Run<'g, 'm> {
    fn new(generator: &'g Generator<'m>, prompt: &Read, sampler: Sampler) -> Self {
        let ids = prompt.ids();
        Self {
            generator,
            sampler,
            session: generator.model.session(),
            text: generator.model.tokenizer().map(|tokenizer| TextStream::after(&ids, tokenizer)),
            next: ids.clone(),
            occurred: ids,
            tokens: Vec::new(),
            stops: StopTexts::new(&generator.stop),
            cut: None,
        }
    }

    /// Reads what is new and chooses the next token.
    fn step(
        &mut self,
        taps: Option<&mut HookTap<'_, '_>>,
        read: impl FnOnce(
            &mut Session<'m>,
            &[u32],
            &mut dyn Tap,
        ) -> Result<(Tensor, Option<PassReport>), RunError>,
    ) -> Result<(GeneratedToken, ActivationCache), GenerateError> {
        let model = self.generator.model;
        let (before, index) = (self.session.positions(), self.tokens.len());
        let began = Instant::now();
        let mut cache = ActivationCache::new(Arc::clone(model.shared_config()));
        let (logits, pass) = match taps {
            None => read(&mut self.session, &self.next, &mut NoTap)?,
            Some(tap) => {
                let read = read(&mut self.session, &self.next, tap)?;
                std::mem::swap(&mut tap.cache, &mut cache);
                read
            }
        };
        let logits: Vec<f32> = logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let forward = began.elapsed();
        let choice = self
            .sampler
            .choose(index as u64, &logits, &self.occurred)
            .map_err(|source| GenerateError::Sampling { step: index, source })?;
        let (id, positions) = (choice.token, self.next.len());
        let spelling = model.tokenizer().map_or_else(String::new, |tokenizer| spelling(tokenizer, id));
        let token = GeneratedToken {
            token: Token { id, spelling, bytes: 0..0 },
            choice,
            positions,
            forward,
            flops: flops(model.config(), before, positions, 1),
            memory: Memory { kv_cache_bytes: self.session.bytes(), kept_bytes: bytes(&cache) },
            pass,
        };
        self.occurred.push(id);
        self.next = vec![id];
        Ok((token, cache))
    }

    /// Takes the token's text; says whether the answer ends with it, and what its text has grown by.
    fn written(
        &mut self,
        token: &mut GeneratedToken,
    ) -> Result<(Option<FinishReason>, String), GenerateError> {
        let stop = &self.generator.stop;
        let id = token.token.id;
        let is_end = stop.ends_at(id, self.generator.model.end_tokens());
        if let Some(text) = &mut self.text {
            token.token.bytes = text.push(id)?;
        }
        let written = self.text.as_ref().map_or("", TextStream::text);
        if !is_end && let Some((at, found)) = self.stops.find(written) {
            self.cut = Some(at);
            let piece = self.stops.release_to(written, at).to_owned();
            return Ok((Some(FinishReason::Text { text: found.to_owned() }), piece));
        }
        let is_full = self.session.positions() >= self.generator.model.config().context;
        let finish = if is_end {
            Some(FinishReason::Token { token: id })
        } else if self.tokens.len() + 1 >= stop.max_tokens {
            Some(FinishReason::MaxTokens)
        } else {
            is_full.then_some(FinishReason::Context)
        };
        if finish.is_some()
            && let Some(text) = &mut self.text
        {
            text.flush()?;
        }
        let written = self.text.as_ref().map_or("", TextStream::text);
        let piece = if finish.is_some() {
            self.stops.release_to(written, written.len())
        } else {
            self.stops.release(written)
        };
        Ok((finish, piece.to_owned()))
    }

    /// The answer's text, and its tokens in their places.
    fn into_answer(mut self) -> Result<(String, Vec<GeneratedToken>), GenerateError> {
        let Some(mut stream) = self.text else { return Ok((String::new(), self.tokens)) };
        stream.flush()?;
        let end = self.cut.unwrap_or(stream.text().len());
        for (token, bytes) in self.tokens.iter_mut().zip(stream.ranges()) {
            token.token.bytes = bytes.start.min(end)..bytes.end.min(end);
        }
        Ok((stream.text().get(..end).unwrap_or_default().to_owned(), self.tokens))
    }
}

/// Bytes of all values that were kept, as if none of them shared memory with another.
fn bytes(cache: &ActivationCache) -> usize {
    cache.iter().map(|(_, value)| value.elem_count() * value.dtype().size_in_bytes()).sum()
}
