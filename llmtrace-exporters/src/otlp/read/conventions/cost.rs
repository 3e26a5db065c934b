//! What a call cost, where its sender says so.

use llmtrace::{CostSource, Usd, Value, semconv};
use serde_json::Value as Json;

use super::draft::{Draft, number};

/// The whole, the input's share and the output's, in US dollars.
pub(super) type Dollars = [Option<f64>; 3];

/// Says what a call cost. Whether that is now said.
pub(super) fn offer(draft: &mut Draft<'_>, [total, input, output]: Dollars) -> bool {
    let Some(total) = total.or_else(|| Some(input? + output?)) else { return false };
    let mut is_said = draft.offer(semconv::USAGE_COST, total);
    for (key, share) in [(semconv::COST_INPUT, input), (semconv::COST_OUTPUT, output)] {
        if let Some(share) = share {
            is_said &= draft.offer(key, share);
        }
    }
    is_said
}

/// Reads an object with shares of the cost, named as `names` says: the whole, the input's, the output's. Whether all of it
/// is said.
pub(super) fn object(draft: &mut Draft<'_>, json: &Json, names: [&str; 3]) -> bool {
    let Some(members) = json.as_object() else { return false };
    let dollars = names.map(|name| members.get(name).cloned().map(Value::from).as_ref().and_then(number));
    offer(draft, dollars) && members.keys().all(|key| names.contains(&key.as_str()))
}

/// A cost that is stated is the provider's, as far as is known.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let stated = draft.known(semconv::USAGE_COST).and_then(number).and_then(Usd::from_f64);
    let is_explained = draft.known(semconv::COST_SOURCE).is_some();
    let Some(cost) = stated.filter(|_| !is_explained) else { return };
    draft.offer(semconv::COST_PICO_USD, cost.pico());
    draft.offer(semconv::COST_SOURCE, CostSource::Provider.as_str());
    draft.offer(semconv::COST_STATUS, "provider_cost");
}
