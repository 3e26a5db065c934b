//! Prices that the user gives.

use std::fs;
use std::path::Path;

use super::names::{same_provider, without_resource_path};
use super::override_file::{self, OverrideError};
use super::{PriceQuery, PriceSource, Rates, require_priceable};
use crate::{Cost, CostSource, PriceMatch, Timestamp, Unpriced};

/// Prices that the user gives: negotiated ones, those of a model that no table knows, corrections.
///
/// Where several entries apply to a call, the last one wins. A call that none applies to is
/// [`Unpriced::UnknownModel`], so that the next source of a [`PriceChain`](crate::PriceChain) is asked.
/// Audio and image tokens cost what other tokens of the same direction cost; web and file searches have no
/// price here and set [`Cost::incomplete`].
///
/// The file is a JSON array. Every key but `model`, `input_per_mtok` and `output_per_mtok` may be left out:
///
/// | key | value |
/// |---|---|
/// | `provider` | an `OTel` provider name or a usual short one; any provider where left out |
/// | `model` | the model's name, in any case; with a `*` at its end, every name that starts so |
/// | `from`, `to` | a date, or an RFC 3339 time, in UTC: from the start of `from` to just before `to` |
/// | `service_tier` | only calls that this tier served |
/// | `input_per_mtok`, `output_per_mtok` | USD per million tokens, as text (`"0.15"`, exact) or a number; 0 is free |
/// | `cache_read_per_mtok`, `cache_write_per_mtok` | the same for cached input; the input price where left out |
/// | `cache_write_1h_per_mtok` | the same for one-hour cache writes; the price of other writes where left out |
/// | `per_call` | USD for each call beside its tokens |
/// | `as_of` | the date on which the price was looked up, for the trace |
/// | `note` | anything; not read |
///
/// ```
/// use llmtrace::{PriceOverrides, PriceQuery, PriceSource as _, Usage};
///
/// let prices = PriceOverrides::from_json(
///     r#"[
///     {"provider": "openai", "model": "gpt-4o-mini", "input_per_mtok": "0.12", "output_per_mtok": "0.48",
///      "cache_read_per_mtok": "0.06", "as_of": "2026-01-15", "note": "our contract"},
///     {"provider": "openai", "model": "gpt-4o-mini", "from": "2026-07-01", "input_per_mtok": "0.10",
///      "output_per_mtok": "0.40"},
///     {"model": "support-bot-*", "input_per_mtok": 0, "output_per_mtok": 0, "per_call": "0.0001"}
/// ]"#,
/// )?;
/// let usage = Usage::new(1_000, 100).with_cache_read(800);
/// let cost = |model, at: &str| -> Result<String, Box<dyn std::error::Error>> {
///     Ok(prices.price(&PriceQuery::new(model, &usage, at.parse()?).provider("openai"))?.total.to_string())
/// };
/// assert_eq!(cost("gpt-4o-mini", "2026-06-30T23:59:59Z")?, "0.00012");
/// assert_eq!(cost("gpt-4o-mini", "2026-07-01T00:00:00Z")?, "0.00014");
/// assert_eq!(cost("support-bot-7", "2026-07-01T00:00:00Z")?, "0.0001");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PriceOverrides {
    entries: Vec<PriceOverride>,
}

impl PriceOverrides {
    /// No prices.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file of prices.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or [`PriceOverrides::from_json`] refuses it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, OverrideError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|source| OverrideError::Unreadable { path: path.to_owned(), source })?;
        Self::from_json(&text)
    }

    /// Reads prices from the text of such a file.
    ///
    /// # Errors
    ///
    /// The text is no JSON array, or an entry has an unknown key, lacks one, or has a wrong value; the error
    /// names the entry, the key and what would be right.
    pub fn from_json(text: &str) -> Result<Self, OverrideError> {
        Ok(Self { entries: override_file::parse(text)? })
    }

    /// Adds the price of a model of any provider, at any time.
    pub fn model(self, model: impl Into<String>, rates: Rates) -> Self {
        self.entry(PriceOverride::new(model, rates))
    }

    /// Adds a price that applies in part only.
    pub fn entry(mut self, entry: PriceOverride) -> Self {
        self.entries.push(entry);
        self
    }
}

impl PriceSource for PriceOverrides {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        require_priceable(query.usage)?;
        let applies = |entry: &PriceOverride| entry.matches(query);
        let (entry, matched) = self
            .entries
            .iter()
            .rev()
            .find_map(|entry| applies(entry).map(|matched| (entry, matched)))
            .ok_or(Unpriced::UnknownModel)?;
        // Rates are for tokens: seconds and pages are left to the next source.
        query.usage.input_tokens.ok_or(Unpriced::UnknownModel)?;
        let (total, input, output) = entry.rates.apply(query.usage).ok_or(Unpriced::InvalidUsage)?;
        let some = |searches: Option<u64>| searches.is_some_and(|searches| searches > 0);
        Ok(Cost {
            input: Some(input),
            output: Some(output),
            matched_model: Some(entry.model.clone()),
            matched: Some(matched),
            as_of: entry.as_of.clone(),
            incomplete: some(query.usage.web_searches) || some(query.usage.file_searches),
            ..Cost::new(total, CostSource::Override)
        })
    }
}

/// One price that the user gives, and the calls that it applies to.
///
/// ```
/// use llmtrace::{PriceOverride, PriceOverrides, Rates};
///
/// let batch = PriceOverride::new("gpt-4o*", Rates::per_mtok("1.25".parse()?, "5".parse()?))
///     .provider("azure")
///     .service_tier("flex")
///     .from("2026-01-01T00:00:00Z".parse()?)
///     .as_of("2026-01-15");
/// let prices = PriceOverrides::new().entry(batch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PriceOverride {
    provider: Option<String>,
    model: String,
    rates: Rates,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    service_tier: Option<String>,
    as_of: Option<String>,
}

impl PriceOverride {
    /// The price of a model, whoever serves it; a `*` at the name's end stands for any rest.
    pub fn new(model: impl Into<String>, rates: Rates) -> Self {
        Self {
            provider: None,
            model: model.into(),
            rates,
            from: None,
            to: None,
            service_tier: None,
            as_of: None,
        }
    }

    /// Only calls that this provider served, under any of its usual names.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Only calls that started at this time or later.
    pub fn from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Only calls that started before this time.
    pub fn to(mut self, at: Timestamp) -> Self {
        self.to = Some(at);
        self
    }

    /// Only calls that this service tier served.
    pub fn service_tier(mut self, tier: impl Into<String>) -> Self {
        self.service_tier = Some(tier.into());
        self
    }

    /// The date on which the price was looked up, for the trace.
    pub fn as_of(mut self, date: impl Into<String>) -> Self {
        self.as_of = Some(date.into());
        self
    }

    fn matches(&self, query: &PriceQuery<'_>) -> Option<PriceMatch> {
        let is_of = |ours: &str| query.provider.is_some_and(|theirs| same_provider(ours, theirs));
        let is_served_as =
            |ours: &str| query.service_tier.is_some_and(|theirs| ours.eq_ignore_ascii_case(theirs));
        let applies = self.provider.as_deref().is_none_or(is_of)
            && self.service_tier.as_deref().is_none_or(is_served_as)
            && self.from.is_none_or(|from| query.at >= from)
            && self.to.is_none_or(|to| query.at < to);
        if !applies {
            return None;
        }
        [query.model, without_resource_path(query.model)].into_iter().find_map(|name| self.covers(name))
    }

    fn covers(&self, name: &str) -> Option<PriceMatch> {
        let Some(prefix) = self.model.strip_suffix('*') else {
            return self.model.eq_ignore_ascii_case(name).then_some(PriceMatch::Exact);
        };
        let starts = name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        starts.then_some(PriceMatch::Family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Usage;

    fn rates(input: &str) -> Rates {
        Rates::per_mtok(input.parse().unwrap(), "0".parse().unwrap())
    }

    #[test]
    fn the_last_entry_that_applies_wins() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (new_year, july) = (at("2026-01-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
        let prices = PriceOverrides::new()
            .model("m*", rates("1"))
            .model("m-1", rates("2"))
            .entry(PriceOverride::new("M-1", rates("3")).provider("bedrock").as_of("2026-02-03"))
            .entry(PriceOverride::new("m-1", rates("4")).from(new_year).to(july).service_tier("flex"));
        let usage = Usage::new(1_000_000, 9);
        let check = |query: PriceQuery<'_>, total: &str, matched| {
            let cost = prices.price(&query).unwrap();
            assert_eq!((cost.total.to_string().as_str(), cost.matched), (total, Some(matched)), "{query:?}");
            assert_eq!(cost.source, CostSource::Override);
        };
        let query = |model, start| PriceQuery::new(model, &usage, start);
        check(query("m-2", july), "1", PriceMatch::Family);
        check(query("M-1", july), "2", PriceMatch::Exact);
        check(query("models/m-1", july), "2", PriceMatch::Exact);
        check(query("m-1", july).provider("openai"), "2", PriceMatch::Exact);
        check(query("m-1", july).provider("aws.bedrock"), "3", PriceMatch::Exact);
        check(query("m-1", new_year).service_tier("FLEX"), "4", PriceMatch::Exact);
        check(query("m-1", july).service_tier("flex"), "2", PriceMatch::Exact);
        check(query("m-1", Timestamp::default()).service_tier("flex"), "2", PriceMatch::Exact);
        check(query("m-1", new_year).service_tier("priority"), "2", PriceMatch::Exact);
        assert_eq!(prices.price(&query("other", july)), Err(Unpriced::UnknownModel));
        assert_eq!(prices.price(&query("é", july)), Err(Unpriced::UnknownModel));
        let cost = prices.price(&query("m-1", july).provider("aws")).unwrap();
        assert_eq!(cost.as_of.as_deref(), Some("2026-02-03"));
        assert_eq!(cost.matched_model.as_deref(), Some("M-1"));
    }

    #[test]
    fn usage_that_may_not_be_priced_stops_the_search() {
        let prices = PriceOverrides::new().model("*", Rates::free());
        let check = |usage: Usage, expected| {
            assert_eq!(
                prices.price(&PriceQuery::new("m", &usage, Timestamp::default())).map(|_| ()),
                expected
            );
        };
        check(Usage::default(), Err(Unpriced::NoUsage));
        check(Usage::new(1, 1).with_cache_read(2), Err(Unpriced::InvalidUsage));
        check(Usage::new(1, 1), Ok(()));
    }

    #[test]
    fn searches_have_no_price_here() {
        let prices = PriceOverrides::new().model("*", Rates::free());
        let is_incomplete = |usage: Usage| {
            prices.price(&PriceQuery::new("m", &usage, Timestamp::default())).unwrap().incomplete
        };
        assert!(is_incomplete(Usage { web_searches: Some(1), ..Usage::new(1, 1) }));
        assert!(!is_incomplete(Usage { web_searches: Some(0), ..Usage::new(1, 1) }));
    }
}
