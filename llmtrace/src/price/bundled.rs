//! The price table that comes with llmtrace.

use std::collections::HashMap;
use std::fmt;
use std::panic::catch_unwind;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use genai_prices::Calculator;

use super::entry::Entry;
use super::{PriceQuery, PriceSource, require_priceable};
use crate::{Cost, Unpriced};

/// The price table that comes with llmtrace: that of crate [`genai-prices`](https://crates.io/crates/genai-prices).
///
/// It knows prices by date, by context length and, for calls since October 2026, by service tier and batch; of
/// `DeepSeek`'s models also by peak hours, which leave out weekends and the Chinese public holidays of 2026. A
/// tier that it has no price for is priced as the standard one, and [`Cost::incomplete`] then says so where the
/// tier is a dearer one. A model's name has to match: `claude-sonnet-4-50` is not `claude-sonnet-4-5`, and has
/// no price. Models that a server of the user's own runs (Ollama, vLLM, ...) have none either.
///
/// ```
/// use llmtrace::{BundledPrices, PriceMatch, PriceQuery, PriceSource, Timestamp, Unpriced, Usage};
///
/// let prices = BundledPrices::new();
/// let (usage, at) = (Usage::new(1_000_000, 100_000), Timestamp::now());
/// let cost = prices.price(&PriceQuery::new("gpt-4o-mini-2024-07-18", &usage, at).provider("openai"))?;
/// assert_eq!(cost.total.to_string(), "0.21");
/// assert_eq!(cost.matched, Some(PriceMatch::Dated));
///
/// let unknown = PriceQuery::new("gpt-99", &usage, at).provider("openai");
/// assert_eq!(prices.price(&unknown), Err(Unpriced::UnknownModel));
/// # Ok::<(), Unpriced>(())
/// ```
#[derive(Default)]
pub struct BundledPrices {
    seen: RwLock<Seen>,
}

/// What earlier queries found: provider, then model, then its entry, if it has one.
#[derive(Default)]
struct Seen {
    entries: HashMap<String, HashMap<String, Option<Arc<Entry>>>>,
    count: usize,
}

/// How many names are remembered; the memory is emptied when it is full.
const MAX_SEEN: usize = 1024;

/// Longer names are unknown: no model is called so.
const MAX_NAME_BYTES: usize = 256;

/// The day on which release 0.2.1 of `genai-prices` was published; its data states no day of its own.
const AS_OF: &str = "2026-10-30";

impl BundledPrices {
    /// The table. Nothing is read before the first query or [`BundledPrices::warm`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the table now, which takes tens of milliseconds, so that the first query need not.
    pub fn warm(&self) {
        table();
    }

    fn entry(&self, table: &Calculator, query: &PriceQuery<'_>) -> Option<Arc<Entry>> {
        let (provider, model) = (query.provider.unwrap_or(""), query.model);
        if model.is_empty() || model.len() > MAX_NAME_BYTES || provider.len() > MAX_NAME_BYTES {
            return None;
        }
        {
            let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = seen.entries.get(provider).and_then(|models| models.get(model)) {
                return entry.clone();
            }
        }
        let named = query.provider.filter(|provider| !provider.trim().is_empty());
        let found = Entry::find(table, named, model).map(Arc::new);
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.count >= MAX_SEEN {
            *seen = Seen::default();
        }
        seen.count += 1;
        seen.entries.entry(provider.to_owned()).or_default().insert(model.to_owned(), found.clone());
        found
    }
}

impl PriceSource for BundledPrices {
    fn price(&self, query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        require_priceable(query.usage)?;
        let table = table().ok_or(Unpriced::UnknownModel)?;
        self.entry(table, query).ok_or(Unpriced::UnknownModel)?.price(table, query, AS_OF)
    }
}

impl fmt::Debug for BundledPrices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundledPrices").field("as_of", &AS_OF).finish_non_exhaustive()
    }
}

/// The table; `None` if it cannot be read, which would be a fault of the release.
fn table() -> Option<&'static Calculator> {
    static TABLE: OnceLock<Option<&Calculator>> = OnceLock::new();
    *TABLE.get_or_init(|| catch_unwind(Calculator::bundled).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriceMatch::{Dated, Exact, Family};
    use crate::{PriceMatch, Timestamp, Usage};

    fn price(query: &PriceQuery<'_>) -> Result<Cost, Unpriced> {
        static PRICES: OnceLock<BundledPrices> = OnceLock::new();
        PRICES.get_or_init(BundledPrices::new).price(query)
    }

    fn november() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_day_of_the_table_is_that_of_the_locked_release() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        let Ok(lock) = std::fs::read_to_string(lock) else { return println!("skipped: no {lock}") };
        let release = lock.split("name = \"genai-prices\"\nversion = \"").nth(1).unwrap().split('"').next();
        assert_eq!((release, AS_OF), (Some("0.2.1"), "2026-10-30"), "a new release has a day of its own");
    }

    #[test]
    fn what_is_billed_in_place_of_tokens_has_a_price() {
        let check = |provider: &str, model: &str, usage: Usage, expected: Result<&str, Unpriced>| {
            let usage = Usage { status: crate::UsageStatus::Complete, ..usage };
            let cost = price(&PriceQuery::new(model, &usage, november()).provider(provider));
            let total = cost.map(|cost| cost.total.to_string());
            assert_eq!(total.as_deref().map_err(|error| *error), expected, "{model} {usage:?}");
        };
        let seconds = Usage { audio_seconds: Some(3_600), ..Usage::default() };
        let pages = Usage { document_pages: Some(1_000), ..Usage::default() };
        let searches = Usage { rerank_searches: Some(1), ..Usage::default() };
        check("groq", "whisper-large-v3", seconds.clone(), Ok("0.111"));
        check("groq", "whisper-large-v3", pages.clone(), Err(Unpriced::UnknownModel));
        check("groq", "whisper-large-v3", Usage::new(9, 9), Err(Unpriced::UnknownModel));
        check("mistral", "mistral-ocr-2512", pages, Ok("2"));
        check("openai", "gpt-4o-mini", seconds, Err(Unpriced::UnknownModel));
        check("cohere", "rerank-v3.5", searches, Err(Unpriced::UnknownModel));
    }

    #[test]
    fn modalities_and_searches_have_prices_of_their_own() {
        let check = |model: &str, usage: &Usage, expected: &str| {
            let cost = price(&PriceQuery::new(model, usage, november()).provider("gcp.gemini")).unwrap();
            assert_eq!((cost.total.to_string().as_str(), cost.incomplete), (expected, false), "{model}");
        };
        let plain = Usage::new(1_000_000, 0).with_cache_read(500_000);
        check("gemini-2.5-flash", &plain, "0.165");
        // Video costs what text does, audio more, read from the cache or not.
        let mixed = Usage {
            input_video_tokens: Some(600_000),
            input_audio_tokens: Some(400_000),
            cache_read_video_tokens: Some(300_000),
            cache_read_audio_tokens: Some(200_000),
            ..plain.clone()
        };
        check("gemini-2.5-flash", &mixed, "0.319");
        // What is stated of the cache reads is all of them: none was audio.
        let text_read =
            Usage { input_audio_tokens: Some(400_000), cache_read_text_tokens: Some(500_000), ..plain };
        check("gemini-2.5-flash", &text_read, "0.445");
        let searched = Usage { web_searches: Some(3), ..Usage::new(0, 0) };
        check("gemini-2.5-flash", &searched, "0.035");
        check("gemini-3-flash-preview", &searched, "0.042");
    }

    #[test]
    fn every_model_of_the_table_is_found_under_its_own_name() {
        let table = table().unwrap();
        let (mut found, mut strangers) = (0, Vec::new());
        for provider in table.providers() {
            for model in provider.models() {
                match Entry::find(table, Some(provider.id()), model.id()) {
                    Some(entry) if entry.is_exactly(model.id()) => found += 1,
                    _ => strangers.push(format!("{}: {}", provider.id(), model.id())),
                }
            }
        }
        println!("{found} models; not found under their own names: {strangers:?}");
        assert!(found > 2_180 && strangers.len() < 80, "{found}, {strangers:?}");
    }

    #[test]
    fn later_calls_of_one_second_cost_what_the_first_did() {
        let prices = BundledPrices::new();
        let usages = [
            Usage::new(1_237, 119),
            Usage { cache_write_1h_tokens: Some(77), ..Usage::new(431_009, 7_001).with_cache_read(90_007) }
                .with_cache_write(101)
                .with_reasoning(13),
        ];
        for provider in table().unwrap().providers() {
            for model in provider.models() {
                for (usage, at) in usages.iter().zip([
                    november(),
                    Timestamp::from_unix_nanos(november().unix_nanos() + 86_400_000_000_000),
                ]) {
                    let query = PriceQuery::new(model.id(), usage, at).provider(provider.id());
                    let [first, second, third] = [(); 3].map(|()| prices.price(&query));
                    assert_eq!((&first, &first), (&second, &third), "{} {}", provider.id(), model.id());
                }
            }
        }
    }

    #[test]
    fn invented_names_have_no_price() {
        let usage = Usage::new(1_000, 1_000);
        let check = |provider: &str, model: &str| {
            for provider in [Some(provider), None] {
                let query = PriceQuery::new(model, &usage, november()).provider(provider);
                assert_eq!(price(&query), Err(Unpriced::UnknownModel), "{provider:?} {model}");
            }
        };
        check("anthropic", "claude-sonnet-4-50");
        check("anthropic", "claude-zenith-9");
        check("anthropic", "claude-opus-4-10");
        check("anthropic", "claude-haiku-4-5-turbo");
        check("anthropic", "claude-3-5-sonnet-ultra");
        check("gcp.gemini", "gemini-2.5-pro-ultra");
        check("gcp.gemini", "gemini-1.5-flash-8b");
        check("gcp.gemini", "my-gemini-1.5-flash");
        check("gcp.vertex_ai", "claude-opus-4-50");
        check("deepseek", "deepseek-chat-v9");
        check("deepseek", "deepseek-r1-distill-llama-70b");
        check("openai", "gpt-99");
        check("openai", "gpt-5-nano-2");
        check("openai", "gpt-4o-mini:free");
        check("aws.bedrock", "us.anthropic.claude-opus-4-50-v1:0");
        check("mistral_ai", "magistral-medium-9");
        check("openai", "");
        check("openai", "é");
        check("openai", &"gpt-4o".repeat(100));
    }

    #[test]
    fn servers_of_the_users_own_have_no_price() {
        let usage = Usage::new(1_000, 1_000);
        for provider in ["ollama", "vllm", "llama.cpp", "tgi", "my-gateway", "ibm.watsonx.ai"] {
            let query = PriceQuery::new("gpt-4o", &usage, november()).provider(provider);
            assert_eq!(price(&query), Err(Unpriced::UnknownModel), "{provider}");
        }
    }

    #[test]
    fn names_are_matched_as_they_come() {
        let usage = Usage::new(1_000_000, 0);
        let check = |provider: Option<&str>, model: &str, expected: (&str, PriceMatch, &str)| {
            let cost = price(&PriceQuery::new(model, &usage, november()).provider(provider)).unwrap();
            let found = (cost.matched_model.unwrap(), cost.matched.unwrap(), cost.total.to_string());
            assert_eq!((found.0.as_str(), found.1, found.2.as_str()), expected, "{provider:?} {model}");
            assert_eq!(cost.as_of.as_deref(), Some(AS_OF));
        };
        let haiku = "claude-haiku-4-5";
        check(Some("OpenAI"), "GPT-4o-Mini", ("gpt-4o-mini", Exact, "0.15"));
        check(Some("openai"), "openai/gpt-4o-mini", ("gpt-4o-mini", Exact, "0.15"));
        check(Some("azure.ai.openai"), "gpt-4o-mini-2024-07-18", ("gpt-4o-mini", Dated, "0.15"));
        check(Some("azure.ai.inference"), "openai/gpt-4o-mini", ("gpt-4o-mini", Exact, "0.15"));
        check(Some("openai"), "gpt-5-codex", ("gpt-5", Family, "1.25"));
        check(Some("openai"), "ft:gpt-4-0613:my-org::abc", ("gpt-4", Family, "30"));
        check(Some("openai"), "ft:gpt-4o-2024-08-06:my-org::abc", ("ft:gpt-4o", Family, "3.75"));
        check(Some("openai"), "gpt-5-20250807", ("gpt-5", Dated, "1.25"));
        check(Some("gcp.gemini"), "models/gemini-2.5-flash", ("gemini-2.5-flash", Exact, "0.3"));
        check(
            Some("vertex"),
            "publishers/google/models/gemini-2.0-flash-001",
            ("gemini-2.0-flash", Dated, "0.1"),
        );
        check(Some("gcp.gemini"), "gemini-2.0-flash-exp", ("gemini-2.0-flash", Family, "0.1"));
        check(Some("vertex"), "claude-haiku-4-5@20251001", (haiku, Dated, "1"));
        check(Some("anthropic"), "claude-haiku-4-5-20251001", (haiku, Dated, "1"));
        check(Some("anthropic"), "claude-2.1", ("claude-2", Family, "8"));
        check(None, "claude-haiku-4-5", (haiku, Exact, "1"));
        check(Some("litellm"), "anthropic/claude-haiku-4-5", (haiku, Exact, "1"));
        check(None, "anthropic/claude-haiku-4-5", (haiku, Exact, "1"));
        check(Some("groq"), "openai/gpt-oss-120b", ("openai/gpt-oss-120b", Exact, "0.15"));
        let bedrock = "regional.anthropic.claude-haiku-4-5-20251001-v1:0";
        check(Some("aws.bedrock"), "us.anthropic.claude-haiku-4-5-20251001-v1:0", (bedrock, Dated, "1.1"));
        check(None, "us.anthropic.claude-haiku-4-5-20251001-v1:0", (bedrock, Dated, "1.1"));
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0";
        check(Some("bedrock"), arn, (bedrock, Dated, "1.1"));
        let global = "global.anthropic.claude-haiku-4-5-20251001-v1:0";
        check(Some("bedrock"), global, (global, Exact, "1"));
        check(Some("aws"), "us.amazon.nova-lite-v1:0:300k", ("amazon.nova-lite-v1:0", Dated, "0.06"));
    }

    #[test]
    fn what_else_decides_the_price_is_heeded() {
        let check = |query: PriceQuery<'_>, total: &str, incomplete: bool| {
            let cost = price(&query).unwrap();
            assert_eq!((cost.total.to_string().as_str(), cost.incomplete), (total, incomplete), "{query:?}");
        };
        let usage = Usage::new(100_000, 10_000);
        let o3 = PriceQuery::new("o3", &usage, november()).provider("openai");
        check(o3, "0.28", false);
        check(o3.service_tier("default"), "0.28", false);
        check(o3.service_tier("FLEX"), "0.14", false);
        check(o3.processing("batch"), "0.14", false);
        check(o3.service_tier("priority"), "0.49", false);
        // No tier price is known for that day, and a priority call costs more.
        check(
            PriceQuery { at: "2026-01-01T00:00:00Z".parse().unwrap(), ..o3.service_tier("priority") },
            "0.28",
            true,
        );

        let sonnet = PriceQuery::new("claude-sonnet-4-6", &usage, november()).provider("anthropic");
        check(sonnet, "0.45", false);
        check(sonnet.service_tier("batch"), "0.225", false);
        check(sonnet.inference_geo("us"), "0.495", false);
        check(sonnet.inference_geo("global"), "0.45", false);
        check(sonnet.speed("fast"), "0.45", true);
        check(PriceQuery { model: "claude-sonnet-4-5", ..sonnet.inference_geo("us") }, "0.45", false);

        let searches = Usage { web_searches: Some(3), ..usage.clone() };
        check(PriceQuery { usage: &searches, ..sonnet.inference_geo("us") }, "0.525", false);
        let files = Usage { file_searches: Some(2), ..usage.clone() };
        check(PriceQuery { usage: &files, ..o3 }, "0.285", false);
        check(PriceQuery { usage: &files, ..sonnet }, "0.45", true);
        check(
            PriceQuery::new("llama-3.3-70b-versatile", &searches, november()).provider("groq"),
            "0.0669",
            true,
        );
    }

    #[test]
    fn what_cannot_be_priced_says_why() {
        let check = |usage: Usage, model: &str, expected| {
            let query = PriceQuery::new(model, &usage, november()).provider("openai");
            assert_eq!(price(&query).map(|cost| cost.total.to_string()), expected, "{usage:?} {model}");
        };
        let embedding = Usage { output_tokens: None, ..Usage::new(1_000, 0) };
        check(embedding, "text-embedding-3-small", Ok("0.00002".to_owned()));
        check(Usage::default(), "gpt-4o", Err(Unpriced::NoUsage));
        check(Usage::new(10, 1).with_cache_read(11), "gpt-4o", Err(Unpriced::InvalidUsage));
        check(Usage::new(10, 1), "whisper-1", Err(Unpriced::UnknownModel));
        // How much of the audio was cached is not stated, and cached audio has a price of its own.
        let audio = Usage { input_audio_tokens: Some(60), ..Usage::new(100, 1).with_cache_read(50) };
        check(audio.clone(), "gpt-realtime", Err(Unpriced::NoUsage));
        let stated = Usage { cache_read_audio_tokens: Some(40), ..audio };
        check(stated, "gpt-realtime", Ok("0.000796".to_owned()));
        check(Usage::new(u64::MAX, 1), "gpt-4o", Ok("46116860184273.87904".to_owned()));
    }

    #[test]
    fn memory_of_names_is_bounded() {
        let prices = BundledPrices::new();
        let usage = Usage::new(1, 1);
        for number in 0..=MAX_SEEN {
            let model = format!("no-such-model-{number}");
            let query = PriceQuery::new(&model, &usage, november()).provider("voyageai");
            assert!(prices.price(&query).is_err());
        }
        assert_eq!(prices.seen.read().unwrap().count, 1);
    }
}
