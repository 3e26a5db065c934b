//! What the process has used so far.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::{SpanRecord, Unpriced, UsageSource, Usd, semconv};

/// What the process has used so far, by model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsageTotals {
    /// By the model that answered, else the one that was asked for, else `unknown`.
    pub models: BTreeMap<String, ModelUsage>,
}

/// What the calls of one model have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelUsage {
    /// Calls that have ended.
    pub calls: u64,
    /// Calls that ended with an error.
    pub errors: u64,
    /// Input tokens of the calls whose provider stated them; estimates are left out.
    pub input_tokens: u64,
    /// Output tokens of the calls whose provider stated them; estimates are left out.
    pub output_tokens: u64,
    /// Cost of the calls that have one.
    pub cost: Usd,
    /// Calls that have no cost: the sum is a lower bound if there are any.
    pub unpriced_calls: u64,
    /// Of those, calls with counts whose model no price source knows.
    pub unknown_model_calls: u64,
}

/// Most models that are kept apart; further ones are counted as `other`.
const MAX_MODELS: usize = 1000;

impl UsageTotals {
    /// All models together.
    pub fn total(&self) -> ModelUsage {
        let mut total = ModelUsage::default();
        for usage in self.models.values() {
            total.calls += usage.calls;
            total.errors += usage.errors;
            total.input_tokens = total.input_tokens.saturating_add(usage.input_tokens);
            total.output_tokens = total.output_tokens.saturating_add(usage.output_tokens);
            total.cost += usage.cost;
            total.unpriced_calls += usage.unpriced_calls;
            total.unknown_model_calls += usage.unknown_model_calls;
        }
        total
    }

    /// The models that were called and that no price source knows: name them in a
    /// [`PriceOverrides`](crate::PriceOverrides).
    pub fn unknown_models(&self) -> impl Iterator<Item = &str> {
        let unknown = self.models.iter().filter(|(_, usage)| usage.unknown_model_calls > 0);
        unknown.map(|(model, _)| model.as_str())
    }
}

/// The totals, shared between the worker and those who ask.
#[derive(Debug, Default)]
pub(super) struct Totals(Mutex<UsageTotals>);

impl Totals {
    pub(super) fn add(&self, record: &SpanRecord) {
        let cost = record.cost();
        if !record.kind.is_model_call() && cost.is_none() {
            return;
        }
        let usage = record.usage();
        let stated =
            |count: Option<u64>| count.filter(|_| usage.source == UsageSource::Provider).unwrap_or(0);
        let status = record.attributes.get_str(semconv::COST_STATUS);
        let is_unknown = status == Some(Unpriced::UnknownModel.as_str());
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut model = record.model().unwrap_or("unknown");
        if !totals.models.contains_key(model) {
            model = if totals.models.len() < MAX_MODELS { model } else { "other" };
            totals.models.entry(model.to_owned()).or_default();
        }
        let Some(entry) = totals.models.get_mut(model) else { return };
        entry.calls += 1;
        entry.errors += u64::from(record.status.is_error());
        entry.input_tokens = entry.input_tokens.saturating_add(stated(usage.input_tokens));
        entry.output_tokens = entry.output_tokens.saturating_add(stated(usage.output_tokens));
        entry.cost += cost.unwrap_or(Usd::ZERO);
        entry.unpriced_calls += u64::from(cost.is_none());
        entry.unknown_model_calls += u64::from(is_unknown);
    }

    pub(super) fn get(&self) -> UsageTotals {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ObservationKind, SpanId, Timestamp, TraceId, Usage, Value};

    #[test]
    fn a_model_without_a_price_is_named_once_however_often_it_is_called() {
        let totals = Totals::default();
        let call = |model: &str, usage: &Usage, status: &'static str| {
            let at = Timestamp::default();
            let (trace, span) = (TraceId::sequential(1), SpanId::sequential(1));
            let mut record = SpanRecord::new(trace, span, "chat", ObservationKind::Generation, at, at);
            record.attributes.set(semconv::REQUEST_MODEL, model.to_owned());
            record.attributes.set(semconv::COST_STATUS, Value::fixed(status));
            record.set_usage(usage);
            totals.add(&record);
        };
        let estimated = Usage { source: UsageSource::Estimated, ..Usage::new(7, 7) };
        call("new", &Usage::new(10, 1), "unknown_model");
        call("new", &Usage::new(10, 1), "unknown_model");
        call("silent", &Usage::default(), "no_usage");
        call("silent", &estimated, "no_usage");
        let totals = totals.get();
        assert_eq!(totals.unknown_models().collect::<Vec<_>>(), ["new"]);
        let total = totals.total();
        assert_eq!((total.calls, total.unpriced_calls, total.unknown_model_calls), (4, 4, 2));
        assert_eq!((total.input_tokens, total.output_tokens), (20, 2));
    }
}
