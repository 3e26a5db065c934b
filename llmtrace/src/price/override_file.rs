//! The JSON form of price overrides.

use std::io;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{PriceOverride, Rates, Schedule};
use crate::{Timestamp, Usd};

/// Why a file of prices was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverrideError {
    /// The file cannot be read.
    #[error("cannot read the price overrides in {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The text is not JSON.
    #[error("the price overrides are not JSON: {message}")]
    NotJson {
        /// What is wrong, with its line and column.
        message: String,
    },
    /// The JSON is not an array.
    #[error(
        "the price overrides must be a JSON array of objects, such as [{{\"model\": \"gpt-4o-mini\", ...}}]"
    )]
    NotAnArray,
    /// An entry is wrong.
    #[error("price override {index} (counted from 0){}: expected {expected}, found {found}", of_key(key))]
    Entry {
        /// The entry's place in the array, from 0.
        index: usize,
        /// The key that is wrong or missing; empty where the entry as a whole is wrong.
        key: String,
        /// What would be right.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// What a file holds is refused.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// Why it is refused.
        source: Box<OverrideError>,
    },
}

/// Keys that say which calls an entry is for, and what else is known of it.
const KEYS: [&str; 16] = [
    "model",
    "provider",
    "from",
    "to",
    "days",
    "hours",
    "service_tier",
    "processing",
    "speed",
    "inference_geo",
    "above_input_tokens",
    "priced_as",
    "priced_as_provider",
    "per_call",
    "as_of",
    "note",
];

/// Prices that must be there, unless the entry is priced as another model.
const NEEDED: [&str; 2] = ["input_per_mtok", "output_per_mtok"];

type SetRate = fn(Rates, Usd) -> Rates;
type SetText = fn(PriceOverride, String) -> PriceOverride;

/// Prices that may be there, and what they set.
const PRICES: [(&str, SetRate); 15] = [
    ("cache_read_per_mtok", Rates::cache_read),
    ("cache_write_per_mtok", Rates::cache_write),
    ("cache_write_1h_per_mtok", Rates::cache_write_1h),
    ("cache_read_audio_per_mtok", Rates::cache_read_audio),
    ("input_audio_per_mtok", Rates::input_audio),
    ("input_image_per_mtok", Rates::input_image),
    ("input_video_per_mtok", Rates::input_video),
    ("output_audio_per_mtok", Rates::output_audio),
    ("output_image_per_mtok", Rates::output_image),
    ("reasoning_per_mtok", Rates::reasoning),
    ("web_search_per_1k", Rates::web_search),
    ("file_search_per_1k", Rates::file_search),
    ("rerank_search_per_1k", Rates::rerank_search),
    ("document_page_per_1k", Rates::document_page),
    ("audio_per_hour", Rates::audio_hour),
];

/// Keys of texts, and what they set.
const TEXTS: [(&str, SetText); 6] = [
    ("provider", PriceOverride::provider),
    ("service_tier", PriceOverride::service_tier),
    ("processing", PriceOverride::processing),
    ("speed", PriceOverride::speed),
    ("inference_geo", PriceOverride::inference_geo),
    ("as_of", PriceOverride::as_of),
];

const KEYS_TEXT: &str = "one of model, provider, from, to, days, hours, service_tier, processing, speed, \
     inference_geo, above_input_tokens, priced_as, priced_as_provider, input_per_mtok, output_per_mtok, \
     cache_read_per_mtok, cache_write_per_mtok, cache_write_1h_per_mtok, cache_read_audio_per_mtok, \
     input_audio_per_mtok, input_image_per_mtok, input_video_per_mtok, output_audio_per_mtok, \
     output_image_per_mtok, reasoning_per_mtok, web_search_per_1k, file_search_per_1k, rerank_search_per_1k, \
     document_page_per_1k, audio_per_hour, per_call, as_of, note";

const PRICE: &str = "USD, not negative, such as \"0.15\", with at most 12 decimals";
const TIME: &str = "a date such as \"2026-01-31\" or an RFC 3339 time such as \"2026-01-31T12:00:00Z\"";
const DAYS: &str = "days such as \"mon-fri\" or [\"sat\", \"sun\"]";
const HOURS: &str = "hours in UTC such as \"01:00-04:00\" or a list of them";

pub(super) fn parse(text: &str) -> Result<Vec<PriceOverride>, OverrideError> {
    let json: Value =
        serde_json::from_str(text).map_err(|error| OverrideError::NotJson { message: error.to_string() })?;
    let Value::Array(entries) = json else { return Err(OverrideError::NotAnArray) };
    entries.iter().enumerate().map(|(index, entry)| read_entry(index, entry)).collect()
}

fn read_entry(index: usize, entry: &Value) -> Result<PriceOverride, OverrideError> {
    let refuse =
        |key: &str, expected, found| OverrideError::Entry { index, key: key.to_owned(), expected, found };
    let Value::Object(keys) = entry else { return Err(refuse("", "an object", shown(entry))) };
    if let Some((key, value)) = keys.iter().find(|(key, _)| !KEYS.contains(&key.as_str()) && !is_price(key)) {
        return Err(refuse(key, KEYS_TEXT, shown(value)));
    }
    let fields = Fields { index, keys };
    let model = fields.text("model")?.filter(|model| !model.is_empty());
    let model =
        model.ok_or_else(|| refuse("model", "a model's name, or the start of one and *", absent()))?;
    if model.strip_suffix('*').unwrap_or(model).contains('*') {
        return Err(refuse("model", "a * at the end only", format!("{model:?}")));
    }
    let mut read = fields.price_of(model)?;
    for (key, set) in TEXTS {
        read = match fields.text(key)? {
            Some(value) => set(read, value.to_owned()),
            None => read,
        };
    }
    if fields.text("processing")?.is_some_and(|processing| processing != "batch") {
        return Err(refuse("processing", "\"batch\"", fields.shown("processing")));
    }
    let (from, to) = (fields.time("from")?, fields.time("to")?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err(refuse("to", "a time after \"from\"", format!("{to}, not after {from}")));
    }
    read = from.map_or(read.clone(), |at| read.from(at));
    read = to.map_or(read.clone(), |at| read.to(at));
    let limit = fields.read("above_input_tokens", "a number of tokens", Value::as_u64)?;
    read = limit.map_or(read.clone(), |tokens| read.above_input_tokens(tokens));
    Ok(match fields.schedule()? {
        Some(schedule) => read.schedule(schedule),
        None => read,
    })
}

fn is_price(key: &str) -> bool {
    NEEDED.contains(&key) || PRICES.iter().any(|(name, _)| *name == key)
}

struct Fields<'a> {
    index: usize,
    keys: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The value under `key` as `read` makes of it; an error if it makes nothing of it.
    fn read<T>(
        &self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, OverrideError> {
        let Some(value) = self.keys.get(key) else { return Ok(None) };
        let refusal =
            || OverrideError::Entry { index: self.index, key: key.to_owned(), expected, found: shown(value) };
        read(value).map(Some).ok_or_else(refusal)
    }

    /// An entry for `model` with its price: rates, or another model's.
    fn price_of(&self, model: &str) -> Result<PriceOverride, OverrideError> {
        let refuse = |key: &str, expected, found| OverrideError::Entry {
            index: self.index,
            key: key.to_owned(),
            expected,
            found,
        };
        let other = self.text("priced_as")?;
        let provider = self.text("priced_as_provider")?;
        if let Some(other) = other {
            if other.is_empty() || other.contains('*') {
                return Err(refuse("priced_as", "one model's whole name", format!("{other:?}")));
            }
            if let Some(key) = self.keys.keys().find(|key| is_price(key) || *key == "per_call") {
                return Err(refuse(key, "no price of its own beside \"priced_as\"", self.shown(key)));
            }
            let entry = PriceOverride::alias(model, other);
            return Ok(provider.map_or(entry.clone(), |provider| entry.alias_provider(provider)));
        }
        if provider.is_some() {
            return Err(refuse("priced_as", "a model's name beside \"priced_as_provider\"", absent()));
        }
        let needed = |key| self.price(key)?.ok_or_else(|| refuse(key, PRICE, absent()));
        let [input, output] = NEEDED.map(needed);
        let mut rates = Rates::per_mtok(input?, output?);
        for (key, set) in PRICES {
            rates = self.price(key)?.map_or(rates, |price| set(rates, price));
        }
        rates = self.price("per_call")?.map_or(rates, |fee| rates.per_call(fee));
        Ok(PriceOverride::new(model, rates))
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, OverrideError> {
        self.read(key, "text", Value::as_str)
    }

    /// What stands under a key, for a message.
    fn shown(&self, key: &str) -> String {
        self.keys.get(key).map_or_else(absent, shown)
    }

    fn schedule(&self) -> Result<Option<Schedule>, OverrideError> {
        let mut schedule = Schedule::always();
        let days = self.read("days", DAYS, |value| schedule.set_days(texts(value)?))?;
        let hours = self.read("hours", HOURS, |value| schedule.set_hours(texts(value)?))?;
        Ok(days.or(hours).map(|()| schedule))
    }

    fn price(&self, key: &str) -> Result<Option<Usd>, OverrideError> {
        // A float is written in full, without an exponent, by `Display`: what the file says, digit by digit.
        let digits = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => number.as_f64().map(|number| number.to_string()),
            _ => None,
        };
        let read = |value: &'a Value| digits(value)?.parse::<Usd>().ok().filter(|price| *price >= Usd::ZERO);
        self.read(key, PRICE, read)
    }

    fn time(&self, key: &str) -> Result<Option<Timestamp>, OverrideError> {
        let read = |value: &'a Value| {
            let text = value.as_str()?;
            if text.len() == 10 { format!("{text}T00:00:00Z").parse().ok() } else { text.parse().ok() }
        };
        self.read(key, TIME, read)
    }
}

/// One text, its parts divided by commas, or a list of texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(text.split(',').map(str::trim).collect()),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// A key as messages name it; an entry as a whole has none.
fn of_key(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!(", key {key:?}") }
}

fn absent() -> String {
    "nothing".to_owned()
}

/// The start of a value, for a message.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

#[cfg(test)]
mod tests;
