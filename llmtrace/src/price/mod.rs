//! What a call costs: where a price comes from, and which source wins.

#[cfg(feature = "prices")]
mod bundled;
mod call;
#[cfg(feature = "prices")]
mod card;
mod chain;
#[cfg(feature = "prices")]
mod counts;
#[cfg(feature = "prices")]
mod deepseek;
#[cfg(feature = "prices")]
mod entry;
mod names;
mod override_file;
mod overrides;
mod places;
mod price_override;
mod query;
mod rates;
mod schedule;
#[cfg(feature = "prices")]
mod suffix;
mod version;

use std::sync::Arc;

#[cfg(feature = "prices")]
pub use bundled::BundledPrices;
pub use chain::PriceChain;
pub use override_file::OverrideError;
pub use overrides::PriceOverrides;
pub use price_override::PriceOverride;
pub use query::PriceQuery;
pub use rates::Rates;
pub use schedule::{ParseScheduleError, Schedule};

use crate::{Cost, Unpriced, Usage, UsageSource, UsageStatus};

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

    /// The call as another source would know it: under the name of the model that it costs the same as. `None`, as
    /// it is by default, leaves the name as it is.
    ///
    /// A [`PriceChain`] asks for it before the price, and asks all its sources anew for what it says.
    fn priced_as<'a>(&'a self, query: &PriceQuery<'a>) -> Option<PriceQuery<'a>> {
        let _ = query;
        None
    }
}

impl<P: PriceSource + ?Sized> PriceSource for Arc<P> {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        (**self).price(query)
    }

    fn priced_as<'a>(&'a self, query: &PriceQuery<'a>) -> Option<PriceQuery<'a>> {
        (**self).priced_as(query)
    }
}

impl<P: PriceSource + ?Sized> PriceSource for Box<P> {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        (**self).price(query)
    }

    fn priced_as<'a>(&'a self, query: &PriceQuery<'a>) -> Option<PriceQuery<'a>> {
        (**self).priced_as(query)
    }
}

/// Whether the counts may be priced at all: stated by the provider, complete, and free of contradictions.
fn require_priceable(usage: &Usage) -> Result<(), Unpriced> {
    if usage.status == UsageStatus::Invalid || usage.contradicts_itself() {
        return Err(Unpriced::InvalidUsage);
    }
    let is_stated = usage.status == UsageStatus::Complete && usage.source == UsageSource::Provider;
    // What is billed by searches, pages or seconds may have no tokens.
    let counts = [usage.input_tokens, usage.rerank_searches, usage.document_pages, usage.audio_seconds];
    if is_stated && counts.iter().any(Option::is_some) { Ok(()) } else { Err(Unpriced::NoUsage) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let searches = Usage { rerank_searches: Some(1), ..status(UsageStatus::Complete) };
        check(Usage { input_tokens: None, ..searches }, Ok(()));
        check(Usage { source: UsageSource::Estimated, ..Usage::new(10, 5) }, Err(Unpriced::NoUsage));
    }
}
