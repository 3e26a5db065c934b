//! Explanations in the trace of what they explain.

use llmtrace::{Message, SpanExt as _, semconv};
use tracing::Span;

use super::{Attribution, ExplainError, Faithfulness};

/// The method of an attribution.
pub const METHOD: &str = "llmtrace.explain.method";
/// What stood in place of masked parts.
pub const MASKING: &str = "llmtrace.explain.masking";
/// Where random choices began.
pub const SEED: &str = "llmtrace.explain.seed";
/// What the values say: [`Meaning::as_str`](super::Meaning::as_str).
pub const MEANING: &str = "llmtrace.explain.meaning";
/// The score with every part masked, where the method has it.
pub const BASE_VALUE: &str = "llmtrace.explain.base_value";
/// The score of the whole prompt.
pub const FULL_VALUE: &str = "llmtrace.explain.full_value";
/// What the values leave unexplained, where they share a change out.
pub const SUM_GAP: &str = "llmtrace.explain.sum_gap";
/// The values, in the order of the prompt.
pub const VALUES: &str = "llmtrace.explain.values";
/// How often the score function was called.
pub const CALLS: &str = "llmtrace.explain.calls";
/// Input tokens of these calls, which have spans and counts of their own.
pub const INPUT_TOKENS: &str = "llmtrace.explain.input_tokens";
/// Output tokens of these calls.
pub const OUTPUT_TOKENS: &str = "llmtrace.explain.output_tokens";
/// What these calls cost, in US dollars.
pub const USD: &str = "llmtrace.explain.cost_usd";

impl Attribution {
    /// Puts the attribution on an open span, such as that of the call that it explains: its figures as attributes
    /// `llmtrace.explain.*`. Texts of the prompt are not among them. Nothing happens where no `LlmLayer` sees the span.
    pub fn record_on(&self, span: &Span) {
        span.set_attribute(METHOD, &self.method);
        span.set_attribute(MASKING, self.masking.to_string());
        span.set_attribute(SEED, self.seed);
        span.set_attribute(MEANING, self.meaning.as_str());
        if let (Some(base_value), Some(gap)) = (self.base_value, self.sum_gap()) {
            span.set_attribute(BASE_VALUE, base_value);
            span.set_attribute(SUM_GAP, gap);
        }
        span.set_attribute(FULL_VALUE, self.full_value);
        span.set_attribute(VALUES, self.values());
        span.set_attribute(CALLS, self.spent.calls);
        if let Some(tokens) = self.spent.input_tokens {
            span.set_attribute(INPUT_TOKENS, tokens);
        }
        if let Some(tokens) = self.spent.output_tokens {
            span.set_attribute(OUTPUT_TOKENS, tokens);
        }
        if let Some(usd) = self.spent.usd {
            span.set_attribute(USD, usd);
        }
    }
}

impl Faithfulness {
    /// Puts the judgement on an open span, as scores `explain.*`.
    pub fn record_on(&self, span: &Span) {
        for (name, measure) in self.measures() {
            if let Some(value) = measure.value {
                span.score(format!("explain.{name}"), value);
            }
        }
    }
}

/// The span of an explanation by this method: a child of what it explains, or of the current span.
pub(super) fn explanation(explained: Option<&Span>, method: &str, prompt: &str) -> Span {
    let span = evaluator(explained, &format!("explain by {method}"));
    span.record_input(&[Message::user(prompt)]);
    span
}

/// The span of a judgement of an attribution by this method.
pub(super) fn judgement(explained: Option<&Span>, method: &str) -> Span {
    evaluator(explained, &format!("judge {method}"))
}

/// The span of a judgement about an answer: a child of what it explains, or of the current span.
pub(crate) fn evaluator(explained: Option<&Span>, name: &str) -> Span {
    if let Some(parent) = explained {
        llmtrace::evaluator!(parent: parent, "explain", { semconv::OTEL_NAME } = name)
    } else {
        llmtrace::evaluator!("explain", { semconv::OTEL_NAME } = name)
    }
}

/// What an explanation came to. Labels and texts are content, so they go where content goes, and not into errors.
pub(super) fn end(span: &Span, result: &Result<Attribution, ExplainError>) {
    match result {
        Ok(attribution) => {
            attribution.record_on(span);
            let json = serde_json::to_string(attribution).unwrap_or_default();
            span.record_output(&[Message::assistant(json)]);
        }
        Err(error) => fail(span, error),
    }
}

pub(super) fn fail(span: &Span, error: &ExplainError) {
    match error {
        ExplainError::Score { message, .. } => span.record_error(message),
        ExplainError::NotFinite { value, .. } => span.record_error(&format_args!("the score is {value}")),
        error => span.record_error(error),
    }
}
