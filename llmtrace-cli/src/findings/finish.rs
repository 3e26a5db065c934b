//! Why a call ended.

use llmtrace::{SpanRecord, Value, semconv};

/// The words for why a call ended: those of its messages, else those that its provider said of the response.
pub(super) fn reasons(span: &SpanRecord) -> Vec<&str> {
    let said: Vec<&str> = span.output.iter().filter_map(|message| message.finish_reason.as_deref()).collect();
    if !said.is_empty() {
        return said;
    }
    match span.attributes.get(semconv::RESPONSE_FINISH_REASONS) {
        Some(Value::Str(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(Value::Json(serde_json::Value::Array(words))) => {
            words.iter().filter_map(serde_json::Value::as_str).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the output was cut off because it was too long.
pub(super) fn is_cut(reason: &str) -> bool {
    const WORDS: [&str; 7] = [
        "length",
        "max_tokens",
        "max_output_tokens",
        "max_length",
        "model_length",
        "model_context_window_exceeded",
        "error_limit",
    ];
    WORDS.iter().any(|word| reason.eq_ignore_ascii_case(word))
}

/// Whether the provider or the model refused to answer.
pub(super) fn is_refusal(reason: &str) -> bool {
    const WORDS: [&str; 13] = [
        "content_filter",
        "content_filtered",
        "refusal",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "image_safety",
        "guardrail_intervened",
        "sensitive",
        "error_toxic",
        "blocked",
    ];
    WORDS.iter().any(|word| reason.eq_ignore_ascii_case(word))
}
