//! The test of repeated random tokens.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::attention::AttentionSummary;
use super::error::ReadError;
use super::reading::{Reading, single};
use crate::error::RunError;
use crate::hooks::Hooks;
use crate::model::{Model, Readout};
use crate::ops::{Distribution, greatest};

/// How many random tokens are repeated where the model has positions for them (Olsson et al. 2022).
const LENGTH: usize = 25;

/// A test of whether a model goes on with what it has read before: random tokens, none of them twice, then the same
/// again (Olsson et al. 2022, "In-context Learning and Induction Heads").
///
/// Nothing but the repetition tells the second copy, so heads that attend to what followed the earlier occurrence are
/// induction heads.
///
/// ```no_run
/// use llmtrace_lens::Model;
/// use llmtrace_lens::analysis::InductionTest;
///
/// let model = Model::load("models/toy-relu")?;
/// let report = InductionTest::new(&model).sequences(8).seed(1).run()?;
/// for head in report.attention.induction_heads(0.5) {
///     println!("{} {:?}", head.label(), head.induction);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct InductionTest<'m> {
    model: &'m Model,
    before: Vec<u32>,
    among: Option<Vec<u32>>,
    length: Option<usize>,
    sequences: usize,
    seed: u64,
}

/// What an [`InductionTest`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct InductionReport {
    /// How many tokens were repeated.
    pub length: usize,
    /// Over how many sequences the numbers are means.
    pub sequences: usize,
    /// The seed the tokens were drawn with.
    pub seed: u64,
    /// What each head attends to over the sequences.
    pub attention: AttentionSummary,
    /// Mean negative log-probability of a token of the first copy, in nats; its first token is left out.
    pub first_loss: f32,
    /// The same of the second copy: far below the first where the model repeats.
    pub repeated_loss: f32,
    /// The share of the second copy's tokens that the model finds most probable; its first token is left out.
    pub accuracy: f32,
}

impl<'m> InductionTest<'m> {
    /// Four sequences of 25 tokens, or as many as the model has positions for twice, drawn from the whole vocabulary but
    /// the special tokens with seed 0.
    pub fn new(model: &'m Model) -> Self {
        Self { model, before: Vec::new(), among: None, length: None, sequences: 4, seed: 0 }
    }

    /// Puts these tokens before each sequence, such as the one that begins a text.
    pub fn after(mut self, tokens: &[u32]) -> Self {
        self.before = tokens.to_vec();
        self
    }

    /// Draws from these tokens only.
    pub fn among(mut self, tokens: impl IntoIterator<Item = u32>) -> Self {
        self.among = Some(tokens.into_iter().collect());
        self
    }

    /// Repeats this many tokens.
    pub fn length(mut self, tokens: usize) -> Self {
        self.length = Some(tokens);
        self
    }

    /// Takes the mean over this many sequences.
    pub fn sequences(mut self, count: usize) -> Self {
        self.sequences = count;
        self
    }

    /// Draws the tokens with this seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs the model on each sequence.
    ///
    /// # Errors
    /// Fewer than two tokens are to be repeated, or more than there are to draw from or positions for.
    pub fn run(&self) -> Result<InductionReport, ReadError> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let (mut tokens, length) = (self.candidates(), self.positions());
        if length < 2 || length > tokens.len() || self.sequences == 0 {
            return Err(RunError::Input(format!(
                "{} sequences of {length} different tokens were asked for: there are {} tokens to draw from, and at \
                 least one sequence of 2 is needed",
                self.sequences,
                tokens.len()
            ))
            .into());
        }
        let (mut summaries, mut copies) = (Vec::with_capacity(self.sequences), Copies::default());
        for _ in 0..self.sequences {
            random.shuffle(&mut tokens);
            let copy = tokens.get(..length).unwrap_or_default();
            let sequence = [&self.before, copy, copy].concat();
            summaries.push(self.read(&sequence, &mut copies)?);
        }
        let attention = AttentionSummary::mean(&summaries)
            .ok_or_else(|| RunError::Input("there is no sequence to read".to_owned()))?;
        let tokens = (self.sequences * (length - 1)) as f64;
        Ok(InductionReport {
            length,
            sequences: self.sequences,
            seed: self.seed,
            attention,
            first_loss: single(copies.first_loss / tokens),
            repeated_loss: single(copies.repeated_loss / tokens),
            accuracy: single(copies.right as f64 / tokens),
        })
    }

    /// Runs one sequence and counts what the model says of both copies.
    fn read(&self, sequence: &[u32], copies: &mut Copies) -> Result<AttentionSummary, ReadError> {
        let mut hooks = Hooks::new().keep("blocks.*.attn.hook_pattern");
        let (logits, cache) = self.model.run_batch_with_hooks(&[sequence], Readout::All, &mut hooks)?;
        let rows: Vec<Vec<f32>> = logits.squeeze(0)?.to_vec2()?;
        let length = (sequence.len() - self.before.len()) / 2;
        for (at, (row, next)) in rows.iter().zip(sequence.iter().skip(1)).enumerate() {
            let Some(place) = (at + 1).checked_sub(self.before.len()) else { continue };
            let Some(logit) = row.get(*next as usize) else { continue };
            let loss = -Distribution::of(row).log_probability(*logit);
            if (1..length).contains(&place) {
                copies.first_loss += loss;
            } else if place > length {
                copies.repeated_loss += loss;
                copies.right += usize::from(greatest(row, 1) == [*next as usize]);
            }
        }
        Reading::of(self.model, sequence, cache)?.attention_summary()
    }

    fn candidates(&self) -> Vec<u32> {
        let special = self.model.special_tokens();
        let all: BTreeSet<u32> = match &self.among {
            Some(tokens) => tokens.iter().copied().collect(),
            None => (0..u32::try_from(self.model.config().vocab).unwrap_or(u32::MAX)).collect(),
        };
        all.into_iter().filter(|token| !special.contains(token) && !self.before.contains(token)).collect()
    }

    /// How many tokens are repeated.
    fn positions(&self) -> usize {
        let room = self.model.config().context.saturating_sub(self.before.len()) / 2;
        self.length.unwrap_or(LENGTH.min(room))
    }
}

/// What the model said of the copies, summed over sequences.
#[derive(Default)]
struct Copies {
    first_loss: f64,
    repeated_loss: f64,
    right: usize,
}

impl fmt::Display for InductionReport {
    /// How well the model repeats, then the table of heads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} random tokens twice, {} sequences: loss {:.3} nats at first, {:.3} repeated, {:.0} % right",
            self.length,
            self.sequences,
            self.first_loss,
            self.repeated_loss,
            100.0 * self.accuracy
        )?;
        self.attention.fmt(f)
    }
}
