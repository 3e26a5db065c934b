//! Prices per token, and the exact arithmetic on them.

use crate::{Usage, Usd};

/// What a model's tokens cost, in US dollars per million tokens.
///
/// A cost is computed in whole numbers: each share (input, output) is the exact sum over its tokens, rounded
/// once, half up, to a pico-dollar (1e-12 USD).
///
/// ```
/// use llmtrace::Rates;
///
/// let rates = Rates::per_mtok("0.15".parse()?, "0.60".parse()?).cache_read("0.075".parse()?);
/// # Ok::<(), llmtrace::ParseUsdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    input: Usd,
    output: Usd,
    cache_read: Option<Usd>,
    cache_write: Option<Usd>,
    cache_write_1h: Option<Usd>,
    per_call: Usd,
}

impl Rates {
    /// USD per million input tokens and per million output tokens.
    ///
    /// Cache reads and writes cost what other input costs until a rate of their own is set.
    pub fn per_mtok(input: Usd, output: Usd) -> Self {
        Self { input, output, cache_read: None, cache_write: None, cache_write_1h: None, per_call: Usd::ZERO }
    }

    /// Nothing at all: a model whose calls are known to be free.
    pub fn free() -> Self {
        Self::per_mtok(Usd::ZERO, Usd::ZERO)
    }

    /// USD per million tokens read from a cache; the input rate where unset.
    pub fn cache_read(mut self, per_mtok: Usd) -> Self {
        self.cache_read = Some(per_mtok);
        self
    }

    /// USD per million tokens written to a cache; the input rate where unset.
    pub fn cache_write(mut self, per_mtok: Usd) -> Self {
        self.cache_write = Some(per_mtok);
        self
    }

    /// USD per million tokens written to a cache for one hour; the rate of other cache writes where unset.
    pub fn cache_write_1h(mut self, per_mtok: Usd) -> Self {
        self.cache_write_1h = Some(per_mtok);
        self
    }

    /// USD for each call, whatever its tokens; in the total, in neither share.
    pub fn per_call(mut self, fee: Usd) -> Self {
        self.per_call = fee;
        self
    }

    /// Total, input and output; `None` if it does not fit.
    pub(super) fn apply(&self, usage: &Usage) -> Option<(Usd, Usd, Usd)> {
        let read = usage.cache_read_tokens.unwrap_or(0);
        let write_1h = usage.cache_write_1h_tokens.unwrap_or(0);
        let split = write_1h.checked_add(usage.cache_write_5m_tokens.unwrap_or(0))?;
        let write = usage.cache_write_tokens.unwrap_or(split);
        let plain = usage.input_tokens?.checked_sub(read)?.checked_sub(write)?;
        let write_rate = self.cache_write.unwrap_or(self.input);
        let input = sum(&[
            (plain, self.input),
            (read, self.cache_read.unwrap_or(self.input)),
            (write.checked_sub(write_1h)?, write_rate),
            (write_1h, self.cache_write_1h.unwrap_or(write_rate)),
        ])?;
        let output = sum(&[(usage.output_tokens.unwrap_or(0), self.output)])?;
        Some((input + output + self.per_call, input, output))
    }
}

/// Tokens times their rates, rounded once to a pico-dollar.
fn sum(parts: &[(u64, Usd)]) -> Option<Usd> {
    const MTOK: i128 = 1_000_000;
    let mut total = 0_i128;
    for &(tokens, per_mtok) in parts {
        total = total.checked_add(i128::from(tokens).checked_mul(per_mtok.pico())?)?;
    }
    Some(Usd::from_pico(total.checked_add(MTOK / 2)?.div_euclid(MTOK)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn each_share_is_exact_and_rounded_once() {
        let check = |rates: Rates, usage: Usage, expected: [&str; 3]| {
            let (total, input, output) = rates.apply(&usage).unwrap();
            assert_eq!([total, input, output].map(|amount| amount.to_string()), expected);
        };
        let rates = Rates::per_mtok(usd("3"), usd("15"));
        check(rates, Usage::new(1_000, 100), ["0.0045", "0.003", "0.0015"]);
        check(
            rates,
            Usage::new(1_000, 100).with_cache_read(900).with_cache_write(100),
            ["0.0045", "0.003", "0.0015"],
        );
        let cached = rates.cache_read(usd("0.3")).cache_write(usd("3.75")).cache_write_1h(usd("6"));
        let usage = Usage {
            cache_write_5m_tokens: Some(60),
            cache_write_1h_tokens: Some(40),
            ..Usage::new(1_000, 0).with_cache_read(500).with_cache_write(100)
        };
        check(cached, usage.clone(), ["0.001815", "0.001815", "0"]);
        check(cached, Usage { cache_write_tokens: None, ..usage.clone() }, ["0.001815", "0.001815", "0"]);
        check(rates.cache_write(usd("4")), usage, ["0.0031", "0.0031", "0"]);
        check(Rates::free().per_call(usd("0.01")), Usage::new(5, 5), ["0.01", "0", "0"]);
        // Half a pico-dollar and more rounds up, less rounds down.
        check(
            Rates::per_mtok(usd("0.0000005"), usd("0.000000499999")),
            Usage::new(1, 1),
            ["0.000000000001", "0.000000000001", "0"],
        );
    }

    #[test]
    fn what_cannot_be_computed_has_no_cost() {
        let rates = Rates::per_mtok(usd("900000000000000"), Usd::ZERO);
        assert_eq!(rates.apply(&Usage::new(u64::MAX, 0)), None);
        assert_eq!(rates.apply(&Usage { input_tokens: None, ..Usage::new(1, 1) }), None);
        assert_eq!(rates.apply(&Usage::new(1, 1).with_cache_read(2)), None);
    }
}
