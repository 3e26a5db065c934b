//! The game that an explanation plays: a score for each choice of parts that stay in the prompt.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use llmtrace::Rates;
use tracing::Span;

use super::cost::{Ledger, Spent, Tariff};
use super::evaluate::{Memo, Scorer};
use super::{Attribution, Coalition, ExplainError, IntoScore, Masked, Method, Parts, Plan, trace};

/// A prompt in parts, a score function, and how it is asked. Every prompt is scored once: all methods, and the judgement
/// of their results, share what is known.
///
/// ```
/// use llmtrace_lens::explain::{Game, KernelShap, LeaveOneOut, Parts};
///
/// let parts = Parts::words("the capital of Texas");
/// let game = Game::new(&parts, |prompt| prompt.contains("Texas")).threads(8).seed(7).max_calls(100);
/// assert_eq!(game.plan(&KernelShap::default())?.calls, 16);
/// let shap = game.explain(&KernelShap::default())?;
/// assert_eq!(shap.top(1)[0].part.label, "Texas");
/// let one_out = game.explain(&LeaveOneOut)?;
/// assert_eq!(one_out.spent.calls, 0, "all of its prompts were scored before");
/// # Ok::<(), llmtrace_lens::explain::ExplainError>(())
/// ```
pub struct Game<'a> {
    parts: Parts,
    score: Box<Scorer<'a>>,
    batch: usize,
    progress: Box<dyn Fn(Progress) + Send + Sync + 'a>,
    threads: usize,
    seed: u64,
    max_calls: u64,
    framing_tokens: u64,
    answer_tokens: Option<u64>,
    tariff: Option<Tariff>,
    explained: Option<Span>,
    memo: Mutex<Memo>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Calls of this round that are done.
    pub done: usize,
    /// Calls of this round; a method that decides as it goes has several rounds.
    pub calls: usize,
}

/// How many prompts are scored at a time unless told otherwise.
const THREADS: usize = 4;

impl<'a> Game<'a> {
    /// A game on these parts. The function is called with masked prompts, from several threads at a time; it returns a
    /// number, a `bool`, a [`Scored`](super::Scored), or a `Result` of these.
    pub fn new<S: IntoScore>(parts: &Parts, score: impl Fn(&Masked<'_>) -> S + Send + Sync + 'a) -> Self {
        Self::of_batches(parts, 1, move |prompts| prompts.iter().map(&score).collect())
    }

    /// A game whose function is called with up to `size` masked prompts at a time, and returns a score for each, in
    /// their order: for models that run several prompts as one batch. Each prompt still counts as one call.
    pub fn of_batches<S: IntoScore>(
        parts: &Parts,
        size: usize,
        score: impl Fn(&[Masked<'_>]) -> Vec<S> + Send + Sync + 'a,
    ) -> Self {
        Self {
            parts: parts.clone(),
            score: Box::new(move |prompts| score(prompts).into_iter().map(IntoScore::into_score).collect()),
            batch: size.max(1),
            progress: Box::new(|_| {}),
            threads: THREADS,
            seed: 0,
            max_calls: u64::MAX,
            framing_tokens: 0,
            answer_tokens: None,
            tariff: None,
            explained: None,
            memo: Mutex::default(),
        }
    }

    /// Scores at most so many prompts at a time; 4 unless told otherwise. Results do not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Where random choices begin; 0 unless told otherwise. The same seed gives the same result.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Calls the score function at most so often, over all methods. One that may need more fails before its first call.
    pub fn max_calls(mut self, calls: u64) -> Self {
        self.max_calls = calls;
        self
    }

    /// Prices calls as this model's, by the bundled table.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.tariff = Some(Tariff::bundled(model));
        self
    }

    /// Prices calls by these rates.
    pub fn rates(mut self, rates: Rates) -> Self {
        self.tariff = Some(Tariff::rates(&rates));
        self
    }

    /// Says how many tokens each call sends beside the masked prompt, for the estimate of the cost: fixed instructions,
    /// the framing of messages.
    pub fn framing_tokens(mut self, tokens: u64) -> Self {
        self.framing_tokens = tokens;
        self
    }

    /// Says how many tokens an answer has at most, for the estimate of the cost.
    pub fn answer_tokens(mut self, tokens: u64) -> Self {
        self.answer_tokens = Some(tokens);
        self
    }

    /// Calls this after each prompt that was scored, on the thread that made it.
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'a) -> Self {
        self.progress = Box::new(report);
        self
    }

    /// Names the span that is explained: spans of explanations become its children. Without it they are children of
    /// the current span. The span stays open as long as the game lives.
    pub fn of_span(mut self, explained: &Span) -> Self {
        self.explained = Some(explained.clone());
        self
    }

    /// What a method will take at most, given what is known already. No call is made.
    ///
    /// # Errors
    ///
    /// [`ExplainError::NoParts`], [`ExplainError::TooManyParts`], [`ExplainError::TooManySamples`].
    pub fn plan(&self, method: &impl Method) -> Result<Plan, ExplainError> {
        Ok(self.plan_masks(method.name(), &self.masks_of(method)?))
    }

    /// Explains the score of the whole prompt by a method.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Budget`] before the first call, where more may be needed than are left; those of the method,
    /// and of the score function.
    pub fn explain(&self, method: &impl Method) -> Result<Attribution, ExplainError> {
        self.afford(method.name(), &self.masks_of(method)?)?;
        let span = trace::explanation(self.explained.as_ref(), method.name(), self.parts.text());
        let (began, before) = (Instant::now(), self.ledger());
        let result = span.in_scope(|| {
            let ends =
                self.values(&[Coalition::empty(self.parts.len()), Coalition::full(self.parts.len())])?;
            let solution = method.solve(self)?;
            let mut attribution = Attribution::new(method.name(), &self.parts, &solution.values)?;
            attribution.take(solution);
            attribution.seed = self.seed;
            attribution.base_value = ends.first().copied();
            attribution.full_value = ends.last().copied().unwrap_or_default();
            Ok(attribution)
        });
        let timed = result.map(|mut attribution| {
            attribution.spent = self.ledger().since(&before);
            attribution.seconds = began.elapsed().as_secs_f64();
            attribution
        });
        trace::end(&span, &timed);
        timed
    }

    /// The scores of these choices of parts, in their order. What was scored before is not scored again.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Score`] and [`ExplainError::NotFinite`] of the first choice that has no score, and
    /// [`ExplainError::Budget`] where too many are not known yet.
    pub fn values(&self, kept: &[Coalition]) -> Result<Vec<f64>, ExplainError> {
        let new = self.afford("scoring", kept)?;
        if !new.is_empty() {
            super::evaluate::score(self, &new)?;
        }
        let memo = self.memo();
        Ok(kept.iter().filter_map(|kept| memo.value(kept)).collect())
    }

    /// The prompt in parts.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Where random choices begin.
    pub fn first_seed(&self) -> u64 {
        self.seed
    }

    /// What all calls so far took.
    pub fn spent(&self) -> Spent {
        self.ledger().since(&Ledger::default())
    }

    pub(super) fn plan_masks(&self, name: &str, masks: &[Coalition]) -> Plan {
        let new = self.unknown(masks);
        let distinct: HashSet<&Coalition> = masks.iter().collect();
        let known = distinct.len() - new.len();
        Plan::new(name, &self.parts, &new, known).with_cost(
            self.framing_tokens,
            self.answer_tokens,
            self.tariff(),
        )
    }

    /// The masks that are not scored yet, each once; an error if they are more than may be scored.
    pub(super) fn afford(&self, method: &str, masks: &[Coalition]) -> Result<Vec<Coalition>, ExplainError> {
        let new = self.unknown(masks);
        let (planned, left) = (new.len() as u64, self.max_calls.saturating_sub(self.ledger().calls()));
        if planned > left {
            return Err(ExplainError::Budget { method: method.to_owned(), planned, left });
        }
        Ok(new)
    }

    pub(super) fn scorer(&self) -> &Scorer<'a> {
        &self.score
    }

    pub(super) fn batch_size(&self) -> usize {
        self.batch
    }

    pub(super) fn thread_count(&self) -> usize {
        self.threads
    }

    pub(super) fn tariff(&self) -> Option<&Tariff> {
        self.tariff.as_ref()
    }

    pub(super) fn explained_span(&self) -> Option<&Span> {
        self.explained.as_ref()
    }

    pub(super) fn report(&self, progress: Progress) {
        (self.progress)(progress);
    }

    pub(super) fn memo(&self) -> MutexGuard<'_, Memo> {
        self.memo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.memo().ledger
    }

    /// What a method asks for, and the two ends that every result states.
    fn masks_of(&self, method: &impl Method) -> Result<Vec<Coalition>, ExplainError> {
        let parts = self.parts.len();
        if parts == 0 {
            return Err(ExplainError::NoParts);
        }
        let mut masks = vec![Coalition::empty(parts), Coalition::full(parts)];
        masks.extend(method.masks(&self.parts, self.seed)?);
        Ok(masks)
    }

    fn unknown(&self, masks: &[Coalition]) -> Vec<Coalition> {
        let memo = self.memo();
        let mut seen = HashSet::new();
        masks.iter().filter(|kept| memo.value(kept).is_none() && seen.insert(*kept)).cloned().collect()
    }
}

impl fmt::Debug for Game<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Game")
            .field("parts", &self.parts)
            .field("threads", &self.threads)
            .field("seed", &self.seed)
            .field("max_calls", &self.max_calls)
            .finish_non_exhaustive()
    }
}
