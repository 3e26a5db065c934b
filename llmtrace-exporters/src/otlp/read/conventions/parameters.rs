//! The parameters of a call that came as one JSON object, under the names that providers give them.

use llmtrace::{Value, semconv};
use serde_json::Value as Json;

use super::draft::{As, Draft};
use crate::otlp::profile::parameters::{NAMES, SERVICE_TIER};

/// Further names of the same parameters.
const OTHERS: [(&str, &str); 8] = [
    ("max_completion_tokens", semconv::REQUEST_MAX_TOKENS),
    ("max_output_tokens", semconv::REQUEST_MAX_TOKENS),
    ("max_tokens_to_sample", semconv::REQUEST_MAX_TOKENS),
    ("maxOutputTokens", semconv::REQUEST_MAX_TOKENS),
    ("topP", semconv::REQUEST_TOP_P),
    ("topK", semconv::REQUEST_TOP_K),
    ("stop_sequences", semconv::REQUEST_STOP_SEQUENCES),
    ("model", semconv::REQUEST_MODEL),
];

/// Where a service tier may stand.
const TIERS: [&str; 4] = [
    semconv::OPENAI_RESPONSE_SERVICE_TIER,
    semconv::SERVICE_TIER,
    semconv::OPENAI_REQUEST_SERVICE_TIER,
    semconv::REQUEST_SERVICE_TIER,
];

/// Reads the object that stands under `key`. It is taken out where all of it is said under our names.
pub(super) fn read(draft: &mut Draft<'_>, key: &str) {
    let Some(value) = draft.received.take(key) else { return };
    let mut is_said = false;
    if let Some(Value::Json(Json::Object(members))) = draft.read_as(&value, As::Json) {
        is_said = true;
        for (name, member) in members {
            is_said &= self::member(draft, &name, member);
        }
    }
    if !is_said {
        draft.received.put(key, value);
    }
}

/// Says one parameter. Whether that is now said.
pub(super) fn member(draft: &mut Draft<'_>, name: &str, member: Json) -> bool {
    if member.is_null() {
        return true;
    }
    if name == SERVICE_TIER {
        let tier = member.as_str().unwrap_or_default();
        if TIERS.iter().any(|key| draft.known_text(key) == Some(tier)) {
            return true;
        }
        let is_openai = draft.known_text(semconv::PROVIDER_NAME) == Some("openai");
        let [_, _, openai, other] = TIERS;
        return draft.offer(if is_openai { openai } else { other }, member);
    }
    let ours = NAMES.iter().find(|(_, known)| *known == name).map(|(slot, _)| slot.key());
    let ours = ours.or_else(|| OTHERS.iter().find(|(known, _)| *known == name).map(|(_, ours)| *ours));
    let Some(ours) = ours else { return false };
    let value = match (ours, member) {
        // One sequence may stand for a list of one.
        (semconv::REQUEST_STOP_SEQUENCES, Json::String(text)) => Value::from([text]),
        (semconv::REQUEST_TEMPERATURE | semconv::REQUEST_TOP_P, Json::String(text)) => {
            text.parse().map_or_else(|_| Value::from(text), Value::Float)
        }
        (_, member) => Value::from(member),
    };
    draft.offer(ours, value)
}
