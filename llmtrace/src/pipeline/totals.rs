//! What the process has used so far.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::{SpanRecord, Usd};

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
    /// Input tokens of the calls that stated them.
    pub input_tokens: u64,
    /// Output tokens of the calls that stated them.
    pub output_tokens: u64,
    /// Cost of the calls that have one.
    pub cost: Usd,
    /// Calls that have no cost: the sum is a lower bound if there are any.
    pub unpriced_calls: u64,
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
        }
        total
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
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let model = record.model().unwrap_or("unknown");
        let is_known = totals.models.contains_key(model) || totals.models.len() < MAX_MODELS;
        let entry = totals.models.entry(if is_known { model } else { "other" }.to_owned()).or_default();
        entry.calls += 1;
        entry.errors += u64::from(record.status.is_error());
        entry.input_tokens = entry.input_tokens.saturating_add(usage.input_tokens.unwrap_or(0));
        entry.output_tokens = entry.output_tokens.saturating_add(usage.output_tokens.unwrap_or(0));
        entry.cost += cost.unwrap_or(Usd::ZERO);
        entry.unpriced_calls += u64::from(cost.is_none());
    }

    pub(super) fn get(&self) -> UsageTotals {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
