//! What a call costs: where a price comes from, and which source wins.

#[cfg(feature = "prices")]
mod bundled;
#[cfg(feature = "prices")]
mod card;
#[cfg(feature = "prices")]
mod counts;
#[cfg(feature = "prices")]
mod entry;
mod names;
mod override_file;
mod overrides;
#[cfg(feature = "prices")]
mod places;
mod rates;
#[cfg(feature = "prices")]
mod suffix;

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "prices")]
pub use bundled::BundledPrices;
pub use override_file::OverrideError;
pub use overrides::{PriceOverride, PriceOverrides};
pub use rates::Rates;

use crate::{Cost, Timestamp, Unpriced, Usage, UsageSource, UsageStatus};

/// Says what a call cost.
///
/// Called on a thread of llmtrace's own, once for each call whose provider stated no cost itself.
///
/// ```
/// use llmtrace::{Cost, CostSource, PriceQuery, PriceSource, Unpriced, Usd};
///
/// /// Every call to our own server costs a hundredth of a cent.
/// struct FlatFee;
///
/// impl PriceSource for FlatFee {
///     fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
///         match query.provider {
///             Some("our-server") => Ok(Cost::new(Usd::from_pico(100_000_000), CostSource::Override)),
///             _ => Err(Unpriced::UnknownModel),
///         }
///     }
/// }
/// ```
pub trait PriceSource: Send + Sync + 'static {
    /// The cost of one call.
    ///
    /// # Errors
    ///
    /// [`Unpriced::UnknownModel`] lets the next source of a [`PriceChain`] answer; the others end the search.
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced>;
}

impl<P: PriceSource + ?Sized> PriceSource for Arc<P> {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        (**self).price(query)
    }
}

impl<P: PriceSource + ?Sized> PriceSource for Box<P> {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        (**self).price(query)
    }
}

/// One call to be priced.
///
/// ```
/// use llmtrace::{PriceQuery, Timestamp, Usage};
///
/// let usage = Usage::new(1_200, 80);
/// let query = PriceQuery::new("gpt-4o-mini", &usage, Timestamp::now()).provider("openai").service_tier("flex");
/// assert_eq!(query.service_tier, Some("flex"));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PriceQuery<'a> {
    /// Who answered: an `OTel` provider name (`aws.bedrock`) or a usual short one (`bedrock`).
    pub provider: Option<&'a str>,
    /// The model, as the response names it where it does, else as the request named it.
    pub model: &'a str,
    /// The tokens.
    pub usage: &'a Usage,
    /// When the call started: prices change.
    pub at: Timestamp,
    /// The service tier that was served: `default`, `flex`, `priority`, ...
    pub service_tier: Option<&'a str>,
    /// The inference speed that was served (Anthropic `usage.speed`).
    pub speed: Option<&'a str>,
    /// `batch` for a call made through a batch API.
    pub processing: Option<&'a str>,
    /// Where inference ran (Anthropic `usage.inference_geo`).
    pub inference_geo: Option<&'a str>,
}

impl<'a> PriceQuery<'a> {
    /// A call of `model` that started at `at`.
    pub fn new(model: &'a str, usage: &'a Usage, at: Timestamp) -> Self {
        Self {
            provider: None,
            model,
            usage,
            at,
            service_tier: None,
            speed: None,
            processing: None,
            inference_geo: None,
        }
    }

    /// Says who answered.
    pub fn provider(mut self, provider: impl Into<Option<&'a str>>) -> Self {
        self.provider = provider.into();
        self
    }

    /// Says which service tier was served.
    pub fn service_tier(mut self, tier: impl Into<Option<&'a str>>) -> Self {
        self.service_tier = tier.into();
        self
    }

    /// Says at which speed the call was served.
    pub fn speed(mut self, speed: impl Into<Option<&'a str>>) -> Self {
        self.speed = speed.into();
        self
    }

    /// Says how the call was submitted: `batch`, or nothing.
    pub fn processing(mut self, processing: impl Into<Option<&'a str>>) -> Self {
        self.processing = processing.into();
        self
    }

    /// Says where inference ran.
    pub fn inference_geo(mut self, geo: impl Into<Option<&'a str>>) -> Self {
        self.inference_geo = geo.into();
        self
    }
}

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
}

impl PriceSource for PriceChain {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        self.sources
            .iter()
            .map(|source| source.price(query))
            .find(|answer| *answer != Err(Unpriced::UnknownModel))
            .unwrap_or(Err(Unpriced::UnknownModel))
    }
}

impl fmt::Debug for PriceChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PriceChain").field("sources", &self.sources.len()).finish()
    }
}

/// Whether the counts may be priced at all: stated by the provider, complete, and free of contradictions.
fn require_priceable(usage: &Usage) -> Result<(), Unpriced> {
    if usage.status == UsageStatus::Invalid || usage.contradicts_itself() {
        return Err(Unpriced::InvalidUsage);
    }
    let stated = usage.status == UsageStatus::Complete && usage.source == UsageSource::Provider;
    let counted = [usage.input_tokens, usage.audio_seconds, usage.document_pages, usage.rerank_searches];
    if stated && counted.iter().any(Option::is_some) { Ok(()) } else { Err(Unpriced::NoUsage) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CostSource, Usd};

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
    fn only_complete_and_stated_usage_is_priced() {
        let check = |usage: Usage, expected| assert_eq!(require_priceable(&usage), expected, "{usage:?}");
        let status = |status| Usage { status, ..Usage::new(10, 5) };
        check(Usage::new(10, 5), Ok(()));
        check(Usage { output_tokens: None, ..Usage::new(10, 5) }, Ok(()));
        check(Usage { input_tokens: None, ..Usage::new(10, 5) }, Err(Unpriced::NoUsage));
        check(status(UsageStatus::Missing), Err(Unpriced::NoUsage));
        check(status(UsageStatus::Partial), Err(Unpriced::NoUsage));
        check(status(UsageStatus::Interrupted), Err(Unpriced::NoUsage));
        check(status(UsageStatus::Invalid), Err(Unpriced::InvalidUsage));
        check(Usage::new(10, 5).with_cache_read(11), Err(Unpriced::InvalidUsage));
        check(Usage { source: UsageSource::Estimated, ..Usage::new(10, 5) }, Err(Unpriced::NoUsage));
    }
}
