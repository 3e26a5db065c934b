//! Several sources of prices, asked in turn.

use std::fmt;

use super::{PriceQuery, PriceSource};
use crate::{Cost, Unpriced};

/// Asks several sources in turn: the first that knows the model answers.
///
/// ```
/// use llmtrace::{PriceChain, PriceOverrides, PriceQuery, Rates, Timestamp, Usage};
///
/// let ours = PriceOverrides::new().model("our-model", Rates::per_mtok("1".parse()?, "2".parse()?));
/// let theirs = PriceOverrides::new().model("*", Rates::free());
/// let prices = PriceChain::new(ours).then(theirs);
///
/// let usage = Usage::new(1_000, 0);
/// let cost = |model| prices.price(&PriceQuery::new(model, &usage, Timestamp::now())).map(|cost| cost.total);
/// # use llmtrace::PriceSource as _;
/// assert_eq!(cost("our-model")?.to_string(), "0.001");
/// assert_eq!(cost("another")?.to_string(), "0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PriceChain {
    sources: Vec<Box<dyn PriceSource>>,
}

impl PriceChain {
    /// A chain of one source.
    pub fn new(first: impl PriceSource) -> Self {
        Self { sources: vec![Box::new(first)] }
    }

    /// Adds a source that is asked where all before it answer [`Unpriced::UnknownModel`].
    pub fn then(mut self, next: impl PriceSource) -> Self {
        self.sources.push(Box::new(next));
        self
    }

    /// The first price that a source has for the name as it is.
    fn ask(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        let mut answers = self.sources.iter().map(|source| source.price(query));
        answers.find(|answer| *answer != Err(Unpriced::UnknownModel)).unwrap_or(Err(Unpriced::UnknownModel))
    }
}

impl PriceSource for PriceChain {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        for source in &self.sources {
            if let Some(renamed) = source.priced_as(query) {
                return self.ask(&renamed);
            }
            let answer = source.price(query);
            if answer != Err(Unpriced::UnknownModel) {
                return answer;
            }
        }
        Err(Unpriced::UnknownModel)
    }

    fn priced_as<'a>(&'a self, query: &PriceQuery<'a>) -> Option<PriceQuery<'a>> {
        for source in &self.sources {
            if let Some(renamed) = source.priced_as(query) {
                return Some(renamed);
            }
            if source.price(query) != Err(Unpriced::UnknownModel) {
                return None;
            }
        }
        None
    }
}

impl fmt::Debug for PriceChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PriceChain").field("sources", &self.sources.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{CostSource, PriceOverride, PriceOverrides, Rates, Timestamp, Usage, Usd};

    struct Fixed(Result<i128, Unpriced>);

    impl PriceSource for Fixed {
        fn price(&self, _query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
            self.0.map(|pico| Cost::new(Usd::from_pico(pico), CostSource::Override))
        }
    }

    #[test]
    fn the_first_source_that_knows_the_model_wins() {
        let check = |answers: [Result<i128, Unpriced>; 2], expected: Result<i128, Unpriced>| {
            let [first, second] = answers.map(Fixed);
            let usage = Usage::new(1, 1);
            let query = PriceQuery::new("m", &usage, Timestamp::default());
            let cost = PriceChain::new(first).then(Arc::new(second)).price(&query);
            assert_eq!(cost.map(|cost| cost.total.pico()), expected);
        };
        check([Ok(1), Ok(2)], Ok(1));
        check([Err(Unpriced::UnknownModel), Ok(2)], Ok(2));
        check([Err(Unpriced::NoUsage), Ok(2)], Err(Unpriced::NoUsage));
        check([Err(Unpriced::InvalidUsage), Ok(2)], Err(Unpriced::InvalidUsage));
        check([Err(Unpriced::UnknownModel), Err(Unpriced::UnknownModel)], Err(Unpriced::UnknownModel));
    }

    #[test]
    fn an_alias_is_priced_by_whichever_source_knows_the_model() {
        let rates = |input: &str| Rates::per_mtok(input.parse().unwrap(), Usd::ZERO);
        let usage = Usage::new(1_000_000, 0);
        let check = |chain: PriceChain, model: &str, expected: Result<&str, Unpriced>| {
            let query = PriceQuery::new(model, &usage, Timestamp::default());
            let total = chain.price(&query).map(|cost| cost.total.to_string());
            assert_eq!(total, expected.map(str::to_owned), "{model}");
        };
        let ours = || {
            PriceOverrides::new()
                .model("ours", rates("1"))
                .entry(PriceOverride::alias("bot", "theirs"))
                .entry(PriceOverride::alias("bot-2", "ours"))
                .entry(PriceOverride::alias("bot-3", "bot"))
                .entry(PriceOverride::alias("every*", "everything"))
                .entry(PriceOverride::alias("nobody", "unheard-of"))
        };
        let theirs = || PriceOverrides::new().model("theirs", rates("2")).model("bot", rates("3"));
        let chain = || PriceChain::new(ours()).then(theirs());
        check(chain(), "bot", Ok("2"));
        check(chain(), "bot-2", Ok("1"));
        check(chain(), "nobody", Err(Unpriced::UnknownModel));
        check(chain(), "everyone", Err(Unpriced::UnknownModel));
        // An alias of an alias is not followed; another source may know the name as a model's.
        check(chain(), "bot-3", Ok("3"));
        // What comes first wins, alias or price.
        check(PriceChain::new(theirs()).then(ours()), "bot", Ok("3"));
        check(PriceChain::new(PriceChain::new(theirs()).then(ours())).then(ours()), "bot", Ok("3"));
        check(PriceChain::new(PriceChain::new(ours())).then(theirs()), "bot", Ok("2"));
    }
}
