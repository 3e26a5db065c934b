//! Counts that cannot be: a usage that states a negative one is not to be trusted.

use serde_json::Value;

/// Where bodies state their usage.
const USAGES: [&str; 3] = ["usage", "usageMetadata", "usage_metadata"];

/// Deepest level of a usage that is looked at.
const MAX_DEPTH: usize = 4;

/// Whether a body states a negative count.
pub(super) fn has_negative_count(body: &Value) -> bool {
    USAGES.iter().filter_map(|key| body.get(key)).any(|usage| is_negative(usage, MAX_DEPTH))
}

fn is_negative(value: &Value, depth: usize) -> bool {
    match value {
        Value::Number(number) => number.as_i64().is_some_and(i64::is_negative),
        Value::Object(fields) if depth > 0 => fields.values().any(|value| is_negative(value, depth - 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read_response;
    use crate::UsageStatus;

    #[test]
    fn a_negative_count_makes_the_usage_invalid() {
        let check = |usage: serde_json::Value, status| {
            let choices = [json!({"index": 0, "message": {"role": "assistant", "content": "Hi"}})];
            let body = json!({"model": "gpt-4o-mini", "choices": choices, "usage": usage});
            assert_eq!(read_response(&body).unwrap().usage.status, status, "{body}");
        };
        check(json!({"prompt_tokens": 3, "completion_tokens": 1}), UsageStatus::Complete);
        check(json!({"prompt_tokens": -3, "completion_tokens": 1}), UsageStatus::Invalid);
        let details = json!({"cached_tokens": -1});
        check(
            json!({"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": details}),
            UsageStatus::Invalid,
        );
    }
}
