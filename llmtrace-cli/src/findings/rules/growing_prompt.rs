//! Prompts that grow from call to call without bound.

use std::collections::BTreeMap;

use llmtrace::ObservationKind;

use crate::findings::baseline::Baseline;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::growth::{self, Growth};
use crate::findings::rule::{About, Rule};
use crate::findings::trace::{Node, Trace};
use crate::unit::Unit;

/// Prompts that grow from call to call without bound: in the loop of an agent, or over the traces of a session.
#[derive(Debug)]
pub(crate) struct GrowingPrompt;

/// Input tokens of all calls beyond which it matters more.
const MANY_TOKENS: u64 = 1_000_000;

impl Rule for GrowingPrompt {
    fn name(&self) -> &'static str {
        "growing-prompt"
    }

    fn about(&self) -> &'static str {
        "prompts that grow from call to call without bound"
    }

    fn judge(&self, trace: &Trace<'_>, _: &Baseline) -> Vec<Finding> {
        let mut loops: BTreeMap<_, Vec<(&Node<'_>, u64)>> = BTreeMap::new();
        for node in trace.generations() {
            let Some(tokens) = node.usage.input_tokens else { continue };
            let agent = trace.above(node).find(|above| above.span.kind == ObservationKind::Agent);
            let agent = agent.map(|agent| agent.span.span_id);
            loops.entry((agent, &node.key)).or_default().push((node, tokens));
        }
        let grown = loops.values().filter_map(|calls| {
            let tokens: Vec<u64> = calls.iter().map(|(_, tokens)| *tokens).collect();
            let (growth, (last, _)) = (growth::of(&tokens)?, calls.last()?);
            Some(Finding::of_span(self, said(&growth), last.span, "", evidence(&growth, "calls of a loop")))
        });
        grown.collect()
    }

    fn judge_window(&self, baseline: &Baseline) -> Vec<Finding> {
        let grown = baseline.sessions().all().into_iter().filter_map(|(session, turns)| {
            let tokens: Vec<u64> = turns.iter().map(|turn| turn.input_tokens).collect();
            let (growth, last) = (growth::of(&tokens)?, turns.last()?);
            let about = About {
                name: Some(&last.name),
                service: last.service.as_deref(),
                model: last.model.as_deref(),
                key: session,
            };
            let evidence = evidence(&growth, &format!("traces of session {session:?}"));
            Some(Finding::of_many(self, said(&growth), about, last.seen, evidence))
        });
        grown.collect()
    }
}

fn said(growth: &Growth) -> (Severity, String) {
    let severity = if growth.sum >= MANY_TOKENS { Severity::Warning } else { Severity::Info };
    (severity, format!("prompt grew to {} times the first", growth.last / growth.first.max(1)))
}

fn evidence(growth: &Growth, over: &str) -> Evidence {
    let shown = |count: u64| Unit::Tokens.shown(count as f64);
    let sentence = format!(
        "input tokens rose from {} to {} over {} {over}, by {} each; {} were read in all",
        shown(growth.first),
        shown(growth.last),
        growth.calls,
        Unit::Tokens.shown(growth.step.round()),
        shown(growth.sum),
    );
    let high = (growth.first * growth::MIN_TIMES) as f64;
    Evidence {
        value: growth.last as f64,
        unit: Unit::Tokens,
        expected: Some(Expected { low: growth.first as f64, high }),
        sample: growth.calls as u64,
        is_guess: false,
        sentence,
    }
}
