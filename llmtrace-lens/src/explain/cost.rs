//! What calls cost: an estimate before, a count after.

use std::fmt;
use std::sync::Arc;

use llmtrace::{BundledPrices, PriceOverrides, PriceQuery, PriceSource, Rates, Timestamp, Usage, Usd};
use serde::{Deserialize, Serialize};

/// The model that is asked, as far as its price matters.
#[derive(Clone)]
pub(super) struct Tariff {
    model: String,
    prices: Arc<dyn PriceSource>,
}

/// What the calls took, as far as they said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spent {
    /// How often the score function was called; a prompt that was scored before is not scored again.
    pub calls: u64,
    /// Tokens that went in, where any call stated them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input_tokens: Option<u64>,
    /// Tokens that came out, where any call stated them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output_tokens: Option<u64>,
    /// US dollars, where a price is known for every call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usd: Option<f64>,
}

/// What the calls of a game took so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ledger {
    calls: u64,
    priced: u64,
    input: Option<u64>,
    output: Option<u64>,
    usd: Usd,
}

/// Bytes of text that are taken for a token where nobody counted.
const BYTES_A_TOKEN: u64 = 4;

impl Tariff {
    pub(super) fn bundled(model: impl Into<String>) -> Self {
        Self { model: model.into(), prices: Arc::new(BundledPrices::new()) }
    }

    pub(super) fn rates(rates: &Rates) -> Self {
        let model = "the model";
        Self { model: model.to_owned(), prices: Arc::new(PriceOverrides::new().model(model, *rates)) }
    }

    /// The price of so many tokens; `None` where the model has none.
    pub(super) fn price(&self, usage: &Usage) -> Option<Usd> {
        let query = PriceQuery::new(&self.model, usage, Timestamp::now());
        self.prices.price(&query).ok().map(|cost| cost.total)
    }
}

impl fmt::Debug for Tariff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tariff").field("model", &self.model).finish_non_exhaustive()
    }
}

impl Ledger {
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// One call more, and what it said of its tokens.
    pub(super) fn add(&mut self, usage: Option<&Usage>, tariff: Option<&Tariff>) {
        self.calls += 1;
        let Some(usage) = usage else { return };
        let sum = |total: Option<u64>, more: Option<u64>| match (total, more) {
            (total, None) => total,
            (total, Some(more)) => Some(total.unwrap_or_default().saturating_add(more)),
        };
        self.input = sum(self.input, usage.input_tokens);
        self.output = sum(self.output, usage.output_tokens);
        if let Some(usd) = tariff.and_then(|tariff| tariff.price(usage)) {
            self.usd += usd;
            self.priced += 1;
        }
    }

    /// What came on since an earlier state.
    pub(super) fn since(&self, earlier: &Self) -> Spent {
        let calls = self.calls - earlier.calls;
        let more = |now: Option<u64>, then: Option<u64>| match now?.saturating_sub(then.unwrap_or_default()) {
            0 if then.is_some() => None,
            more => Some(more),
        };
        let is_priced = calls > 0 && self.priced - earlier.priced == calls;
        Spent {
            calls,
            input_tokens: more(self.input, earlier.input),
            output_tokens: more(self.output, earlier.output),
            usd: is_priced.then(|| (self.usd - earlier.usd).to_f64()),
        }
    }
}

/// The tokens of a prompt that nobody counted: a quarter of its bytes, rounded up.
pub(super) fn estimated_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_A_TOKEN)
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls", self.calls)?;
        if let Some(tokens) = self.input_tokens {
            write!(f, ", {tokens} input tokens")?;
        }
        if let Some(tokens) = self.output_tokens {
            write!(f, ", {tokens} output tokens")?;
        }
        self.usd.map_or(Ok(()), |usd| write!(f, ", ${usd:.6}"))
    }
}
