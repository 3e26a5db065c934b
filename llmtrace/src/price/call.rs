//! The price of a call, from a span's record or from an exchange with an API: one way for both.

use super::{PriceQuery, PriceSource};
use crate::provider::Exchange;
use crate::{
    Attributes, Cost, CostSource, PriceMatch, SpanRecord, Timestamp, Unpriced, Usage, UsageSource,
    UsageStatus, Value, semconv,
};

impl SpanRecord {
    /// Prices the call anew, from the tokens, the model, the start and the conditions that the record states: what
    /// the tracer itself does once, and what a stored trace needs when prices were corrected.
    ///
    /// A cost that the provider stated stays. One that was worked out is replaced, and removed where no price is
    /// known now; `llmtrace.cost.status` says why. Spans that are no model calls are left as they are.
    ///
    /// ```
    /// use llmtrace::{ObservationKind, PriceOverrides, Rates, SpanRecord, Timestamp, Usage, semconv};
    ///
    /// let (trace, span) = ("0af7651916cd43dd8448eb211c80319c".parse()?, "b7ad6b7169203331".parse()?);
    /// let (kind, at) = (ObservationKind::Generation, Timestamp::now());
    /// let mut record = SpanRecord::new(trace, span, "chat", kind, at, at);
    /// record.attributes.set(semconv::RESPONSE_MODEL, "our-model");
    /// record.set_usage(&Usage::new(1_000, 0));
    ///
    /// record.reprice(&PriceOverrides::new().model("our-model", Rates::per_mtok("3".parse()?, "15".parse()?)));
    /// assert_eq!(record.cost(), Some("0.003".parse()?));
    /// record.reprice(&PriceOverrides::new());
    /// assert_eq!(record.cost(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reprice(&mut self, prices: &impl PriceSource) {
        let source = self.attributes.get_str(semconv::COST_SOURCE);
        let is_stated = source.is_none_or(|source| source == CostSource::Provider.as_str());
        match self.cost().filter(|_| is_stated) {
            Some(_) if source.is_some() => {}
            Some(total) => self.set_cost(&Cost::new(total, CostSource::Provider)),
            None => self.reprice_over_stated(prices),
        }
    }

    /// As [`reprice`](Self::reprice), with the cost that the provider stated replaced too.
    pub fn reprice_over_stated(&mut self, prices: &impl PriceSource) {
        if !self.kind.is_model_call() {
            return;
        }
        match Call::of_record(self, &self.usage()).price(prices) {
            Ok(cost) => self.set_cost(&cost),
            Err(reason) => {
                self.clear_cost();
                for key in [semconv::USAGE_COST, semconv::COST_PICO_USD] {
                    self.attributes.remove(key);
                }
                self.attributes.set(semconv::COST_STATUS, Value::fixed(reason.as_str()));
            }
        }
    }
}

impl Exchange {
    /// What the call cost: as the provider states it, else by `prices`. `at` is when the call started.
    ///
    /// What decides the price beside model and tokens is read from the exchange: the service tier that was served,
    /// else the one that was asked for, and the attributes `llmtrace.speed`, `llmtrace.inference_geo` and
    /// `llmtrace.processing` (`batch`, which no response states). Where the response names no model, or one that no
    /// price is known for, the request's is priced.
    ///
    /// ```
    /// use llmtrace::provider::{Api, read_response_as};
    /// use llmtrace::{PriceOverrides, Rates};
    ///
    /// let body = serde_json::json!({"model": "our-model", "usage": {"prompt_tokens": 1000, "completion_tokens": 10}});
    /// let exchange = read_response_as(Api::OpenAiChat, &body);
    /// let prices = PriceOverrides::new().model("our-model", Rates::per_mtok("3".parse()?, "15".parse()?));
    /// let cost = exchange.price(&prices, "2026-11-22T12:00:00Z".parse()?)?;
    /// assert_eq!(cost.total.to_string(), "0.00315");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Why there is no cost: it is never 0 for want of a price.
    pub fn price(&self, prices: &impl PriceSource, at: Timestamp) -> Result<Cost, Unpriced> {
        match self.stated_cost {
            Some(total) => Ok(Cost::new(total, CostSource::Provider)),
            None => Call::of_exchange(self, at).price(prices),
        }
    }
}

/// All that decides what a call cost.
#[derive(Clone, Copy, Debug)]
struct Call<'a> {
    response_model: Option<&'a str>,
    request_model: Option<&'a str>,
    /// Names neither model yet.
    query: PriceQuery<'a>,
    /// Further models whose tokens are in the counts.
    others: &'a [Value],
}

impl<'a> Call<'a> {
    fn of_record(record: &'a SpanRecord, usage: &'a Usage) -> Self {
        let text = |key| record.attributes.get_str(key);
        let served = [semconv::OPENAI_RESPONSE_SERVICE_TIER, semconv::SERVICE_TIER];
        Self {
            response_model: text(semconv::RESPONSE_MODEL),
            request_model: text(semconv::REQUEST_MODEL),
            query: query(&record.attributes, usage, record.start).provider(record.provider()).service_tier(
                served.into_iter().find_map(text).or_else(|| requested_tier(&record.attributes)),
            ),
            others: others(&record.attributes),
        }
    }

    fn of_exchange(exchange: &'a Exchange, at: Timestamp) -> Self {
        Self {
            response_model: exchange.response_model.as_deref(),
            request_model: exchange.request_model.as_deref(),
            query: query(&exchange.attributes, &exchange.usage, at)
                .provider(exchange.provider.as_deref())
                .service_tier(
                    exchange.service_tier.as_deref().or_else(|| requested_tier(&exchange.parameters)),
                ),
            others: others(&exchange.attributes),
        }
    }

    fn price(&self, prices: &impl PriceSource) -> Result<Cost, Unpriced> {
        let usage = self.query.usage;
        match usage.status {
            UsageStatus::Invalid => return Err(Unpriced::InvalidUsage),
            UsageStatus::Complete if usage.source == UsageSource::Provider => {}
            _ => return Err(Unpriced::NoUsage),
        }
        let model = self.response_model.or(self.request_model).ok_or(Unpriced::UnknownModel)?;
        let asked_for = self.request_model.filter(|asked_for| *asked_for != model);
        let mut answer = prices.price(&PriceQuery { model, request_model: asked_for, ..self.query });
        if let (Err(Unpriced::UnknownModel), Some(model)) = (&answer, asked_for) {
            // A gateway may answer under a name of its own. That it is the same model is likely, not certain.
            answer = prices.price(&PriceQuery { model, ..self.query });
            if let Ok(Cost { matched: Some(matched), .. }) = &mut answer {
                *matched = PriceMatch::Family;
            }
        }
        answer.map(|cost| self.bounded(cost, prices))
    }

    /// The cost of all tokens at the cheapest of the models that they are of: a lower bound.
    fn bounded(&self, cost: Cost, prices: &impl PriceSource) -> Cost {
        let others = self.others.iter().filter_map(Value::as_str);
        let costs = others.filter_map(|model| prices.price(&PriceQuery { model, ..self.query }).ok());
        let is_bound = cost.incomplete || !self.others.is_empty();
        let cheapest = costs.fold(cost, |least, cost| if cost.total < least.total { cost } else { least });
        Cost { incomplete: is_bound, ..cheapest }
    }
}

/// A query without its model, with the conditions that stand in attributes.
fn query<'a>(attributes: &'a Attributes, usage: &'a Usage, at: Timestamp) -> PriceQuery<'a> {
    PriceQuery::new("", usage, at)
        .speed(attributes.get_str(semconv::SPEED))
        .processing(attributes.get_str(semconv::PROCESSING))
        .inference_geo(attributes.get_str(semconv::INFERENCE_GEO))
}

/// The tier that was asked for, where the response does not say which one was served.
fn requested_tier(attributes: &Attributes) -> Option<&str> {
    let keys = [semconv::OPENAI_REQUEST_SERVICE_TIER, semconv::REQUEST_SERVICE_TIER];
    keys.into_iter().find_map(|key| attributes.get_str(key))
}

fn others(attributes: &Attributes) -> &[Value] {
    match attributes.get(semconv::USAGE_OTHER_MODELS) {
        Some(Value::Array(models)) => models,
        _ => &[],
    }
}
