//! The notes beside the recordings of Bedrock's `InvokeModel`.

use serde_json::{Value, json};

/// What the notes state.
pub(crate) const FIELDS: [&str; 5] =
    ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_write_input_tokens", "status"];

/// The counts in the notes of `bedrock-invoke`, which are raw: those of the body, as each family names them.
pub(crate) fn counts(expected: &Value) -> Value {
    let (raw, event) = (&expected["usage_raw"], &expected["last_event"]);
    let metrics = &event["amazon-bedrock-invocationMetrics"];
    // Some counts are written as `3.0`.
    let whole = |count: &Value| count.to_string().trim_end_matches(".0").parse::<u64>().ok();
    let first = |counts: &[&Value]| counts.iter().find_map(|count| whole(count));
    let input = first(&[
        &raw["input_tokens"],
        &raw["inputTokens"],
        &expected["inputTextTokenCount"],
        &metrics["inputTokenCount"],
        &event["inputTextTokenCount"],
    ]);
    let header =
        expected["header:x-amzn-bedrock-output-token-count"].as_str().and_then(|count| count.parse().ok());
    let output = first(&[
        &raw["output_tokens"],
        &raw["outputTokens"],
        &metrics["outputTokenCount"],
        &event["totalOutputTextTokenCount"],
    ]);
    json!({
        "input_tokens": input,
        "output_tokens": output.or(header.filter(|_| input.is_some())),
        "cache_read_input_tokens": raw["cacheReadInputTokenCount"],
        "cache_write_input_tokens": raw["cacheWriteInputTokenCount"],
    })
}
