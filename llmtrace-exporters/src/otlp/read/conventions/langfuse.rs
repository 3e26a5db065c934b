//! Langfuse's SDKs (<https://langfuse.com/integrations/native/opentelemetry>, "Property Mapping").

use llmtrace::{ObservationKind, Status, Timestamp, Value, semconv};
use serde_json::Value as Json;

use super::draft::{As, Draft, Name, number};
use super::{cost, metadata, parameters, said, usage};

const KINDS: [(&str, ObservationKind); 10] = [
    ("generation", ObservationKind::Generation),
    ("embedding", ObservationKind::Embedding),
    ("agent", ObservationKind::Agent),
    ("tool", ObservationKind::Tool),
    ("chain", ObservationKind::Workflow),
    ("retriever", ObservationKind::Retriever),
    ("evaluator", ObservationKind::Evaluator),
    ("guardrail", ObservationKind::Guardrail),
    ("span", ObservationKind::Span),
    ("event", ObservationKind::Span),
];

const NAMES: &[Name] = &[
    ("langfuse.observation.prompt.name", semconv::PROMPT_NAME, As::Text),
    ("langfuse.observation.prompt.version", semconv::PROMPT_VERSION, As::Any),
    ("langfuse.trace.tags", semconv::TAGS, As::Texts),
    ("langfuse.tags", semconv::TAGS, As::Texts),
];

const TYPE: &str = "langfuse.observation.type";
const MODEL: &str = "langfuse.observation.model.name";
const USAGE: &str = "langfuse.observation.usage_details";
const COST: &str = "langfuse.observation.cost_details";
const FIRST: &str = "langfuse.observation.completion_start_time";
const LEVEL: &str = "langfuse.observation.level";
const MESSAGE: &str = "langfuse.observation.status_message";
const ENVIRONMENT: &str = "langfuse.environment";

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    if !draft.received.has_below("langfuse.") {
        return;
    }
    kind(draft);
    draft.rename(NAMES);
    parameters::read(draft, "langfuse.observation.model.parameters");
    model(draft);
    details(draft, USAGE, counts);
    details(draft, COST, dollars);
    first_content(draft);
    level(draft);
    said::input(draft, "langfuse.observation.input");
    said::output(draft, "langfuse.observation.output");
    said::input(draft, "langfuse.trace.input");
    said::output(draft, "langfuse.trace.output");
    for prefix in ["langfuse.observation.metadata.", "langfuse.trace.metadata."] {
        metadata::unquote_below(draft, prefix);
        metadata::read_below(draft, prefix);
    }
    if let Some(environment) = draft.received.text(ENVIRONMENT).filter(|name| *name != "default") {
        draft.environment = Some(environment.to_owned());
    }
}

fn kind(draft: &mut Draft<'_>) {
    let stated = draft.received.text(TYPE);
    let kind = KINDS.iter().find(|(name, _)| stated == Some(name)).map(|(_, kind)| *kind);
    if let Some(kind) = kind {
        draft.offer_kind(kind);
        if draft.kind == Some(kind) {
            draft.received.take(TYPE);
        }
    }
}

/// The model: whichever of the two names is known or free.
fn model(draft: &mut Draft<'_>) {
    let Some(model) = draft.received.text(MODEL).map(str::to_owned) else { return };
    let is_known = draft.known_text(semconv::RESPONSE_MODEL) == Some(model.as_str());
    if is_known || draft.offer(semconv::REQUEST_MODEL, model) {
        draft.received.take(MODEL);
    }
}

/// Reads the JSON object that stands under `key`.
fn details(draft: &mut Draft<'_>, key: &str, read: fn(&mut Draft<'_>, &Json) -> bool) {
    let Some(value) = draft.received.take(key) else { return };
    let json = draft.read_as(&value, As::Json);
    let is_said = matches!(&json, Some(Value::Json(json)) if read(draft, json));
    if !is_said {
        draft.received.put(key, value);
    }
}

/// Exclusive buckets, which add up to inclusive totals; or a provider's own object.
fn counts(draft: &mut Draft<'_>, json: &Json) -> bool {
    let Some(members) = json.as_object() else { return false };
    let is_bucket = |name: &str| {
        matches!(name, "input" | "output" | "total")
            || name.starts_with("input_") && !name.ends_with("_details")
            || name.starts_with("output_") && !name.ends_with("_details")
            || name.starts_with("cache_")
    };
    let is_of_a_provider = ["input_tokens", "prompt_tokens", "promptTokens", "inputTokens"]
        .iter()
        .any(|name| members.contains_key(*name));
    if is_of_a_provider {
        let plain = members.iter().filter(|(_, value)| !value.is_object());
        let mut is_said =
            usage::object(draft, &Json::Object(plain.map(|(k, v)| (k.clone(), v.clone())).collect()));
        for (name, value) in members {
            if let Some(details) = value.as_object() {
                is_said &= self::parts(draft, name, details);
            }
        }
        return is_said;
    }
    let mut sums = Buckets::default();
    for (name, value) in members {
        let count = Value::from(value.clone()).as_count();
        if let (true, Some(count)) = (is_bucket(name), count) {
            sums.add(name, count);
        }
    }
    let mut is_said =
        members.iter().all(|(name, value)| is_bucket(name) && (value.is_u64() || value.is_null()));
    for (key, count) in [
        (semconv::USAGE_INPUT_TOKENS, sums.input),
        (semconv::USAGE_OUTPUT_TOKENS, sums.output),
        (semconv::USAGE_TOTAL_TOKENS, sums.total),
        (semconv::USAGE_CACHE_READ_TOKENS, sums.read),
        (semconv::USAGE_CACHE_WRITE_TOKENS, sums.written),
        (semconv::USAGE_CACHE_WRITE_5M_TOKENS, sums.written_5m),
        (semconv::USAGE_CACHE_WRITE_1H_TOKENS, sums.written_1h),
        (semconv::USAGE_INPUT_AUDIO_TOKENS, sums.input_audio),
        (semconv::USAGE_OUTPUT_AUDIO_TOKENS, sums.output_audio),
        (semconv::USAGE_REASONING_TOKENS, sums.reasoning),
    ] {
        if let Some(count) = count {
            is_said &= draft.offer(key, count);
        }
    }
    is_said
}

/// The details that `OpenAI`'s usage object has.
fn parts(draft: &mut Draft<'_>, whole: &str, details: &serde_json::Map<String, Json>) -> bool {
    let is_input = whole.starts_with("prompt") || whole.starts_with("input");
    let mut is_said = true;
    for (name, value) in details {
        let key = match (is_input, name.as_str()) {
            (true, "cached_tokens") => semconv::USAGE_CACHE_READ_TOKENS,
            (true, "cache_write_tokens") => semconv::USAGE_CACHE_WRITE_TOKENS,
            (true, "audio_tokens") => semconv::USAGE_INPUT_AUDIO_TOKENS,
            (false, "reasoning_tokens") => semconv::USAGE_REASONING_TOKENS,
            (false, "audio_tokens") => semconv::USAGE_OUTPUT_AUDIO_TOKENS,
            (false, "accepted_prediction_tokens") => semconv::USAGE_ACCEPTED_PREDICTION_TOKENS,
            (false, "rejected_prediction_tokens") => semconv::USAGE_REJECTED_PREDICTION_TOKENS,
            _ => {
                is_said = false;
                continue;
            }
        };
        match value.as_u64() {
            Some(count) => is_said &= draft.offer(key, count),
            None => is_said &= value.is_null(),
        }
    }
    is_said
}

/// Sums of exclusive buckets.
#[derive(Default)]
struct Buckets {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    read: Option<u64>,
    written: Option<u64>,
    written_5m: Option<u64>,
    written_1h: Option<u64>,
    input_audio: Option<u64>,
    output_audio: Option<u64>,
    reasoning: Option<u64>,
}

impl Buckets {
    fn add(&mut self, name: &str, count: u64) {
        let has = |word: &str| name.contains(word);
        if name == "total" {
            return add(&mut self.total, count);
        }
        if name.starts_with("output") {
            add(&mut self.output, count);
            if has("reasoning") {
                add(&mut self.reasoning, count);
            } else if has("audio") {
                add(&mut self.output_audio, count);
            }
            return;
        }
        add(&mut self.input, count);
        if has("cache") && (has("creation") || has("write")) {
            add(&mut self.written, count);
            if name.ends_with("_5m") {
                add(&mut self.written_5m, count);
            } else if name.ends_with("_1h") {
                add(&mut self.written_1h, count);
            }
        } else if has("cache") {
            add(&mut self.read, count);
        } else if has("audio") {
            add(&mut self.input_audio, count);
        }
    }
}

fn add(sum: &mut Option<u64>, count: u64) {
    *sum = Some(sum.unwrap_or(0).saturating_add(count));
}

/// Shares of the cost by bucket.
fn dollars(draft: &mut Draft<'_>, json: &Json) -> bool {
    let Some(members) = json.as_object() else { return false };
    let mut shares = [None, None, None];
    for (name, value) in members {
        let Some(dollars) = number(&Value::from(value.clone())) else { continue };
        let place = match name.as_str() {
            "total" => 0,
            name if name.starts_with("output") => 2,
            _ => 1,
        };
        if let Some(share) = shares.get_mut(place) {
            *share = Some(share.unwrap_or(0.0) + dollars);
        }
    }
    cost::offer(draft, shares)
        && members.keys().all(|name| matches!(name.as_str(), "input" | "output" | "total"))
}

/// When the first content came, as a text that may be quoted.
fn first_content(draft: &mut Draft<'_>) {
    let text = draft.received.text(FIRST).map(|text| text.trim_matches('"'));
    let Some(first) = text.and_then(|text| text.parse::<Timestamp>().ok()) else { return };
    let seconds = first.since(draft.record.start).as_secs_f64();
    let stands = draft.known(semconv::RESPONSE_TIME_TO_FIRST_CHUNK).is_some();
    if !stands && first >= draft.record.start && draft.offer(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, seconds) {
        draft.received.take(FIRST);
    }
}

/// A level of ERROR is the only other word for a failure.
fn level(draft: &mut Draft<'_>) {
    match draft.received.text(LEVEL) {
        Some("ERROR") => {
            let message = draft.received.text(MESSAGE).unwrap_or_default().to_owned();
            match &draft.record.status {
                Status::Error { message: known } if *known == message => drop(draft.received.take(MESSAGE)),
                Status::Error { .. } => {}
                _ => {
                    draft.received.take(MESSAGE);
                    draft.record.status = Status::error(message);
                }
            }
            draft.received.take(LEVEL);
        }
        Some("DEFAULT") => drop(draft.received.take(LEVEL)),
        _ => {}
    }
}
