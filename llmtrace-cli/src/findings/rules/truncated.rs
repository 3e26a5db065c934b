//! Answers that were cut off because they were too long.

use llmtrace::{Value, semconv};

use crate::findings::baseline::Baseline;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::finish;
use crate::findings::rule::Rule;
use crate::findings::trace::{Node, Trace};
use crate::unit::Unit;

/// Answers that were cut off because they were too long.
#[derive(Debug)]
pub(crate) struct Truncated;

/// Limits up to this many tokens are meant to cut: one word of an answer is asked for.
const MEANT_TOKENS: u64 = 16;

impl Rule for Truncated {
    fn name(&self) -> &'static str {
        "truncated"
    }

    fn about(&self) -> &'static str {
        "answers that were cut off because they were too long"
    }

    fn judge(&self, trace: &Trace<'_>, _: &Baseline) -> Vec<Finding> {
        trace.generations().filter_map(|node| judge(self, node)).collect()
    }
}

fn judge(rule: &Truncated, node: &Node<'_>) -> Option<Finding> {
    let reason = finish::reasons(node.span).into_iter().find(|reason| finish::is_cut(reason))?;
    let limit = node.span.attributes.get(semconv::REQUEST_MAX_TOKENS).and_then(Value::as_count);
    if limit.is_some_and(|limit| limit <= MEANT_TOKENS) {
        return None;
    }
    let tokens = node.usage.output_tokens;
    let said = |what: &str, count: Option<u64>| {
        count.map(|count| format!(", {what} {}", Unit::Tokens.shown(count as f64))).unwrap_or_default()
    };
    let reasoning = node.usage.reasoning_tokens.filter(|count| *count > 0);
    let sentence = format!(
        "it ended with {reason:?}{}{}{}",
        said("after output tokens", tokens),
        said("of them reasoning", reasoning),
        said("the request allows", limit),
    );
    let is_all_reasoning =
        reasoning.is_some() && node.span.output.iter().all(|message| message.text().trim().is_empty());
    let title = if is_all_reasoning { "reasoning took all tokens of the answer" } else { "answer cut off" };
    let evidence = Evidence {
        value: tokens.unwrap_or_default() as f64,
        unit: Unit::Tokens,
        expected: limit.map(|limit| Expected { low: 0.0, high: limit as f64 }),
        sample: 1,
        is_guess: false,
        sentence,
    };
    let severity = if is_all_reasoning { Severity::Warning } else { Severity::Info };
    Some(Finding::of_span(rule, (severity, title.to_owned()), node.span, "", evidence))
}
