//! What calls cost: of a response that was read just now, and of a span that was stored.

use std::path::Path;

use llmtrace::provider::Exchange;
use llmtrace::{
    BundledPrices, Cost, CostSource, PriceChain, PriceOverrides, PriceQuery, PriceSource, SpanRecord,
    Timestamp, Unpriced, Usage, UsageStatus, Value, semconv,
};

use crate::failure::Failure;

/// The prices of the user's file, where there is one, and then those that come with llmtrace.
pub(crate) fn load(overrides: Option<&Path>) -> Result<PriceChain, Failure> {
    let own = overrides.map(PriceOverrides::from_file).transpose();
    let own = own.map_err(|error| Failure::Wrong(error.to_string()))?.unwrap_or_default();
    Ok(PriceChain::new(own).then(BundledPrices::new()))
}

/// What a call that started at `at` cost: as the provider states it, else by `prices`.
pub(crate) fn price(exchange: &Exchange, prices: &impl PriceSource, at: Timestamp) -> Result<Cost, Unpriced> {
    if let Some(total) = exchange.stated_cost {
        return Ok(Cost::new(total, CostSource::Provider));
    }
    let text = |key| exchange.attributes.get_str(key);
    let query = PriceQuery::new("", &exchange.usage, at)
        .provider(exchange.provider.as_deref())
        .service_tier(exchange.service_tier.as_deref())
        .speed(text(semconv::SPEED))
        .processing(text(semconv::PROCESSING))
        .inference_geo(text(semconv::INFERENCE_GEO));
    ask([exchange.response_model.as_deref(), exchange.request_model.as_deref()], query, prices)
}

/// Prices a stored call anew; a cost that no price table gave stands.
pub(crate) fn reprice(span: &mut SpanRecord, prices: &impl PriceSource) {
    let ours = [CostSource::Override, CostSource::Bundled].map(CostSource::as_str);
    let source = span.attributes.get_str(semconv::COST_SOURCE);
    let is_stated = span.cost().is_some() && source.is_none_or(|source| !ours.contains(&source));
    if is_stated || !span.kind.is_model_call() {
        return;
    }
    let priced = stored(span, &span.usage(), prices);
    for key in [semconv::USAGE_COST, semconv::COST_PICO_USD, semconv::COST_INCOMPLETE] {
        span.attributes.remove(key);
    }
    match priced {
        Ok(cost) => span.set_cost(&cost),
        Err(reason) => span.attributes.set(semconv::COST_STATUS, Value::fixed(reason.as_str())),
    }
}

fn stored(span: &SpanRecord, usage: &Usage, prices: &impl PriceSource) -> Result<Cost, Unpriced> {
    let text = |key| span.attributes.get_str(key);
    let query = PriceQuery::new("", usage, span.start)
        .provider(span.provider())
        .service_tier(text(semconv::OPENAI_RESPONSE_SERVICE_TIER).or_else(|| text(semconv::SERVICE_TIER)))
        .speed(text(semconv::SPEED))
        .processing(text(semconv::PROCESSING))
        .inference_geo(text(semconv::INFERENCE_GEO));
    ask([text(semconv::RESPONSE_MODEL), text(semconv::REQUEST_MODEL)], query, prices)
}

/// The cost under the first of the names that a price is known for.
fn ask(
    models: [Option<&str>; 2],
    query: PriceQuery<'_>,
    prices: &impl PriceSource,
) -> Result<Cost, Unpriced> {
    match query.usage.status {
        UsageStatus::Complete => {}
        UsageStatus::Invalid => return Err(Unpriced::InvalidUsage),
        _ => return Err(Unpriced::NoUsage),
    }
    let named = models.into_iter().flatten();
    let mut priced = named.map(|model| {
        let mut query = query;
        query.model = model;
        prices.price(&query)
    });
    priced.find(|priced| *priced != Err(Unpriced::UnknownModel)).unwrap_or(Err(Unpriced::UnknownModel))
}
