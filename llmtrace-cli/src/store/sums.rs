//! What calls add up to.

use llmtrace::Usd;

use super::histogram::Histogram;
use super::row::Tokens;
use super::varint;

/// What calls of models add up to; can be added to, and taken back from, another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) calls: u64,
    /// Calls that failed.
    pub(crate) errors: u64,
    /// Calls that have a cost.
    pub(crate) priced: u64,
    /// Calls without a cost that did not fail: the cost is too small by theirs.
    pub(super) unpaid: u64,
    /// Calls in whose cost fees are missing.
    pub(super) incomplete: u64,
    /// Calls whose tokens are not known in full.
    pub(crate) uncounted: u64,
    /// Calls whose tokens are an estimate.
    pub(crate) estimated: u64,
    /// In the order of [`Tokens`].
    pub(super) tokens: [Stated; 5],
    /// In millionths of a millionth of a US dollar.
    pub(super) pico_usd: i128,
    /// From start to end.
    pub(crate) latency: Histogram,
    /// To the first content of a stream.
    pub(crate) first_chunk: Histogram,
}

/// The sum of a count over the calls that state it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) calls: u64,
    pub(super) sum: u64,
}

impl Sums {
    /// Calls without a cost, failed ones included.
    pub(crate) fn unpriced(&self) -> u64 {
        self.calls.saturating_sub(self.priced)
    }

    /// The cost of the calls that have one.
    pub(crate) fn cost(&self) -> Option<Usd> {
        (self.priced > 0).then(|| Usd::from_pico(self.pico_usd))
    }

    /// Whether the cost is known to be too small. A call that failed is taken to be free.
    pub(crate) fn is_cost_lower_bound(&self) -> bool {
        self.unpaid > 0 || self.incomplete > 0
    }

    /// The tokens, as far as they are stated.
    pub(crate) fn tokens(&self) -> Tokens {
        let [input, output, cache_read, cache_write, reasoning] =
            self.tokens.map(|stated| (stated.calls > 0).then_some(stated.sum));
        Tokens { input, output, cache_read, cache_write, reasoning }
    }

    /// Which part of the input was read from a cache, from 0 to 1; `None` where nobody stated any.
    pub(crate) fn cache_hit_share(&self) -> Option<f64> {
        let tokens = self.tokens();
        match (tokens.cache_read, tokens.input) {
            (Some(read), Some(input)) if input > 0 => Some((read as f64 / input as f64).min(1.0)),
            _ => None,
        }
    }

    /// Adds what others add up to.
    pub(crate) fn merge(&mut self, more: &Self) {
        self.each_count(more, u64::saturating_add);
        self.pico_usd += more.pico_usd;
        self.latency.merge(&more.latency);
        self.first_chunk.merge(&more.first_chunk);
    }

    /// Takes back what others add up to.
    pub(super) fn subtract(&mut self, less: &Self) {
        self.each_count(less, u64::saturating_sub);
        self.pico_usd -= less.pico_usd;
        self.latency.subtract(&less.latency);
        self.first_chunk.subtract(&less.first_chunk);
    }

    fn each_count(&mut self, other: &Self, join: impl Fn(u64, u64) -> u64) {
        for (own, other) in self.counts_mut().into_iter().zip(other.clone().counts_mut()) {
            *own = join(*own, *other);
        }
    }

    fn counts_mut(&mut self) -> [&mut u64; 17] {
        let [input, output, read, written, reasoning] = &mut self.tokens;
        [
            &mut self.calls,
            &mut self.errors,
            &mut self.priced,
            &mut self.unpaid,
            &mut self.incomplete,
            &mut self.uncounted,
            &mut self.estimated,
            &mut input.calls,
            &mut input.sum,
            &mut output.calls,
            &mut output.sum,
            &mut read.calls,
            &mut read.sum,
            &mut written.calls,
            &mut written.sum,
            &mut reasoning.calls,
            &mut reasoning.sum,
        ]
    }

    /// As bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        for count in self.clone().counts_mut() {
            varint::put(*count, &mut out);
        }
        out.extend_from_slice(&self.pico_usd.to_le_bytes());
        self.latency.write(&mut out);
        self.first_chunk.write(&mut out);
        out
    }

    /// Adds sums as [`to_bytes`](Self::to_bytes) wrote them; `None` if they are none.
    pub(super) fn merge_bytes(&mut self, mut bytes: &[u8]) -> Option<()> {
        for count in self.counts_mut() {
            *count = count.saturating_add(varint::take(&mut bytes)?);
        }
        let (pico, mut bytes) = bytes.split_first_chunk()?;
        self.pico_usd += i128::from_le_bytes(*pico);
        self.latency.merge_written(&mut bytes)?;
        self.first_chunk.merge_written(&mut bytes)
    }
}

#[cfg(test)]
impl Sums {
    /// One call, for tests of what shows sums.
    pub(crate) fn of_call(
        tokens: Tokens,
        cost: Option<Usd>,
        latency_ms: u64,
        first_chunk_ms: Option<u64>,
    ) -> Self {
        let counts = [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write, tokens.reasoning];
        let mut sums = Self {
            calls: 1,
            priced: u64::from(cost.is_some()),
            unpaid: u64::from(cost.is_none()),
            tokens: counts.map(|count| Stated { calls: u64::from(count.is_some()), sum: count.unwrap_or(0) }),
            pico_usd: cost.map_or(0, Usd::pico),
            ..Self::default()
        };
        sums.latency.add(latency_ms * 1_000_000);
        if let Some(first_chunk_ms) = first_chunk_ms {
            sums.first_chunk.add(first_chunk_ms * 1_000_000);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_read_back_and_can_be_taken_back() {
        let mut one = Sums { calls: 3, errors: 1, priced: 2, unpaid: 1, pico_usd: -5, ..Sums::default() };
        one.tokens = [1, 2, 3, 4, 5].map(|number| Stated { calls: number, sum: number * 1_000 });
        one.latency.add(70);
        let mut other = Sums { calls: 1, estimated: 4, pico_usd: 1 << 90, ..Sums::default() };
        other.first_chunk.add(9);
        let mut both = other.clone();
        assert_eq!(both.merge_bytes(&one.to_bytes()), Some(()));
        assert_eq!((both.calls, both.pico_usd), (4, (1 << 90) - 5));
        both.subtract(&one);
        assert_eq!(both, other);
        assert_eq!(both.merge_bytes(&[1, 2]), None);
    }

    #[test]
    fn what_nobody_stated_is_absent() {
        let sums = Sums { calls: 2, unpaid: 2, ..Sums::default() };
        assert_eq!((sums.tokens(), sums.cost(), sums.cache_hit_share()), (Tokens::default(), None, None));
        assert!(sums.is_cost_lower_bound());
    }
}
