//! What an explanation will take, before the first call.

use std::fmt;

use llmtrace::Usage;
use serde::Serialize;

use super::cost::{Tariff, estimated_tokens};
use super::{Coalition, Masking, Parts};

/// What an explanation will take at most. Tokens are estimates: four bytes of a masked prompt count as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// What is planned: a method, or `judging` and a method.
    pub method: String,
    /// How many parts the prompt has.
    pub parts: usize,
    /// What stands in place of masked parts.
    pub masking: Masking,
    /// How often the score function will be called at most.
    pub calls: u64,
    /// How many masks are asked for that are scored already.
    pub known: u64,
    /// Tokens that will go in, estimated.
    pub input_tokens: u64,
    /// Tokens that will come out, as far as it was said how many a call may ([`Game::answer_tokens`](super::Game::answer_tokens)).
    pub output_tokens: Option<u64>,
    /// US dollars, where the model's price and the output tokens are known.
    pub usd: Option<f64>,
}

impl Plan {
    /// The plan to score `new` masks, beside `known` ones.
    pub(super) fn new(method: &str, parts: &Parts, new: &[Coalition], known: usize) -> Self {
        Self {
            method: method.to_owned(),
            parts: parts.len(),
            masking: parts.masking().clone(),
            calls: new.len() as u64,
            known: known as u64,
            input_tokens: new.iter().map(|kept| estimated_tokens(parts.mask(kept).text())).sum(),
            output_tokens: None,
            usd: None,
        }
    }

    /// With what each call adds to the prompt, and what its answer has at most.
    pub(super) fn with_cost(mut self, framing: u64, answer: Option<u64>, tariff: Option<&Tariff>) -> Self {
        self.input_tokens = self.input_tokens.saturating_add(framing.saturating_mul(self.calls));
        self.output_tokens = answer.map(|tokens| tokens.saturating_mul(self.calls));
        let usage = self.output_tokens.map(|output| Usage::new(self.input_tokens, output));
        let price = usage.and_then(|usage| tariff?.price(&usage));
        self.usd = price.map(llmtrace::Usd::to_f64);
        self
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} parts, {}: at most {} calls", self.method, self.parts, self.masking, self.calls)?;
        write!(f, ", about {} input tokens", self.input_tokens)?;
        if let Some(tokens) = self.output_tokens {
            write!(f, ", at most {tokens} output tokens")?;
        }
        self.usd.map_or(Ok(()), |usd| write!(f, ", about ${usd:.6}"))
    }
}
