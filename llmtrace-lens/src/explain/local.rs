//! Explaining what a local model says.

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::{DType, Device};
use tracing::Span;

use super::cost::Spent;
use super::limits::within;
use super::{Attribution, ExplainError, Game, Masked, Masking, Meaning, Parts, Scored, trace};
use crate::error::RunError;
use crate::gradient::{Baseline, IntegratedGradients, Target, keeping};
use crate::model::{Model, Origin};

/// A prompt of a local model, and what of it is explained. Methods that mask parts run on it in batches through
/// [`game`](Self::game); others read its gradients or its attention.
///
/// ```no_run
/// use llmtrace_lens::explain::{Shapley, TokenGame};
/// use llmtrace_lens::Model;
/// use llmtrace_lens::gradient::{Baseline, IntegratedGradients, Target};
///
/// let model = Model::load("models/two-hop")?;
/// let text = "the capital of the state containing Dallas is";
/// let prompt = TokenGame::of_text(&model, text, &Target::log_probability(42), 0)?;
/// println!("{}", prompt.game().explain(&Shapley)?);
/// println!("{}", prompt.integrated_gradients(&IntegratedGradients::new(Baseline::Token(0)))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenGame<'m> {
    model: &'m Model,
    target: Target,
    parts: Parts,
    tokens: Vec<u32>,
    max_runs: u64,
    explained: Option<Span>,
}

/// What a method read of the run of a prompt.
struct Read {
    meaning: Meaning,
    by_token: Vec<f64>,
    /// The target's value at what the prompt is compared with, where it is.
    base_value: Option<f64>,
    full_value: f64,
}

impl<'m> TokenGame<'m> {
    /// Each token of a text is a part, but those that the tokenizer adds, such as one for the beginning: they stay in
    /// every prompt, unless there are no others. The token `mask` stands in place of masked ones.
    ///
    /// # Errors
    /// The model has no tokenizer, or it cannot read this text.
    pub fn of_text(model: &'m Model, text: &str, target: &Target, mask: u32) -> Result<Self, RunError> {
        Ok(Self::of_marked(model, &model.tokenize_marked(text)?, target, mask))
    }

    /// The same, of tokens whose origin is known.
    pub(crate) fn of_marked(model: &'m Model, tokens: &[(u32, Origin)], target: &Target, mask: u32) -> Self {
        let ids: Vec<u32> = tokens.iter().map(|(id, _)| *id).collect();
        let game = Self::new(model, &ids, target, mask);
        if tokens.iter().all(|(_, origin)| *origin == Origin::Tokenizer) {
            return game;
        }
        let added = |at: usize| tokens.get(at).is_some_and(|(_, origin)| *origin == Origin::Tokenizer);
        Self { parts: game.parts.keeping_at(added), ..game }
    }

    /// Each token of the prompt is a part, special ones too; the token `mask` stands in place of masked ones.
    pub fn new(model: &'m Model, tokens: &[u32], target: &Target, mask: u32) -> Self {
        let texts = model.token_texts(tokens);
        Self::of_parts(model, Parts::token_ids(tokens.iter().copied().zip(texts), mask), target)
    }

    /// Parts of any size whose tokens are known: those of [`Parts::token_ids`] or [`Parts::with_token_ids`].
    pub fn of_parts(model: &'m Model, parts: Parts, target: &Target) -> Self {
        let tokens = parts.prompt_tokens().iter().map(|token| token.id).collect();
        Self { model, target: target.clone(), parts, tokens, max_runs: u64::MAX, explained: None }
    }

    /// Runs the model on at most so many prompts for one explanation that reads the run, and for all of one
    /// [`game`](Self::game). What may need more fails before its first run.
    pub fn max_runs(mut self, runs: u64) -> Self {
        self.max_runs = runs;
        self
    }

    /// Names the span that is explained: spans of explanations, also those of its [`game`](Self::game), become its
    /// children. Without it they are children of the current span. The span stays open as long as this lives.
    pub fn of_span(mut self, explained: &Span) -> Self {
        self.explained = Some(explained.clone());
        self
    }

    /// The prompt in parts.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Where each part begins, in tokens of the prompt.
    pub(crate) fn positions(&self) -> Vec<usize> {
        let of = |part: usize| self.tokens_of_parts().position(|token| token == Some(part));
        (0..self.parts.len()).filter_map(of).collect()
    }

    fn tokens_of_parts(&self) -> impl Iterator<Item = Option<usize>> + '_ {
        self.parts.prompt_tokens().iter().map(|token| token.part)
    }

    /// Whether each token stays in every prompt.
    fn kept(&self) -> Vec<bool> {
        self.tokens_of_parts().map(|part| part.is_none()).collect()
    }

    /// The game on these parts: every method that masks parts, and the judgement of any attribution.
    pub fn game(&self) -> Game<'_> {
        let batch = self.target.batch(self.tokens.len(), self.model.config().vocab);
        let score = |prompts: &[Masked<'_>]| self.scores(prompts);
        // The model itself computes on several threads.
        let game = Game::of_batches(&self.parts, batch, score).threads(1).max_calls(self.max_runs);
        match &self.explained {
            Some(explained) => game.of_span(explained),
            None => game,
        }
    }

    /// The length of the gradient by each embedding, added up over the tokens of each part (Simonyan et al. 2013): how
    /// strongly the target depends on a part, without a sign. It does not share the target's value out.
    ///
    /// # Errors
    /// The model cannot be run on the prompt, or not so often.
    pub fn saliency(&self) -> Result<Attribution, ExplainError> {
        self.read("saliency", Masking::Unmasked, 1, || {
            let gradient = self.model.gradient(&self.tokens, &self.target)?;
            Ok(Read {
                meaning: Meaning::GradientLength,
                by_token: gradient.norms()?.concat(),
                base_value: None,
                full_value: gradient.values().iter().sum(),
            })
        })
    }

    /// The gradient times each embedding (Shrikumar et al. 2016): what the target would lose without it, were the model
    /// linear. The gap says how far it is from that. Tokens that always stay are kept in what it is compared with.
    ///
    /// # Errors
    /// The model cannot be run on the prompt, or not so often.
    pub fn gradient_x_input(&self) -> Result<Attribution, ExplainError> {
        let masking = Masking::Embedding { with: Baseline::Zero.to_string() };
        self.read("gradient_x_input", masking, 2, || {
            let embeddings = self.model.embeddings(&self.tokens)?;
            let gradient = self.model.gradient(&embeddings, &self.target)?;
            let base = keeping(&self.kept(), &embeddings, &embeddings.zeros_like()?)?;
            let base = self.model.score(&base, &self.target)?;
            Ok(Read {
                meaning: Meaning::Change,
                by_token: gradient.times(&embeddings)?.concat(),
                base_value: Some(base.iter().sum()),
                full_value: gradient.values().iter().sum(),
            })
        })
    }

    /// Integrated gradients, added up over the embeddings of each part; the gap is what the integral misses.
    /// Tokens that always stay are the same in the baseline.
    ///
    /// # Errors
    /// The model cannot be run on the prompt, or not so often; or more than [`IntegratedGradients::MAX_STEPS`] steps are asked for.
    pub fn integrated_gradients(&self, method: &IntegratedGradients) -> Result<Attribution, ExplainError> {
        let (steps, most) = (method.step_count(), IntegratedGradients::MAX_STEPS);
        within(IntegratedGradients::NAME, "steps", steps, most)?;
        let masking = match method.baseline() {
            Baseline::Token(id) => Masking::TokenId { id },
            other => Masking::Embedding { with: other.to_string() },
        };
        self.read(IntegratedGradients::NAME, masking, method.runs(), || {
            let (model, kept) = (self.model, self.kept());
            let found = model.integrated_gradients_keeping(&self.tokens, &self.target, method, &kept)?;
            Ok(Read {
                meaning: Meaning::Change,
                by_token: found.by_position()?,
                base_value: Some(found.baseline_value),
                full_value: found.value,
            })
        })
    }

    /// The share of each part in what the last position is after the last block, by attention rollout (Abnar and
    /// Zuidema 2020). It knows nothing of the target, and does not share its value out. Tokens that always stay have the
    /// share that the parts leave.
    ///
    /// # Errors
    /// The model cannot be run on the prompt, or not so often.
    pub fn attention_rollout(&self) -> Result<Attribution, ExplainError> {
        self.read("attention_rollout", Masking::Unmasked, 2, || {
            let shares = self.model.attention_rollout(&self.tokens)?;
            let (layers, positions, _) = shares.dims3()?;
            let last = shares.get(layers.saturating_sub(1))?.get(positions.saturating_sub(1))?;
            Ok(Read {
                meaning: Meaning::AttentionShare,
                by_token: last.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?,
                base_value: None,
                full_value: self.model.score(&self.tokens, &self.target)?.iter().sum(),
            })
        })
    }

    /// An attribution from what was read of each token.
    fn read(
        &self,
        method: &str,
        masking: Masking,
        runs: usize,
        of_tokens: impl FnOnce() -> Result<Read, RunError>,
    ) -> Result<Attribution, ExplainError> {
        if self.parts.is_empty() {
            return Err(ExplainError::NoParts);
        }
        let (planned, left) = (runs as u64, self.max_runs);
        if planned > left {
            return Err(ExplainError::Budget { method: method.to_owned(), planned, left });
        }
        let span = trace::explanation(self.explained.as_ref(), method, self.parts.text());
        let began = Instant::now();
        let result = span.in_scope(|| {
            let read = of_tokens().map_err(|error| ExplainError::Model { message: error.to_string() })?;
            let mut values = vec![0.0; self.parts.len()];
            for (token, value) in self.parts.prompt_tokens().iter().zip(read.by_token) {
                if let Some(sum) = token.part.and_then(|part| values.get_mut(part)) {
                    *sum += value;
                }
            }
            let mut attribution = Attribution::new(method, &self.parts, &values)?;
            attribution.masking = masking;
            attribution.meaning = read.meaning;
            attribution.base_value = read.base_value;
            attribution.full_value = read.full_value;
            let (calls, tokens) = (runs as u64, runs.saturating_mul(self.tokens.len()) as u64);
            attribution.spent = Spent { calls, input_tokens: Some(tokens), ..Spent::default() };
            attribution.seconds = began.elapsed().as_secs_f64();
            Ok(attribution)
        });
        trace::end(&span, &result);
        result
    }

    /// The scores of masked prompts, those of one length as one batch.
    fn scores(&self, prompts: &[Masked<'_>]) -> Vec<Result<Scored, String>> {
        let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, prompt) in prompts.iter().enumerate() {
            by_length.entry(prompt.ids().len()).or_default().push(at);
        }
        let missing = || Err("the prompt has no token ids".to_owned());
        let mut scores: Vec<Result<Scored, String>> = prompts.iter().map(|_| missing()).collect();
        for (length, places) in by_length.into_iter().filter(|(length, _)| *length > 0) {
            let batch: Vec<&[u32]> =
                places.iter().filter_map(|at| prompts.get(*at)).map(Masked::ids).collect();
            let values = self.model.score(&batch[..], &self.target).map_err(|error| error.to_string());
            for (nth, at) in places.into_iter().enumerate() {
                let value = values.as_ref().map_err(Clone::clone).map(|values| values.get(nth).copied());
                let scored =
                    value.map(|value| Scored::new(value.unwrap_or(f64::NAN)).tokens(length as u64, 0));
                if let Some(slot) = scores.get_mut(at) {
                    *slot = scored;
                }
            }
        }
        scores
    }
}

impl Model {
    /// The text of each token as it stands beside the one before it; its id where there is no tokenizer.
    pub(crate) fn token_texts(&self, tokens: &[u32]) -> Vec<String> {
        let decode = |tokens: &[u32]| self.tokenizer().and_then(|known| known.decode(tokens, false).ok());
        let text = |at: usize| {
            let before = decode(tokens.get(at.saturating_sub(1)..at)?)?;
            let both = decode(tokens.get(at.saturating_sub(1)..=at)?)?;
            let alone = || decode(tokens.get(at..=at)?);
            both.strip_prefix(before.as_str()).map(str::to_owned).or_else(alone)
        };
        let named = |at: usize, token: &u32| text(at).unwrap_or_else(|| format!("<{token}>"));
        tokens.iter().enumerate().map(|(at, token)| named(at, token)).collect()
    }
}
