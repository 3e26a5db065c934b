//! What is printed of a call: one JSON object.

use llmtrace::provider::{ApiError, Exchange};
use llmtrace::{Cost, CostSource, PriceSource, Timestamp, Usage};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::prices;

/// What is printed of a call, in this order.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    api: Option<&'a str>,
    provider: Option<&'a str>,
    model: Option<&'a str>,
    usage: Counts<'a>,
    cost_usd: Option<Box<RawValue>>,
    cost_status: &'static str,
    cost_source: Option<&'static str>,
    matched_model: Option<String>,
    #[serde(rename = "match")]
    matched: Option<&'static str>,
    as_of: Option<String>,
    incomplete: Option<bool>,
    service_tier: Option<&'a str>,
    finish_reasons: &'a [String],
    response_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_error: Option<Problem<'a>>,
}

/// The counts that were stated, after their status.
#[derive(Debug)]
struct Counts<'a>(&'a Usage);

/// The error that the API answered with.
#[derive(Debug, Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    code: Option<&'a str>,
    message: &'a str,
}

impl<'a> Answer<'a> {
    /// What is known of a call that started at `at`, and what it cost.
    pub(super) fn new(exchange: &'a Exchange, at: Timestamp, prices: &impl PriceSource) -> Self {
        let priced = prices::price(exchange, prices, at);
        let cost_status = match &priced {
            Ok(cost) if cost.source == CostSource::Provider => "provider_cost",
            Ok(_) => "priced",
            Err(reason) => reason.as_str(),
        };
        let cost = priced.ok();
        let known = cost.as_ref();
        Self {
            api: exchange.api.map(llmtrace::provider::Api::as_str),
            provider: exchange.provider.as_deref(),
            model: exchange.response_model.as_deref().or(exchange.request_model.as_deref()),
            usage: Counts(&exchange.usage),
            cost_usd: known.and_then(exact),
            cost_status,
            cost_source: known.map(|cost| cost.source.as_str()),
            matched: known.and_then(|cost| cost.matched).map(llmtrace::PriceMatch::as_str),
            incomplete: known.map(|cost| cost.incomplete),
            service_tier: exchange.service_tier.as_deref(),
            finish_reasons: &exchange.finish_reasons,
            response_id: exchange.response_id.as_deref(),
            api_error: exchange.error.as_ref().map(Problem::of),
            matched_model: cost.as_ref().and_then(|cost| cost.matched_model.clone()),
            as_of: cost.and_then(|cost| cost.as_of),
        }
    }
}

impl<'a> Problem<'a> {
    fn of(error: &'a ApiError) -> Self {
        Self { kind: error.kind.as_deref(), code: error.code.as_deref(), message: &error.message }
    }
}

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", self.0.status.as_str())?;
        for (name, count) in self.0.counts() {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}

/// The amount as a JSON number with all its digits, and without an exponent.
fn exact(cost: &Cost) -> Option<Box<RawValue>> {
    RawValue::from_string(cost.total.to_string()).ok()
}
