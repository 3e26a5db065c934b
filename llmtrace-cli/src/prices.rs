//! What a call costs.

use std::path::Path;

use llmtrace::{
    BundledPrices, Cost, PriceChain, PriceOverrides, PriceQuery, PriceSource, SpanRecord, Timestamp,
    Unpriced, Usage, UsageStatus, semconv,
};

use crate::failure::Failure;

/// What is known of a call that decides its price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) provider: Option<&'a str>,
    /// The model that answered.
    pub(crate) response_model: Option<&'a str>,
    /// The model that was asked for.
    pub(crate) request_model: Option<&'a str>,
    pub(crate) usage: &'a Usage,
    /// When the call started.
    pub(crate) at: Timestamp,
    pub(crate) service_tier: Option<&'a str>,
    pub(crate) speed: Option<&'a str>,
    pub(crate) processing: Option<&'a str>,
    pub(crate) inference_geo: Option<&'a str>,
}

/// The prices of the user's file, where there is one, and then those that come with llmtrace.
pub(crate) fn load(overrides: Option<&Path>) -> Result<PriceChain, Failure> {
    let own = overrides.map(PriceOverrides::from_file).transpose();
    let own = own.map_err(|error| Failure::Wrong(error.to_string()))?.unwrap_or_default();
    Ok(PriceChain::new(own).then(BundledPrices::new()))
}

impl<'a> Call<'a> {
    /// The call that a span records.
    pub(crate) fn of(span: &'a SpanRecord, usage: &'a Usage) -> Self {
        let text = |key| span.attributes.get_str(key);
        Self {
            provider: span.provider(),
            response_model: text(semconv::RESPONSE_MODEL),
            request_model: text(semconv::REQUEST_MODEL),
            usage,
            at: span.start,
            service_tier: text(semconv::OPENAI_RESPONSE_SERVICE_TIER).or_else(|| text(semconv::SERVICE_TIER)),
            speed: text(semconv::SPEED),
            processing: text(semconv::PROCESSING),
            inference_geo: text(semconv::INFERENCE_GEO),
        }
    }

    /// The cost by `prices`: under the name of the model that answered, else of the one that was asked for.
    pub(crate) fn price(&self, prices: &impl PriceSource) -> Result<Cost, Unpriced> {
        match self.usage.status {
            UsageStatus::Complete => {}
            UsageStatus::Invalid => return Err(Unpriced::InvalidUsage),
            _ => return Err(Unpriced::NoUsage),
        }
        let requested = self.request_model.filter(|model| self.response_model != Some(model));
        let names = [self.response_model, requested].into_iter().flatten();
        let priced = names.map(|model| {
            let query = PriceQuery::new(model, self.usage, self.at)
                .provider(self.provider)
                .service_tier(self.service_tier)
                .speed(self.speed)
                .processing(self.processing)
                .inference_geo(self.inference_geo);
            prices.price(&query)
        });
        let mut known = priced.filter(|priced| *priced != Err(Unpriced::UnknownModel));
        known.next().unwrap_or(Err(Unpriced::UnknownModel))
    }
}
