//! Calls that went well and said nothing.

use llmtrace::{Message, Part, semconv};

use crate::findings::baseline::Baseline;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::finish;
use crate::findings::rule::Rule;
use crate::findings::trace::{Node, Trace};
use crate::unit::Unit;

/// Calls that went well and said nothing.
#[derive(Debug)]
pub(crate) struct EmptyOutput;

impl Rule for EmptyOutput {
    fn name(&self) -> &'static str {
        "empty-output"
    }

    fn about(&self) -> &'static str {
        "calls that went well and said nothing"
    }

    fn judge(&self, trace: &Trace<'_>, _: &Baseline) -> Vec<Finding> {
        trace.generations().filter_map(|node| judge(self, node)).collect()
    }
}

fn judge(rule: &EmptyOutput, node: &Node<'_>) -> Option<Finding> {
    let span = node.span;
    // Where content is left out, nothing can be told by it.
    let is_omitted = span.attributes.get(semconv::CONTENT_OMITTED).is_some();
    let says_nothing = !span.output.is_empty() && !is_omitted && span.output.iter().all(is_empty);
    let counts_nothing = span.output.is_empty() && node.usage.output_tokens == Some(0);
    let went_well = matches!(span.status.as_str(), "ok" | "unset");
    let is_told_otherwise =
        finish::reasons(span).into_iter().any(|reason| finish::is_cut(reason) || finish::is_refusal(reason));
    if !went_well || is_told_otherwise || !(says_nothing || counts_nothing) {
        return None;
    }
    let reason = finish::reasons(span).first().map(|reason| format!(", it ended with {reason:?}"));
    let tokens = node.usage.output_tokens;
    let counted = tokens.map(|count| format!(", output tokens {}", Unit::Tokens.shown(count as f64)));
    let sentence = format!(
        "the answer has no text, no tool call and no media{}{}",
        counted.unwrap_or_default(),
        reason.unwrap_or_default()
    );
    let evidence = Evidence {
        value: 0.0,
        unit: Unit::Count,
        expected: Some(Expected { low: 1.0, high: 1.0 }),
        sample: 1,
        is_guess: false,
        sentence,
    };
    Some(Finding::of_span(rule, (Severity::Warning, "empty answer".to_owned()), span, "", evidence))
}

fn is_empty(message: &Message) -> bool {
    message.parts.iter().all(|part| match part {
        Part::Text { content } => content.trim().is_empty(),
        Part::Reasoning { .. } => true,
        _ => false,
    })
}
