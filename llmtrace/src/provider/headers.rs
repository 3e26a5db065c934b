//! What the headers of an HTTP answer say of a call.

use super::{ApiError, Exchange, bedrock_converse};
use crate::{Attributes, Usage, UsageStatus, Usd, semconv};

/// Longest header value that is read, in bytes.
pub(crate) const MAX_VALUE_BYTES: usize = 256;

/// Names under which providers give their id of a request, the best first. `cf-ray` is that of the network in front.
const REQUEST_IDS: [&str; 8] = [
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "x-goog-request-id",
    "mistral-correlation-id",
    "x-litellm-call-id",
    "cf-ray",
];

/// Other headers that are read: no header that holds a secret or a cookie is among them.
const NAMES: [&str; 13] = [
    "retry-after",
    "retry-after-ms",
    "openai-processing-ms",
    "openai-model",
    "x-inference-provider",
    "x-litellm-response-cost",
    ERROR_TYPE,
    "x-amzn-bedrock-invocation-latency",
    "x-amzn-bedrock-service-tier",
    INPUT_COUNT,
    OUTPUT_COUNT,
    CACHE_READ_COUNT,
    CACHE_WRITE_COUNT,
];

/// AWS sends it with errors only, and names their kind in it.
pub(crate) const ERROR_TYPE: &str = "x-amzn-errortype";

const INPUT_COUNT: &str = "x-amzn-bedrock-input-token-count";
const OUTPUT_COUNT: &str = "x-amzn-bedrock-output-token-count";
const CACHE_READ_COUNT: &str = "x-amzn-bedrock-cache-read-input-token-count";
const CACHE_WRITE_COUNT: &str = "x-amzn-bedrock-cache-write-input-token-count";

/// Numbers of seconds above this are no durations but times.
const MAX_DURATION: f64 = 31_622_400.0;

/// Whether a header is read. Case does not matter.
pub(crate) fn is_read(name: &str) -> bool {
    REQUEST_IDS.iter().chain(&NAMES).any(|known| known.eq_ignore_ascii_case(name))
        || Limit::of(&name.to_ascii_lowercase()).is_some()
}

impl Exchange {
    /// Reads the headers of the answer: the request's id, rate limits, how long to wait, the server's own time,
    /// and what some providers state nowhere else: Bedrock's token counts, `LiteLLM`'s cost. What the body says
    /// stands.
    ///
    /// Of all headers but these nothing is read. Rate limits per day or month are left out, and so are those that a
    /// provider does not know (Azure's `-1`). A cost of 0 that `LiteLLM` states is left out too: it states 0 for
    /// models that it does not know.
    ///
    /// ```
    /// use llmtrace::provider::Exchange;
    ///
    /// let mut exchange = Exchange::default();
    /// exchange.read_headers([("x-request-id", "req_1"), ("retry-after-ms", "1500")]);
    /// assert_eq!(exchange.attributes.get_str("llmtrace.request_id"), Some("req_1"));
    /// assert_eq!(exchange.attributes.get("llmtrace.retry_after").and_then(|wait| wait.as_f64()), Some(1.5));
    /// ```
    pub fn read_headers<N, V>(&mut self, headers: impl IntoIterator<Item = (N, V)>)
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let mut read = Headers::default();
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), value.as_ref());
            if value.len() <= MAX_VALUE_BYTES
                && is_read(name)
                && let Ok(value) = std::str::from_utf8(value)
            {
                read.0.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        read.lay_over(self);
    }
}

/// The headers that are read, their names in lower case.
#[derive(Debug, Default)]
struct Headers(Vec<(String, String)>);

impl Headers {
    fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    fn lay_over(&self, exchange: &mut Exchange) {
        let attributes = &mut exchange.attributes;
        let mut set = |key, value: Option<crate::Value>| {
            if let Some(value) = value {
                attributes.set_default(key, value);
            }
        };
        let id = REQUEST_IDS.iter().find_map(|name| self.text(name));
        set(semconv::REQUEST_ID, id.map(Into::into));
        set(semconv::UPSTREAM_PROVIDER, self.text("x-inference-provider").map(Into::into));
        let wait = self.number("retry-after-ms").map(|wait| wait / 1000.0);
        set(semconv::RETRY_AFTER, wait.or_else(|| self.number("retry-after")).map(Into::into));
        let time = self.number("openai-processing-ms");
        let time = time.or_else(|| self.number("x-amzn-bedrock-invocation-latency"));
        set(semconv::SERVER_TOTAL_SECONDS, time.map(|time| (time / 1000.0).into()));
        self.read_limits(attributes);
        if exchange.usage.is_empty() && exchange.usage.status == UsageStatus::Missing {
            exchange.usage = self.usage();
        }
        let or = |slot: &mut Option<String>, name| {
            if slot.is_none() {
                *slot = self.text(name).map(str::to_owned);
            }
        };
        or(&mut exchange.response_model, "openai-model");
        or(&mut exchange.service_tier, "x-amzn-bedrock-service-tier");
        if let Some(error) = &mut exchange.error {
            error.take_kind(self.text(ERROR_TYPE));
        }
        if exchange.stated_cost.is_none() {
            let cost = self.number("x-litellm-response-cost").filter(|cost| *cost > 0.0);
            exchange.stated_cost = cost.and_then(Usd::from_f64);
        }
    }

    /// Of several limits of one kind, such as one a minute and one in ten seconds, the first stands.
    fn read_limits(&self, attributes: &mut Attributes) {
        for (name, value) in &self.0 {
            let Some(limit) = Limit::of(name) else { continue };
            let stated = match limit.field {
                "reset" => reset(value),
                _ => value.parse::<u64>().ok().map(Into::into),
            };
            if let Some(stated) = stated {
                let key = format!("{}.{}.{}", semconv::RATE_LIMIT, limit.unit, limit.field);
                attributes.set_default(key, stated);
            }
        }
    }

    /// Bedrock's counts, of which the input leaves out what was read from and written to the cache.
    fn usage(&self) -> Usage {
        let (read, written) = (self.count(CACHE_READ_COUNT), self.count(CACHE_WRITE_COUNT));
        bedrock_converse::inclusive(self.count(INPUT_COUNT), self.count(OUTPUT_COUNT), read, written)
    }
}

impl ApiError {
    /// The kind of error that a header names: AWS may put a colon and an address behind it.
    fn take_kind(&mut self, kind: Option<&str>) {
        if self.kind.is_none() {
            self.kind = kind.map(|kind| kind.split(':').next().unwrap_or(kind).to_owned());
        }
    }
}

/// A header that states a rate limit.
#[derive(Debug, PartialEq, Eq)]
struct Limit {
    /// `requests`, `tokens`, `input_tokens` or `output_tokens`.
    unit: &'static str,
    /// `limit`, `remaining` or `reset`.
    field: &'static str,
}

impl Limit {
    /// What a header's lower-case name says: `x-ratelimit-remaining-tokens` (`OpenAI`, Azure, Groq, ...), with a
    /// window behind it (Mistral, Cerebras), `anthropic-ratelimit-tokens-remaining`, or Together's.
    fn of(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_prefix("anthropic-ratelimit-") {
            let (unit, field) = rest.rsplit_once('-')?;
            return Some(Self { unit: unit_of(unit)?, field: field_of(field)? });
        }
        if let Some(field) = name.strip_prefix("x-tokenlimit-") {
            return Some(Self { unit: "tokens", field: field_of(field)? });
        }
        let rest = name.strip_prefix("x-ratelimit-")?;
        let (field, unit) = rest.split_once('-').unwrap_or((rest, "requests"));
        Some(Self { unit: unit_of(unit)?, field: field_of(field)? })
    }
}

fn unit_of(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix("-minute").or_else(|| name.strip_suffix("-10-second")).unwrap_or(name);
    match name {
        "requests" | "req" => Some("requests"),
        "tokens" => Some("tokens"),
        // Fireworks has words of its own.
        "input-tokens" | "tokens-prompt" => Some("input_tokens"),
        "output-tokens" | "tokens-generated" => Some("output_tokens"),
        _ => None,
    }
}

fn field_of(name: &str) -> Option<&'static str> {
    ["limit", "remaining", "reset"].into_iter().find(|field| *field == name)
}

/// When a limit is reset: seconds where a duration is stated, such as `6m0s`, else the time as it is.
fn reset(value: &str) -> Option<crate::Value> {
    if value.starts_with('-') || value.is_empty() {
        return None;
    }
    Some(seconds(value).map_or_else(|| value.into(), Into::into))
}

/// The seconds of `30`, `1.5s`, `120ms` or `1h2m3.4s`; `None` for anything else.
fn seconds(value: &str) -> Option<f64> {
    if let Ok(number) = value.parse::<f64>() {
        return Some(number).filter(|number| (0.0..=MAX_DURATION).contains(number));
    }
    if value.is_empty() {
        return None;
    }
    let (mut rest, mut total) = (value, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let per_unit = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 0.000_001,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * per_unit;
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests;
