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
    /// What is planned: a method, or `faithfulness`.
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
    pub(super) fn new(
        method: &str,
        parts: &Parts,
        new: &[Coalition],
        known: usize,
        answer_tokens: Option<u64>,
        tariff: Option<&Tariff>,
    ) -> Self {
        let input_tokens = new.iter().map(|kept| estimated_tokens(parts.mask(kept).text())).sum();
        let calls = new.len() as u64;
        let output_tokens = answer_tokens.map(|tokens| tokens.saturating_mul(calls));
        let price = || tariff?.price(&Usage::new(input_tokens, output_tokens?));
        Self {
            method: method.to_owned(),
            parts: parts.len(),
            masking: parts.masking().clone(),
            calls,
            known: known as u64,
            input_tokens,
            output_tokens,
            usd: price().map(llmtrace::Usd::to_f64),
        }
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
