//! What the user says of a call, and what its response does.

use llmtrace::provider::{Api, Exchange, StreamAssembler, read_response, read_response_as};
use llmtrace::{Timestamp, semconv};
use serde_json::Value;

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

    /// Lays what the user says over what was read: who answered he knows better than the body; the rest fills what the
    /// body leaves out.
    pub(super) fn complete(&self, exchange: &mut Exchange) {
        if let Some(provider) = &self.provider {
            exchange.provider = Some(provider.clone().into());
        }
        let fill = |slot: &mut Option<String>, said: &Option<String>| {
            *slot = slot.take().or_else(|| said.clone());
        };
        fill(&mut exchange.request_model, &self.model);
        fill(&mut exchange.service_tier, &self.context.service_tier);
        let conditions = [
            (semconv::SPEED, &self.context.speed),
            (semconv::PROCESSING, &self.context.processing),
            (semconv::INFERENCE_GEO, &self.context.inference_geo),
        ];
        for (key, said) in conditions {
            if let Some(said) = said
                && exchange.attributes.get(key).is_none()
            {
                exchange.attributes.set(key, said.clone());
            }
        }
    }
}
