//! Prices that the user gives.

use std::fs;
use std::path::Path;

use super::override_file::{self, OverrideError};
use super::price_override::Price;
use super::{PriceOverride, PriceQuery, PriceSource, Rates, require_priceable};
use crate::{Cost, CostSource, PriceMatch, Unpriced};

/// Prices that the user gives: negotiated ones, those of a model that no table knows, corrections.
///
/// Where several entries apply to a call, the last one wins: write what holds in general first, and what holds for
/// dates, tiers, long contexts and times of the day after it. A call that none applies to is
/// [`Unpriced::UnknownModel`], so that the next source of a [`PriceChain`](crate::PriceChain) is asked.
///
/// The file is a JSON array of objects; `examples/prices.json` in the project's source shows every kind of entry.
/// Which calls an entry is for (what it does not name, it does not ask for):
///
/// | key | value |
/// |---|---|
/// | `model` | the model's name, in any case, dated versions included; with a `*` at its end, every name that starts so; on Azure, the deployment's name or the model's |
/// | `provider` | an `OTel` provider name or a usual short one |
/// | `from`, `to` | a date, or an RFC 3339 time, in UTC: from the start of `from` to just before `to` |
/// | `days`, `hours` | days of the week such as `"mon-fri"`, hours such as `"01:00-04:00"`, each one text or a list, in UTC, as a [`Schedule`](crate::Schedule) |
/// | `service_tier` | the tier that was served: `flex`, `priority`, ... |
/// | `processing` | `batch`: calls made through a batch API |
/// | `speed`, `inference_geo` | as the response states them: `fast`; `us` |
/// | `above_input_tokens` | only calls with more input tokens than this, cached ones included; all their tokens have the entry's rates |
///
/// What they cost: either `priced_as` or the rest. Prices are in USD, as text (`"0.15"`, exact) or a number, and 0 is
/// free:
///
/// | key | value |
/// |---|---|
/// | `priced_as` | another model's name: the calls cost what that model's do, by any source |
/// | `priced_as_provider` | whose price that is; the call's own provider where left out |
/// | `input_per_mtok`, `output_per_mtok` | per million tokens; needed unless there is `priced_as` |
/// | `cache_read_per_mtok`, `cache_write_per_mtok` | cached input; the input price where left out |
/// | `cache_write_1h_per_mtok` | one-hour cache writes; the price of other writes where left out |
/// | `input_audio_per_mtok`, `input_image_per_mtok`, `input_video_per_mtok` | the input price where left out |
/// | `cache_read_audio_per_mtok` | cached audio; the price of other cache reads where left out |
/// | `output_audio_per_mtok`, `output_image_per_mtok`, `reasoning_per_mtok` | the output price where left out |
/// | `web_search_per_1k`, `file_search_per_1k`, `rerank_search_per_1k`, `document_page_per_1k`, `audio_per_hour` | beside the tokens; a use without its price sets [`Cost::incomplete`] |
/// | `per_call` | for each call beside all that |
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
    /// The file cannot be read, or [`PriceOverrides::from_json`] refuses what it holds; the error names the file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, OverrideError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map_err(|source| OverrideError::Unreadable { path: path.to_owned(), source })?;
        Self::from_json(&text)
            .map_err(|error| OverrideError::InFile { path: path.to_owned(), source: Box::new(error) })
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

    /// The last entry that applies, of those that `is_wanted` lets pass.
    fn last(
        &self,
        query: &PriceQuery<'_>,
        is_wanted: impl Fn(&PriceOverride) -> bool,
    ) -> Option<(&PriceOverride, PriceMatch)> {
        let mut wanted = self.entries.iter().rev().filter(|entry| is_wanted(entry));
        wanted.find_map(|entry| Some((entry, entry.matches(query)?)))
    }
}

impl PriceSource for PriceOverrides {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        require_priceable(query.usage)?;
        let (entry, matched) = self.last(query, |_| true).ok_or(Unpriced::UnknownModel)?;
        match &entry.price {
            Price::Rates(rates) => cost(entry, rates, matched, query),
            Price::As { model, provider } => {
                let query = query.renamed(model, provider.as_deref());
                let has_rates = |entry: &PriceOverride| matches!(entry.price, Price::Rates(_));
                match self.last(&query, has_rates) {
                    Some((entry @ PriceOverride { price: Price::Rates(rates), .. }, matched)) => {
                        cost(entry, rates, matched, &query)
                    }
                    _ => Err(Unpriced::UnknownModel),
                }
            }
        }
    }

    fn priced_as<'a>(&'a self, query: &PriceQuery<'a>) -> Option<PriceQuery<'a>> {
        match &self.last(query, |_| true)?.0.price {
            Price::As { model, provider } => Some(query.renamed(model, provider.as_deref())),
            Price::Rates(_) => None,
        }
    }
}

fn cost(
    entry: &PriceOverride,
    rates: &Rates,
    matched: PriceMatch,
    query: &PriceQuery<'_>,
) -> Result<Cost, Unpriced> {
    let amounts = rates.apply(query.usage)?;
    if amounts.incomplete && query.usage.input_tokens.is_none() {
        // Rates for tokens say nothing of a call that has seconds or pages only: the next source may.
        return Err(Unpriced::UnknownModel);
    }
    Ok(Cost {
        input: Some(amounts.input),
        output: Some(amounts.output),
        matched_model: Some(entry.model.clone()),
        matched: Some(matched),
        as_of: entry.as_of.clone(),
        incomplete: amounts.incomplete,
        ..Cost::new(amounts.total, CostSource::Override)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Schedule, Timestamp, Usage};

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
    fn a_name_means_its_dated_versions_too() {
        let prices = PriceOverrides::new()
            .model("gpt-4o", rates("1"))
            .model("gpt-4o-2024-05-13", rates("2"))
            .entry(PriceOverride::new("claude-haiku-4-5", rates("3")).provider("aws"));
        let usage = Usage::new(1_000_000, 0);
        let check = |model: &str, expected: Option<(&str, PriceMatch)>| {
            let cost =
                prices.price(&PriceQuery::new(model, &usage, Timestamp::default()).provider("aws")).ok();
            let found = cost.map(|cost| (cost.total.to_string(), cost.matched.unwrap()));
            assert_eq!(found, expected.map(|(total, matched)| (total.to_owned(), matched)), "{model}");
        };
        check("gpt-4o", Some(("1", PriceMatch::Exact)));
        check("openai/gpt-4o", Some(("1", PriceMatch::Exact)));
        check("gpt-4o-2024-08-06", Some(("1", PriceMatch::Dated)));
        check("gpt-4o-2024-05-13", Some(("2", PriceMatch::Exact)));
        check("gpt-4o-mini", None);
        check("gpt-4o-mini-2024-07-18", None);
        let arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0";
        check(arn, Some(("3", PriceMatch::Dated)));
        check("claude-haiku-4-50", None);
    }

    #[test]
    fn on_azure_the_request_names_a_deployment() {
        let prices = PriceOverrides::new()
            .model("gpt-4o-mini", rates("1"))
            .model("support-bot", rates("2"))
            .entry(PriceOverride::alias("other-bot", "gpt-4o-mini"));
        let usage = Usage::new(1_000_000, 0);
        let check = |provider: &str, deployment: &str, expected: &str| {
            let query = PriceQuery::new("gpt-4o-mini-2024-07-18", &usage, Timestamp::default());
            let cost = prices.price(&query.provider(provider).request_model(deployment)).unwrap();
            assert_eq!(cost.total.to_string(), expected, "{provider} {deployment}");
        };
        check("azure.ai.openai", "support-bot", "2");
        check("azure.ai.openai", "other-bot", "1");
        check("azure.ai.openai", "unlisted", "1");
        // Elsewhere the model that answered counts: a router may have chosen it.
        check("openai", "support-bot", "1");
    }

    #[test]
    fn a_schedule_narrows_an_entry() {
        let peak: Schedule = "mon-fri 09:00-17:00".parse().unwrap();
        let prices = PriceOverrides::new()
            .model("m", rates("1"))
            .entry(PriceOverride::new("m", rates("2")).schedule(peak));
        let usage = Usage::new(1_000_000, 0);
        let total = |at: &str| {
            prices.price(&PriceQuery::new("m", &usage, at.parse().unwrap())).unwrap().total.to_string()
        };
        assert_eq!(total("2026-11-20T09:00:00Z"), "2");
        assert_eq!(total("2026-11-20T17:00:00Z"), "1");
        assert_eq!(total("2026-11-22T09:00:00Z"), "1");
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
    fn seconds_and_pages_need_a_price_of_their_own() {
        let check = |rates: Rates, expected: Result<&str, Unpriced>| {
            let mut usage = Usage { audio_seconds: Some(3_600), ..Usage::new(0, 0) };
            (usage.input_tokens, usage.output_tokens) = (None, None);
            let prices = PriceOverrides::new().model("*", rates);
            let cost = prices.price(&PriceQuery::new("m", &usage, Timestamp::default()));
            assert_eq!(cost.map(|cost| cost.total.to_string()), expected.map(str::to_owned));
        };
        check(rates("1"), Err(Unpriced::UnknownModel));
        check(rates("1").audio_hour("0.36".parse().unwrap()), Ok("0.36"));
        check(Rates::free(), Ok("0"));
    }

    #[test]
    fn a_search_without_a_price_makes_the_cost_incomplete() {
        let prices = PriceOverrides::new().model("*", rates("1"));
        let is_incomplete = |usage: Usage| {
            prices.price(&PriceQuery::new("m", &usage, Timestamp::default())).unwrap().incomplete
        };
        assert!(is_incomplete(Usage { web_searches: Some(1), ..Usage::new(1, 1) }));
        assert!(!is_incomplete(Usage { web_searches: Some(0), ..Usage::new(1, 1) }));
    }
}
