//! Calls in which the model or its provider refused to answer.

use llmtrace::{Message, Part, Role, SpanRecord, semconv};

use crate::findings::baseline::Baseline;
use crate::findings::finding::{Evidence, Finding, Severity};
use crate::findings::finish;
use crate::findings::rule::Rule;
use crate::findings::trace::Trace;
use crate::unit::Unit;

/// Calls in which the model or its provider refused to answer: as the provider says, or, as a guess, as the first words of
/// the answer say.
#[derive(Debug)]
pub(crate) struct Refusal;

/// How a refusal was told.
enum Told<'a> {
    Reason(&'a str),
    Block(&'a str),
    Part,
    Words(&'static str),
}

/// What refusals begin with, in lower case. What may as well begin an answer ("Sorry for the delay") is not among them.
const OPENINGS: [&str; 20] = [
    "i can't assist with",
    "i can't help with",
    "i can't provide",
    "i cannot assist with",
    "i cannot help with",
    "i cannot provide",
    "i cannot comply",
    "i can't comply",
    "i'm not able to help with",
    "i'm not able to assist",
    "i am not able to help with",
    "i'm unable to assist",
    "i'm unable to help with",
    "i am unable to assist",
    "i won't be able to help with",
    "i'm sorry, but i can't",
    "i'm sorry, but i cannot",
    "i'm sorry, i can't",
    "i apologize, but i cannot",
    "i apologize, but i can't",
];

/// Characters of an answer that are looked at.
const OPENING_CHARS: usize = 60;

impl Rule for Refusal {
    fn name(&self) -> &'static str {
        "refusal"
    }

    fn about(&self) -> &'static str {
        "calls in which the model or its provider refused to answer"
    }

    fn judge(&self, trace: &Trace<'_>, _: &Baseline) -> Vec<Finding> {
        let refused = trace.generations().filter_map(|node| Some((node, told(node.span)?)));
        refused.map(|(node, told)| finding(self, node.span, &told)).collect()
    }
}

fn told(span: &SpanRecord) -> Option<Told<'_>> {
    if let Some(reason) = finish::reasons(span).into_iter().find(|reason| finish::is_refusal(reason)) {
        return Some(Told::Reason(reason));
    }
    if let Some(reason) = span.attributes.get_str(semconv::BLOCK_REASON) {
        return Some(Told::Block(reason));
    }
    let parts = || span.output.iter().flat_map(|message| &message.parts);
    let is_refusal = |part: &Part| matches!(part, Part::Other(json) if json.get("type").is_some_and(|kind| kind == "refusal"));
    if parts().any(is_refusal) {
        return Some(Told::Part);
    }
    span.output.iter().find_map(opening).map(Told::Words)
}

/// The words with which an answer refuses.
fn opening(message: &Message) -> Option<&'static str> {
    if message.role != Role::Assistant
        || message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }))
    {
        return None;
    }
    let text = message.parts.iter().find_map(|part| match part {
        Part::Text { content } => Some(content.trim_start()),
        _ => None,
    })?;
    let start: String =
        text.chars().take(OPENING_CHARS).collect::<String>().to_lowercase().replace('\u{2019}', "'");
    OPENINGS.into_iter().find(|opening| start.starts_with(opening))
}

fn finding(rule: &Refusal, span: &SpanRecord, told: &Told<'_>) -> Finding {
    let (title, sentence) = match told {
        Told::Reason(reason) => ("refused", format!("it ended with {reason:?}")),
        Told::Block(reason) => ("prompt blocked", format!("the provider blocked the prompt: {reason:?}")),
        Told::Part => ("refused", "the answer is marked as a refusal".to_owned()),
        Told::Words(words) => {
            ("perhaps refused", format!("the answer begins with {words:?}, which is a guess"))
        }
    };
    let is_guess = matches!(told, Told::Words(_));
    let severity = if is_guess { Severity::Info } else { Severity::Warning };
    let evidence = Evidence { value: 1.0, unit: Unit::Count, expected: None, sample: 1, is_guess, sentence };
    Finding::of_span(rule, (severity, title.to_owned()), span, "", evidence)
}
