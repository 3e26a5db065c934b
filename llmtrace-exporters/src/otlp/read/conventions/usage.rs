//! Token counts in whatever meaning a sender gives them, as inclusive totals.

use llmtrace::{ObservationKind, Usage, UsageStatus, Value, semconv};
use serde_json::Value as Json;

use super::draft::{As, Draft, Name};

/// Counts of providers and SDKs as members of one object. Those of the input and of the output are inclusive totals, or
/// are made so by [`settle`].
const MEMBERS: &[Name] = &[
    ("input_tokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("prompt_tokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("inputTokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("promptTokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("output_tokens", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("completion_tokens", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("outputTokens", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("completionTokens", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("total_tokens", semconv::USAGE_TOTAL_TOKENS, As::Count),
    ("totalTokens", semconv::USAGE_TOTAL_TOKENS, As::Count),
    ("cache_read_input_tokens", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("cache_creation_input_tokens", semconv::USAGE_CACHE_WRITE_TOKENS, As::Count),
    ("cache_creation_input_tokens_above_1hr", semconv::USAGE_CACHE_WRITE_1H_TOKENS, As::Count),
];

/// Reads an object of counts. Whether all of it is said.
pub(super) fn object(draft: &mut Draft<'_>, json: &Json) -> bool {
    let Some(members) = json.as_object() else { return false };
    let mut is_said = true;
    for (name, value) in members {
        let known = MEMBERS.iter().find(|(known, ..)| known == name);
        let count = Value::from(value.clone()).as_count();
        is_said &= match (known, count) {
            _ if value.is_null() => true,
            (Some((_, ours, _)), Some(count)) => draft.offer(*ours, count),
            _ => false,
        };
    }
    is_said
}

/// Makes totals inclusive that leave out what was read from a cache or written to one, or the reasoning, as Anthropic's and
/// Google's APIs count. Nothing but the numbers tells it: a part is larger than its whole, or the stated total is the sum of
/// all of them.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let count = |key| draft.known(key).and_then(Value::as_count);
    let [input, output, total] =
        [semconv::USAGE_INPUT_TOKENS, semconv::USAGE_OUTPUT_TOKENS, semconv::USAGE_TOTAL_TOKENS].map(count);
    let [read, written, reasoning] = [
        semconv::USAGE_CACHE_READ_TOKENS,
        semconv::USAGE_CACHE_WRITE_TOKENS,
        semconv::USAGE_REASONING_TOKENS,
    ]
    .map(|key| count(key).unwrap_or(0));
    let cached = read.saturating_add(written);
    let is_total = |parts: [u64; 4]| total == Some(parts.into_iter().fold(0, u64::saturating_add));
    let (in_, out) = (input.unwrap_or(0), output.unwrap_or(0));
    let mut more = (0, 0);
    if cached > in_
        || cached > 0 && (is_total([in_, cached, out, 0]) || is_total([in_, cached, out, reasoning]))
    {
        more.0 = cached;
    }
    if reasoning > out
        || reasoning > 0 && (is_total([in_, 0, out, reasoning]) || is_total([in_, cached, out, reasoning]))
    {
        more.1 = reasoning;
    }
    for (key, whole, more) in
        [(semconv::USAGE_INPUT_TOKENS, input, more.0), (semconv::USAGE_OUTPUT_TOKENS, output, more.1)]
    {
        if let Some(whole) = whole.filter(|_| more > 0) {
            draft.correct(key, whole.saturating_add(more));
        }
    }
    status(draft);
}

/// Says how far the counts may be trusted where the counts themselves do not.
fn status(draft: &mut Draft<'_>) {
    if draft.known(semconv::USAGE_STATUS).is_some() {
        return;
    }
    let count = |key| draft.known(key).and_then(Value::as_count);
    let (input, output) = (count(semconv::USAGE_INPUT_TOKENS), count(semconv::USAGE_OUTPUT_TOKENS));
    let mut usage = Usage::default();
    (usage.input_tokens, usage.output_tokens) = (input, output);
    usage.cache_read_tokens = count(semconv::USAGE_CACHE_READ_TOKENS);
    usage.cache_write_tokens = count(semconv::USAGE_CACHE_WRITE_TOKENS);
    usage.reasoning_tokens = count(semconv::USAGE_REASONING_TOKENS);
    let is_embedding = draft.kind == Some(ObservationKind::Embedding);
    let status = match usage.checked().status {
        UsageStatus::Invalid => UsageStatus::Invalid,
        // It has no output.
        _ if is_embedding && input.is_some() && output.is_none() => UsageStatus::Complete,
        _ => return,
    };
    draft.added.set(semconv::USAGE_STATUS, Value::fixed(status.as_str()));
}
