//! Counts that no provider stated, from the texts of the call.

use crate::tokens::{self, TokenCount};
use crate::{Part, SpanRecord, UsageSource, Value, semconv};

/// Fills in what was not stated. The status stands: it says what the provider stated, and such counts are not
/// priced.
pub(super) fn fill(record: &mut SpanRecord) {
    if !record.kind.is_model_call() || record.status.is_error() {
        return;
    }
    let mut usage = record.usage();
    if usage.input_tokens.is_some() && usage.output_tokens.is_some() {
        return;
    }
    let model = record.model().unwrap_or_default();
    let mut estimated = Vec::new();
    let mut note = |slot: &mut Option<u64>, key: &'static str, count: Option<TokenCount>| {
        if let (None, Some(count)) = (&slot, count) {
            *slot = Some(count.tokens);
            estimated.push(Value::fixed(key));
        }
    };
    if usage.input_tokens.is_none() {
        let count = tokens::count_input(model, &instructions(record), &record.input);
        note(&mut usage.input_tokens, semconv::USAGE_INPUT_TOKENS, count);
    }
    if usage.output_tokens.is_none() {
        let count = tokens::count_output(model, &record.output);
        note(&mut usage.output_tokens, semconv::USAGE_OUTPUT_TOKENS, count);
    }
    if !estimated.is_empty() {
        usage.source = UsageSource::Estimated;
        record.set_usage(&usage);
        record.attributes.set(semconv::USAGE_ESTIMATED, Value::Array(estimated));
    }
}

/// Instructions and tool definitions, as parts.
fn instructions(record: &SpanRecord) -> Vec<Part> {
    let json = |key| match record.attributes.get(key) {
        Some(Value::Json(json)) => Some(json.clone()),
        Some(Value::Str(text)) => serde_json::from_str(text).ok(),
        _ => None,
    };
    let system = json(semconv::SYSTEM_INSTRUCTIONS).and_then(|parts| serde_json::from_value(parts).ok());
    let mut parts: Vec<Part> = system.unwrap_or_default();
    parts.extend(json(semconv::TOOL_DEFINITIONS).map(Part::Other));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Message, ObservationKind, PriceOverrides, Rates, SpanId, Status, Timestamp, TraceId, Usage,
        UsageStatus,
    };

    fn call(kind: ObservationKind, usage: &Usage) -> SpanRecord {
        let at = Timestamp::default();
        let mut record = SpanRecord::new(TraceId::sequential(1), SpanId::sequential(1), "chat", kind, at, at);
        record.attributes.set(semconv::REQUEST_MODEL, "gpt-4o");
        record.input = vec![Message::user("tiktoken is great!")];
        record.output = vec![Message::assistant("tiktoken is great!")];
        record.set_usage(usage);
        record
    }

    #[test]
    fn only_what_nobody_stated_is_estimated() {
        let check = |usage: Usage, expected: (Option<u64>, Option<u64>), keys: &[&str]| {
            let status = usage.status;
            let mut record = call(ObservationKind::Generation, &usage);
            fill(&mut record);
            let found = record.usage();
            assert_eq!((found.input_tokens, found.output_tokens), expected, "{usage:?}");
            assert_eq!(found.status, status);
            assert_eq!(found.source == UsageSource::Estimated, !keys.is_empty());
            let named = match record.attributes.get(semconv::USAGE_ESTIMATED) {
                Some(Value::Array(named)) => named.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            assert_eq!(named, keys);
            // Never priced as if stated.
            record.reprice(&PriceOverrides::new().model("*", Rates::free()));
            assert_eq!(record.cost().is_some(), keys.is_empty());
        };
        let (input, output) = (semconv::USAGE_INPUT_TOKENS, semconv::USAGE_OUTPUT_TOKENS);
        let interrupted = Usage { status: UsageStatus::Interrupted, ..Usage::default() };
        check(Usage::new(5, 7), (Some(5), Some(7)), &[]);
        check(Usage::default(), (Some(13), Some(6)), &[input, output]);
        check(interrupted.clone(), (Some(13), Some(6)), &[input, output]);
        check(Usage { input_tokens: Some(9), ..interrupted.clone() }, (Some(9), Some(6)), &[output]);
        check(Usage { output_tokens: Some(1), ..interrupted }, (Some(13), Some(1)), &[input]);
    }

    #[test]
    fn only_calls_that_were_answered_are_estimated() {
        let check = |mut record: SpanRecord, expected: bool| {
            fill(&mut record);
            assert_eq!(record.usage().input_tokens.is_some(), expected);
        };
        check(call(ObservationKind::Generation, &Usage::default()), true);
        check(call(ObservationKind::Embedding, &Usage::default()), true);
        check(call(ObservationKind::Agent, &Usage::default()), false);
        let mut failed = call(ObservationKind::Generation, &Usage::default());
        failed.status = Status::error("rate limited");
        check(failed, false);
    }

    #[test]
    fn instructions_and_tools_are_input() {
        let mut record = call(ObservationKind::Generation, &Usage::default());
        let parts = serde_json::json!([{"type": "text", "content": "tiktoken is great!"}]);
        record.attributes.set(semconv::SYSTEM_INSTRUCTIONS, Value::Json(parts));
        fill(&mut record);
        assert_eq!(record.usage().input_tokens, Some(13 + 6 + 3));
        let mut offered = call(ObservationKind::Generation, &Usage::default());
        offered.attributes.set(semconv::TOOL_DEFINITIONS, Value::Json(serde_json::json!([{"name": "f"}])));
        fill(&mut offered);
        assert!(offered.usage().input_tokens > Some(13 + 3));
    }
}
