//! From a response to what it cost.

use llmtrace::provider::{Api, Exchange, StreamAssembler, read_response, read_response_as};
use llmtrace::{Cost, CostSource, PriceSource, Timestamp, Unpriced, semconv};
use serde_json::Value;

use crate::prices::Call;

/// What the user says of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) api: Option<Api>,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) at: Option<Timestamp>,
    pub(super) context: Context,
}

/// What else decides a price; the response's own word is taken over it.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    pub(super) service_tier: Option<String>,
    pub(super) speed: Option<String>,
    pub(super) processing: Option<String>,
    pub(super) inference_geo: Option<String>,
}

impl Asked {
    /// This, and where it says nothing, `other`.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            api: self.api.or(other.api),
            provider: self.provider.or_else(|| other.provider.clone()),
            model: self.model.or_else(|| other.model.clone()),
            at: self.at.or(other.at),
            context: Context {
                service_tier: self.context.service_tier.or_else(|| other.context.service_tier.clone()),
                speed: self.context.speed.or_else(|| other.context.speed.clone()),
                processing: self.context.processing.or_else(|| other.context.processing.clone()),
                inference_geo: self.context.inference_geo.or_else(|| other.context.inference_geo.clone()),
            },
        }
    }

    /// Reads a whole body; `None` if it is none of a known API, or states nothing that the named API does.
    pub(super) fn read(&self, body: &Value) -> Option<Exchange> {
        let Some(api) = self.api else { return read_response(body) };
        let exchange = read_response_as(api, body);
        (exchange != read_response_as(api, &Value::Null)).then_some(exchange)
    }

    /// An assembler for a stream of the named API, or of one that is told from it.
    pub(super) fn assembler(&self) -> StreamAssembler {
        self.api.map_or_else(StreamAssembler::detect, StreamAssembler::new)
    }

    /// What a stream amounts to; `None` as for [`Asked::read`].
    pub(super) fn finish(&self, mut stream: StreamAssembler) -> Option<Exchange> {
        let exchange = stream.finish();
        (exchange != self.assembler().finish()).then_some(exchange)
    }

    /// Who answered: the user knows it better than the body.
    pub(super) fn provider_of<'a>(&'a self, exchange: &'a Exchange) -> Option<&'a str> {
        self.provider.as_deref().or(exchange.provider.as_deref())
    }

    /// The model that answered, else the one that the user names.
    pub(super) fn model_of<'a>(&'a self, exchange: &'a Exchange) -> Option<&'a str> {
        exchange.response_model.as_deref().or(self.model.as_deref())
    }

    /// The tier that was served, else the one that the user names.
    pub(super) fn tier_of<'a>(&'a self, exchange: &'a Exchange) -> Option<&'a str> {
        exchange.service_tier.as_deref().or(self.context.service_tier.as_deref())
    }

    /// What the call cost: as the provider states it, else by `prices`.
    pub(super) fn price(&self, exchange: &Exchange, prices: &impl PriceSource) -> Result<Cost, Unpriced> {
        if let Some(total) = exchange.stated_cost {
            return Ok(Cost::new(total, CostSource::Provider));
        }
        let stated = |key| exchange.attributes.get_str(key);
        let call = Call {
            provider: self.provider_of(exchange),
            response_model: exchange.response_model.as_deref(),
            request_model: self.model.as_deref(),
            usage: &exchange.usage,
            at: self.at.unwrap_or_else(Timestamp::now),
            service_tier: self.tier_of(exchange),
            speed: stated(semconv::SPEED).or(self.context.speed.as_deref()),
            processing: self.context.processing.as_deref().filter(|how| *how != "standard"),
            inference_geo: stated(semconv::INFERENCE_GEO).or(self.context.inference_geo.as_deref()),
        };
        call.price(prices)
    }
}
