//! One model of the bundled table, found once, and the price of a call of it.

use genai_prices::{
    Calculator, Error, ErrorKind, ExtractRequest, ExtractedUsage, PriceCalculation, PriceRequest, UsageKey,
};

use super::PriceQuery;
use super::card::CardOfSecond;
use super::counts::{self, Counts, is_some, others};
use super::deepseek;
use super::names::{Provider, without_resource_path};
use super::places;
use super::suffix;
use crate::{Cost, CostSource, PriceMatch, Timestamp, Unpriced, Usage, Usd};

/// A key and a value of what else decides the price.
type Condition = (&'static str, &'static str);

/// A model of the table, and how a name matched it.
#[derive(Debug)]
pub(super) struct Entry {
    provider: String,
    /// The name that the table finds the model by, and the table's id of it.
    name: String,
    model: String,
    matched: PriceMatch,
    /// Spares the table the search by name; `None` for the few providers where it cannot.
    resolved: Option<ExtractedUsage>,
    priced: Priced,
    has_us_surcharge: bool,
    has_peak_hours: bool,
    card: CardOfSecond,
}

/// What the table has prices of the model for.
#[derive(Clone, Copy, Debug)]
struct Priced {
    input: bool,
    output: bool,
    /// Seconds, pages, reranked searches or characters.
    other: bool,
}

/// Stands for any text beyond a name, to learn whether a rule of the table looks that far.
const PROBE: &str = "~";

impl Entry {
    /// The entry for `model`; `None` if there is none, or only one whose rule is wider than the model it prices.
    pub(super) fn find(table: &Calculator, provider: Option<&str>, model: &str) -> Option<Self> {
        candidates(provider, model).into_iter().find_map(|(provider, name)| {
            let (provider, id) = look_up(table, provider, name)?;
            is_covered(table, &provider, name, &id).then(|| Self::new(table, provider, id, name))
        })
    }

    fn new(table: &Calculator, provider: String, model: String, name: &str) -> Self {
        let probe =
            |counts: Counts| table.calculate(&PriceRequest::new(name, &counts).with_provider_id(&provider));
        // A part without its whole is refused exactly where the whole has a price.
        let refuses = |part: UsageKey| probe(Counts::from([(part, 1.0)])).is_err();
        let other = Counts::from([
            (UsageKey::AUDIO_SECONDS, 3600.0),
            (UsageKey::INPUT_AUDIO_SECONDS, 3600.0),
            (UsageKey::INPUT_CHARACTERS, 1e6),
            (UsageKey::INPUT_DOCUMENT_PAGES, 1e3),
            (UsageKey::RERANK_SEARCHES, 1e3),
        ]);
        let priced = Priced {
            input: refuses(UsageKey::CACHE_READ_TOKENS),
            output: refuses(UsageKey::OUTPUT_REASONING_TOKENS),
            other: probe(other).is_ok_and(|price| price.total_price > 0.0),
        };
        Self {
            matched: suffix::compare(name, &model),
            resolved: resolve(table, &provider, name).filter(|found| found.model_id.as_ref() == Some(&model)),
            has_us_surcharge: provider == "anthropic" && has_us_surcharge(&model),
            has_peak_hours: provider == "deepseek" && has_peak_hours(table, &provider, name),
            priced,
            card: CardOfSecond::default(),
            name: name.to_owned(),
            provider,
            model,
        }
    }

    #[cfg(test)]
    pub(super) fn is_exactly(&self, model: &str) -> bool {
        self.model == model && self.matched == PriceMatch::Exact
    }

    /// The cost of a call whose usage may be priced.
    pub(super) fn price(
        &self,
        table: &Calculator,
        query: &PriceQuery<'_>,
        as_of: &str,
    ) -> Result<Cost, Unpriced> {
        let has_tokens = query.usage.input_tokens.is_some();
        let has_others = self.priced.other && others(query.usage).into_iter().any(is_some);
        if !has_others && (!has_tokens || self.priced.other && !self.priced.input) {
            return Err(Unpriced::UnknownModel);
        }
        let (at, is_peak) = if self.has_peak_hours { deepseek::billed(query.at) } else { (query.at, false) };
        let query = &PriceQuery { at, ..*query };
        let context = context(query);
        let by_card = || {
            let ask = |counts: &[(UsageKey, f64)]| {
                let counts = counts.iter().cloned().collect();
                let price = self.calculate(table, query.at, &counts, &[]).ok()?;
                Some((price.input_price, price.output_price, price.total_price))
            };
            self.card.price(query.usage, query.at, ask)
        };
        let priced = if context.is_empty() { by_card() } else { None };
        let ((mut input, mut output, mut total), mut incomplete) = match priced {
            Some(amounts) => (amounts, false),
            None => self.price_by_table(table, query, &context)?,
        };
        if !self.priced.input && self.priced.other && total == Usd::ZERO {
            // The table counts something else than the response does.
            return Err(Unpriced::UnknownModel);
        }
        incomplete |= self.priced.input && !self.priced.output && is_some(query.usage.output_tokens);
        if self.has_us_surcharge && query.inference_geo.is_some_and(|geo| geo.eq_ignore_ascii_case("us")) {
            let fees = total - input - output;
            (input, output) = (plus_a_tenth(input), plus_a_tenth(output));
            total = input + output + fees;
        }
        if is_peak {
            (input, output, total) = (input + input, output + output, total + total);
        }
        Ok(Cost {
            input: Some(input),
            output: Some(output),
            matched_model: Some(self.model.clone()),
            matched: Some(self.matched),
            as_of: Some(as_of.to_owned()),
            incomplete,
            ..Cost::new(total, CostSource::Bundled)
        })
    }

    /// Input, output and total, and whether the usage or the context implies fees that the table does not know.
    fn price_by_table(
        &self,
        table: &Calculator,
        query: &PriceQuery<'_>,
        context: &[Condition],
    ) -> Result<((Usd, Usd, Usd), bool), Unpriced> {
        let usage = query.usage;
        let counts = counts::of(usage, &self.model);
        let calculate =
            |counts: &Counts, context: &[Condition]| self.calculate(table, query.at, counts, context);
        let price = calculate(&counts, context).map_err(|error| refusal(&error, usage))?;
        let changes_nothing = |counts: &Counts, context: &[Condition]| {
            calculate(counts, context)
                .is_ok_and(|without| without.total_price.to_bits() == price.total_price.to_bits())
        };
        let is_unpriced = |fee: Option<u64>, key: UsageKey| {
            let without =
                || counts.iter().filter(|(name, _)| **name != key).map(|(name, n)| (name.clone(), n));
            is_some(fee) && changes_nothing(&without().collect(), context)
        };
        let is_dearer = context.iter().any(|(_, value)| ["priority", "fast"].contains(value));
        let incomplete = is_unpriced(usage.web_searches, UsageKey::WEB_SEARCHES)
            || is_unpriced(usage.file_searches, UsageKey::STORAGE_SEARCHES)
            || is_unpriced(usage.rerank_searches, UsageKey::RERANK_SEARCHES)
            || is_unpriced(usage.document_pages, UsageKey::INPUT_DOCUMENT_PAGES)
            || (is_dearer && price.total_price > 0.0 && changes_nothing(&counts, &[]));
        let amount = |dollars| Usd::from_f64(dollars).ok_or(Unpriced::InvalidUsage);
        Ok((
            (amount(price.input_price)?, amount(price.output_price)?, amount(price.total_price)?),
            incomplete,
        ))
    }

    fn calculate(
        &self,
        table: &Calculator,
        at: Timestamp,
        counts: &Counts,
        context: &[Condition],
    ) -> Result<PriceCalculation, Error> {
        let mut request = self
            .resolved
            .as_ref()
            .and_then(ExtractedUsage::price_request)
            .unwrap_or_else(|| PriceRequest::new(&self.name, counts).with_provider_id(&self.provider));
        request.usage = counts;
        request.timestamp = Some(at.into());
        request.price_context = context.to_vec();
        table.calculate(&request)
    }
}

/// Under which providers and names to look, the likeliest first; a provider of `None` is told from the name.
fn candidates<'a>(provider: Option<&str>, model: &'a str) -> Vec<(Option<&'static str>, &'a str)> {
    let short = without_resource_path(model);
    let split = places::split_provider_prefix(short);
    let mut found = Vec::new();
    match provider.map(Provider::named) {
        Some(Some(Provider::Priced(id))) => {
            found.extend([(Some(id), model), (Some(id), short)]);
            // Azure hosts other providers' models and names them `openai/gpt-4o`.
            let own = split.filter(|(prefix, _)| *prefix == id || id == "azure");
            found.extend(own.map(|(_, name)| (Some(id), name)));
        }
        None | Some(Some(Provider::Proxy)) => {
            found.extend(split.map(|(prefix, name)| (Some(prefix), name)));
            found.extend([(None, model), (None, short)]);
            found.extend(places::is_bedrock_id(model).then_some((Some("aws"), model)));
        }
        Some(Some(Provider::Local) | None) => {}
    }
    found.dedup();
    found
}

/// The provider and the entry that the table finds for a name.
fn look_up(table: &Calculator, provider: Option<&str>, name: &str) -> Option<(String, String)> {
    let nothing = Counts::new();
    let mut request = PriceRequest::new(name, &nothing);
    request.provider_id = provider;
    table.calculate(&request).ok().map(|price| (price.provider_id, price.model_id))
}

/// Whether the entry that the table found is meant for this very name.
///
/// Some of the table's rules read only the start, the end or some part of a name. What a rule does not read is
/// found by asking for shorter names with an odd end, and has to be harmless.
fn is_covered(table: &Calculator, provider: &str, name: &str, id: &str) -> bool {
    if name.eq_ignore_ascii_case(id) {
        return true;
    }
    let finds = |name: &str| look_up(table, Some(provider), name).is_some_and(|(_, found)| found == id);
    if finds(&format!("{name}{PROBE}")) {
        let read = cuts(name).find(|at| finds(&format!("{}{PROBE}", head(name, *at)))).unwrap_or(name.len());
        let rest = tail(name, segment_start(name, read));
        // A fine-tuned model is named after its base, then an organisation and an id: `ft:gpt-4-0613:org::id`.
        let rest = if name.starts_with("ft:") { rest.split(':').next().unwrap_or("") } else { rest };
        if !suffix::is_same_model(id, provider, rest) {
            return false;
        }
    }
    if finds(&format!("{PROBE}{name}")) {
        let read = cuts(name).rev().find(|at| finds(&format!("{PROBE}{}", tail(name, *at)))).unwrap_or(0);
        return suffix::is_only_a_place(id, head(name, read));
    }
    true
}

fn cuts(name: &str) -> impl DoubleEndedIterator<Item = usize> {
    (0..=name.len()).filter(|at| name.is_char_boundary(*at))
}

fn head(name: &str, at: usize) -> &str {
    name.get(..at).unwrap_or("")
}

fn tail(name: &str, at: usize) -> &str {
    name.get(at..).unwrap_or("")
}

/// Where the segment begins that a rule stopped reading in: a rule that read `...-4-5` of `...-4-50` left `-50`.
fn segment_start(name: &str, read: usize) -> usize {
    let is_separator = |c: char| ['-', '.', '@', ':', '/', '_'].contains(&c);
    let ends_with_separator = head(name, read).ends_with(is_separator);
    let is_whole = tail(name, read).chars().next().is_none_or(is_separator);
    if is_whole && !ends_with_separator {
        return read;
    }
    head(name, read).rfind(is_separator).unwrap_or(0)
}

/// Lets the table find the model once: what it extracts from a response carries the model that it found.
fn resolve(table: &Calculator, provider: &str, name: &str) -> Option<ExtractedUsage> {
    let provider = table.find_provider(Some(provider), None).ok()??;
    let zeros = serde_json::json!({
        "prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 0, "output_tokens": 0, "inputTokens": 0,
        "outputTokens": 0, "promptTokenCount": 0, "cacheWriteTokens": 0, "cacheReadTokens": 0,
        "billed_units": {"input_tokens": 0, "output_tokens": 0},
    });
    let response = serde_json::json!({
        "model": name, "modelVersion": name, "usage": zeros, "usageMetadata": zeros, "tokenUsage": zeros,
        "result": {"model": name, "usage": zeros},
    });
    provider.api_flavors().find_map(|flavor| {
        let request =
            ExtractRequest::from_value(&response).with_provider_id(provider.id()).with_api_flavor(flavor);
        table.extract_usage(&request).ok().filter(|found| found.model_id.is_some())
    })
}

/// Whether the table has a price of its own for an hour of `DeepSeek`'s peak.
fn has_peak_hours(table: &Calculator, provider: &str, name: &str) -> bool {
    let counts = Counts::from([(UsageKey::INPUT_TOKENS, 1e6)]);
    let [noon, peak] = deepseek::NOON_AND_PEAK.map(|nanos| {
        let mut request = PriceRequest::new(name, &counts).with_provider_id(provider);
        request.timestamp = Some(Timestamp::from_unix_nanos(nanos).into());
        table.calculate(&request).map(|price| price.total_price.to_bits()).ok()
    });
    noon != peak
}

/// Whether inference in the US only costs a tenth more: Claude Opus 4.6, Sonnet 4.6 and every later model
/// (<https://platform.claude.com/docs/en/manage-claude/data-residency>).
fn has_us_surcharge(model: &str) -> bool {
    let mut version = model.split('-').filter_map(|part| part.parse::<u32>().ok());
    (version.next().unwrap_or(0), version.next().unwrap_or(0)) >= (4, 6)
}

fn plus_a_tenth(amount: Usd) -> Usd {
    Usd::from_pico((amount.pico() * 11 + 5).div_euclid(10))
}

/// What else decides the price. Standard tiers and speeds are left out: they select nothing.
fn context(query: &PriceQuery<'_>) -> Vec<Condition> {
    let mut context = Vec::new();
    context.extend(tier(query).map(|tier| ("service_tier", tier)));
    context.extend(query.is_batch().then_some(("processing", "batch")));
    let is_fast = query.speed.is_some_and(|speed| speed.eq_ignore_ascii_case("fast"));
    context.extend(is_fast.then_some(("speed", "fast")));
    context
}

/// The served tier under the name that the table uses; `None` for the standard one.
fn tier(query: &PriceQuery<'_>) -> Option<&'static str> {
    // Google states `trafficType`: ON_DEMAND, ON_DEMAND_PRIORITY, ON_DEMAND_FLEX.
    const TIERS: [(&str, &str); 5] = [
        ("flex", "flex"),
        ("priority", "priority"),
        ("fast", "fast"),
        ("on_demand_flex", "flex"),
        ("on_demand_priority", "priority"),
    ];
    let tier = query.service_tier?;
    TIERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(tier)).map(|(_, tier)| *tier)
}

/// Why the table refused: a part whose overlap with another was not stated is not a contradiction.
fn refusal(error: &Error, usage: &Usage) -> Unpriced {
    let parts = [usage.input_audio_tokens, usage.input_image_tokens, usage.input_video_tokens];
    let is_overlap_unknown = (is_some(usage.cache_read_tokens) || is_some(usage.cache_write_tokens))
        && parts.into_iter().any(is_some);
    match error.kind() {
        ErrorKind::InvalidUsage if is_overlap_unknown => Unpriced::NoUsage,
        ErrorKind::InvalidUsage => Unpriced::InvalidUsage,
        _ => Unpriced::UnknownModel,
    }
}
