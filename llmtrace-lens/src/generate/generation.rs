//! An answer, and how it came about.

use std::time::Duration;

use serde::Serialize;

use super::choice::Choice;
use super::cost::Memory;
use super::prompt::Token;
use super::sampling::Sampling;
use super::stop::{FinishReason, Stop};
use crate::hooks::ActivationCache;
use crate::trace::{Artifact, PassReport, seconds};

/// An answer, and how it came about, step by step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Generation {
    /// The model's name.
    pub model: String,
    /// How its tokens were chosen.
    pub sampling: Sampling,
    /// When it was to end.
    pub stop: Stop,
    /// The prompt as a text; empty where it came as tokens and the model has no tokenizer.
    pub prompt_text: String,
    /// The prompt's tokens, special ones that the tokenizer added among them.
    pub prompt: Vec<Token>,
    /// The answer, without the text that ended it; empty where the model has no tokenizer.
    pub text: String,
    /// The answer's tokens, each with the choice that led to it. Those of a text that ended it have no bytes in `text`.
    pub tokens: Vec<GeneratedToken>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Time from the start to the first token.
    #[serde(rename = "time_to_first_token_seconds", serialize_with = "seconds")]
    pub time_to_first_token: Duration,
    /// Time of the whole.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub time: Duration,
    /// The file with the run's tensors, where one was asked for and could be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
}

/// One token of an answer: step `n` reads what is new since step `n - 1`, which for step 0 is the prompt, and chooses
/// token `n`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GeneratedToken {
    /// The token, and where it stands in the answer's text.
    pub token: Token,
    /// How it was chosen.
    pub choice: Choice,
    /// How many positions the step read.
    pub positions: usize,
    /// Time of the pass through the model.
    #[serde(rename = "forward_seconds", serialize_with = "seconds")]
    pub forward: Duration,
    /// Estimated floating point operations of the pass ([`flops`](super::flops)).
    pub flops: f64,
    /// What was kept in memory after it.
    pub memory: Memory,
    /// Where its time went, from [`Detail::Layers`](crate::trace::Detail::Layers) on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<PassReport>,
}

/// A step, while the answer is written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Step<'s> {
    /// Which, counted from 0.
    pub index: usize,
    /// The token. Where it holds a part of a character, its place in the text is only known at the end.
    pub token: &'s GeneratedToken,
    /// What the answer's text has grown by; nothing while a character, or what may become a stop text, is held back.
    pub text: &'s str,
    /// What the hooks kept in this step: the positions that it read.
    pub cache: &'s ActivationCache,
}

impl Generation {
    /// The ids of the answer's tokens.
    pub fn ids(&self) -> Vec<u32> {
        self.tokens.iter().map(|token| token.token.id).collect()
    }

    /// Time of all passes.
    pub fn forward(&self) -> Duration {
        self.tokens.iter().map(|token| token.forward).sum()
    }

    /// Estimated floating point operations of all passes.
    pub fn flops(&self) -> f64 {
        self.tokens.iter().map(|token| token.flops).sum()
    }

    /// The most that was kept in memory at a time.
    pub fn memory(&self) -> Memory {
        let most =
            |of: fn(&Memory) -> usize| self.tokens.iter().map(|token| of(&token.memory)).max().unwrap_or(0);
        Memory {
            kv_cache_bytes: most(|memory| memory.kv_cache_bytes),
            kept_bytes: most(|memory| memory.kept_bytes),
        }
    }

    /// The mean of the chosen tokens' log-probabilities in the model's distribution, in nats.
    pub fn mean_log_probability(&self) -> f64 {
        self.mean(|choice| choice.model.log_probability)
    }

    /// The mean entropy of the model's distributions, in bits.
    pub fn mean_entropy_bits(&self) -> f64 {
        self.mean(|choice| choice.model_entropy.bits())
    }

    /// Seconds that each block took in all passes; empty where they were not taken.
    pub fn layer_seconds(&self) -> Vec<f64> {
        let mut sums: Vec<f64> = Vec::new();
        for report in self.tokens.iter().filter_map(|token| token.pass.as_ref()) {
            sums.resize(sums.len().max(report.blocks.len()), 0.0);
            for (sum, block) in sums.iter_mut().zip(&report.blocks) {
                *sum += block.time.as_secs_f64();
            }
        }
        sums
    }

    /// What is remarkable, a sentence each: at most 32.
    pub fn findings(&self) -> Vec<String> {
        let reports = self.tokens.iter().filter_map(|token| token.pass.as_ref());
        reports.flat_map(PassReport::findings).take(MAX_FINDINGS).collect()
    }

    fn mean(&self, of: impl Fn(&Choice) -> f64) -> f64 {
        self.tokens.iter().map(|token| of(&token.choice)).sum::<f64>() / self.tokens.len().max(1) as f64
    }
}

const MAX_FINDINGS: usize = 32;
