//! The JSON form of price overrides.

use std::io;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{PriceOverride, Rates};
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
    #[error("price override {index} (counted from 0), key {key:?}: expected {expected}, found {found}")]
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
}

const KEYS: [&str; 13] = [
    "provider",
    "model",
    "from",
    "to",
    "service_tier",
    "input_per_mtok",
    "output_per_mtok",
    "cache_read_per_mtok",
    "cache_write_per_mtok",
    "cache_write_1h_per_mtok",
    "per_call",
    "as_of",
    "note",
];

const KEYS_TEXT: &str = "one of provider, model, from, to, service_tier, input_per_mtok, output_per_mtok, \
     cache_read_per_mtok, cache_write_per_mtok, cache_write_1h_per_mtok, per_call, as_of, note";

const PRICE: &str = "USD, not negative, such as \"0.15\", with at most 12 decimals";
const TIME: &str = "a date such as \"2026-01-31\" or an RFC 3339 time such as \"2026-01-31T12:00:00Z\"";

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
    if let Some((key, value)) = keys.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
        return Err(refuse(key, KEYS_TEXT, shown(value)));
    }
    let fields = Fields { index, keys };
    let model = fields.text("model")?.filter(|model| !model.is_empty());
    let model =
        model.ok_or_else(|| refuse("model", "a model's name, or the start of one and *", absent()))?;
    if model.strip_suffix('*').unwrap_or(model).contains('*') {
        return Err(refuse("model", "a * at the end only", format!("{model:?}")));
    }
    let required = |key| fields.price(key)?.ok_or_else(|| refuse(key, PRICE, absent()));
    let mut rates = Rates::per_mtok(required("input_per_mtok")?, required("output_per_mtok")?);
    rates = fields.price("cache_read_per_mtok")?.map_or(rates, |price| rates.cache_read(price));
    rates = fields.price("cache_write_per_mtok")?.map_or(rates, |price| rates.cache_write(price));
    rates = fields.price("cache_write_1h_per_mtok")?.map_or(rates, |price| rates.cache_write_1h(price));
    rates = fields.price("per_call")?.map_or(rates, |fee| rates.per_call(fee));

    let (from, to) = (fields.time("from")?, fields.time("to")?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err(refuse("to", "a time after \"from\"", format!("{to}, not after {from}")));
    }
    let mut read = PriceOverride::new(model, rates);
    read = fields.text("provider")?.map_or(read.clone(), |provider| read.provider(provider));
    read = fields.text("service_tier")?.map_or(read.clone(), |tier| read.service_tier(tier));
    read = fields.text("as_of")?.map_or(read.clone(), |date| read.as_of(date));
    read = from.map_or(read.clone(), |at| read.from(at));
    Ok(to.map_or(read.clone(), |at| read.to(at)))
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

    fn text(&self, key: &str) -> Result<Option<&'a str>, OverrideError> {
        self.read(key, "text", Value::as_str)
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

fn absent() -> String {
    "nothing".to_owned()
}

/// The start of a value, for a message.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PriceOverrides, PriceQuery, PriceSource, Usage};

    #[test]
    fn what_is_wrong_is_named() {
        let check = |text: &str, expected: &str| {
            let error = PriceOverrides::from_json(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}\n{error}\n{expected}");
        };
        let entry = |more: &str| {
            format!(
                r#"[{{"model": "a", "input_per_mtok": 1, "output_per_mtok": 2}}, {{"model": "m", {more}}}]"#
            )
        };
        check("", "not JSON");
        check("[{]", "line 1 column 3");
        check(r#"{"model": "m"}"#, "must be a JSON array");
        check("[1]", "override 0 (counted from 0), key \"\": expected an object, found 1");
        check(r"[{}]", "key \"model\": expected a model's name");
        check(r#"[{"model": 7}]"#, "key \"model\": expected text, found 7");
        check(r#"[{"model": "a*b"}]"#, "expected a * at the end only, found \"a*b\"");
        check(
            &entry(r#""input_per_mtok": 1"#),
            "override 1 (counted from 0), key \"output_per_mtok\": expected USD",
        );
        check(&entry(r#""input_per_mtok": "-1""#), "key \"input_per_mtok\": expected USD, not negative");
        check(&entry(r#""input_per_mtok": "1,5""#), "found \"1,5\"");
        check(&entry(r#""input_per_mtok": true"#), "found true");
        check(
            &entry(r#""input_per_mtok": 1, "output_per_mtok": 1, "cached_per_mtok": 1"#),
            "expected one of provider",
        );
        let with = |more: &str| entry(&format!(r#""input_per_mtok": 1, "output_per_mtok": 1, {more}"#));
        check(&with(r#""from": "2026-02-30""#), "key \"from\": expected a date such as");
        check(
            &with(r#""from": "2026-01-01", "to": "2026-01-01""#),
            "key \"to\": expected a time after \"from\"",
        );
        check(&with(r#""service_tier": null"#), "key \"service_tier\": expected text, found null");
        assert!(
            PriceOverrides::from_file("/nonexistent/prices.json")
                .unwrap_err()
                .to_string()
                .contains("prices.json")
        );
    }

    #[test]
    fn numbers_and_text_are_read_to_the_last_digit() {
        let check = |price: &str, expected: &str| {
            let text = format!(r#"[{{"model": "m", "input_per_mtok": {price}, "output_per_mtok": 0}}]"#);
            let prices = PriceOverrides::from_json(&text).unwrap();
            let usage = Usage::new(1_000_000, 5);
            let cost = prices.price(&PriceQuery::new("m", &usage, Timestamp::default())).unwrap();
            assert_eq!(cost.total.to_string(), expected);
        };
        check("0.15", "0.15");
        check("\"0.15\"", "0.15");
        check("1e-7", "0.0000001");
        check("3", "3");
        check("0", "0");
        check("\"0.000000000001\"", "0.000000000001");
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"[{"provider": "azure", "model": "m", "from": "2026-01-01", "to": "2026-02-01T12:00:00+02:00",
            "service_tier": "flex", "input_per_mtok": 1, "output_per_mtok": 10, "cache_read_per_mtok": 100,
            "cache_write_per_mtok": 1000, "cache_write_1h_per_mtok": 10000, "per_call": "0.5",
            "as_of": "2026-01-02", "note": "x"}]"#;
        let prices = PriceOverrides::from_json(text).unwrap();
        let usage = Usage {
            cache_write_1h_tokens: Some(100_000),
            ..Usage::new(1_000_000, 100_000).with_cache_read(100_000).with_cache_write(200_000)
        };
        let at = |time: &str| {
            PriceQuery::new("m", &usage, time.parse().unwrap())
                .provider("azure.ai.openai")
                .service_tier("flex")
        };
        let cost = prices.price(&at("2026-02-01T09:59:59Z")).unwrap();
        assert_eq!(cost.total.to_string(), "1112.2");
        assert_eq!(cost.output.unwrap().to_string(), "1");
        assert_eq!(cost.as_of.as_deref(), Some("2026-01-02"));
        assert!(prices.price(&at("2026-02-01T10:00:00Z")).is_err());
        assert!(prices.price(&at("2025-12-31T23:59:59Z")).is_err());
    }
}
