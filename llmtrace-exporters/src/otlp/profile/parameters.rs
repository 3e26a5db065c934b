//! The parameters of a call as one JSON object, which several backends want.

use llmtrace::Value;

use super::object::Object;
use crate::jsonl::encode;
use crate::otlp::facts::Facts;
use crate::otlp::facts::slot::Slot;

/// The parameters under the names that providers give them.
pub(in crate::otlp) const NAMES: [(Slot, &str); 12] = [
    (Slot::MaxTokens, "max_tokens"),
    (Slot::Temperature, "temperature"),
    (Slot::TopP, "top_p"),
    (Slot::TopK, "top_k"),
    (Slot::FrequencyPenalty, "frequency_penalty"),
    (Slot::PresencePenalty, "presence_penalty"),
    (Slot::StopSequences, "stop"),
    (Slot::Seed, "seed"),
    (Slot::ChoiceCount, "n"),
    (Slot::ReasoningLevel, "reasoning_effort"),
    (Slot::Stream, "stream"),
    (Slot::Speed, "speed"),
];

/// The name of the service tier.
pub(in crate::otlp) const SERVICE_TIER: &str = "service_tier";

/// Whether any parameter is known.
pub(super) fn is_known(span: &Facts<'_>) -> bool {
    span.service_tier().is_some() || NAMES.iter().any(|(slot, _)| span.value(*slot).is_some())
}

/// Writes the parameters, and the service tier that was served, as a JSON object.
pub(super) fn write(span: &Facts<'_>, out: &mut Vec<u8>) {
    let tier = span.service_tier().map(|tier| (SERVICE_TIER, Known::Text(tier)));
    let known = NAMES.iter().filter_map(|(slot, name)| Some((*name, Known::Value(span.value(*slot)?))));
    let mut object = Object::begin(out);
    for (name, value) in known.chain(tier) {
        let out = object.member(name);
        match value {
            Known::Value(value) => encode::value(value, 1, out),
            Known::Text(text) => encode::string(text, out),
        }
    }
    object.end();
}

enum Known<'a> {
    Value(&'a Value),
    Text(&'a str),
}
