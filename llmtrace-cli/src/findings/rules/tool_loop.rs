//! Agents that call the same tools with the same arguments over and over.

use std::collections::{BTreeMap, HashMap, HashSet};

use llmtrace::{ObservationKind, Part, SpanRecord, semconv};

use crate::findings::baseline::Baseline;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::fingerprint;
use crate::findings::rule::Rule;
use crate::findings::trace::{Node, Trace};
use crate::unit::Unit;

/// Agents that call the same tool with the same arguments over and over, or several in turn.
#[derive(Debug)]
pub(crate) struct ToolLoop;

/// Calls with the same arguments, or turns of a cycle, that are too many.
const MIN_TIMES: usize = 3;

/// How many that do harm.
const HARMFUL_TIMES: usize = 10;

/// The longest cycle that is looked for, in calls.
const MAX_PERIOD: usize = 4;

/// A call of a tool.
#[derive(Clone, Copy)]
struct Use<'a> {
    tool: &'a str,
    /// What tells the tool and its arguments.
    print: u64,
    /// What tells its result, where that is known.
    result: Option<u64>,
    span: &'a SpanRecord,
}

impl Rule for ToolLoop {
    fn name(&self) -> &'static str {
        "tool-loop"
    }

    fn about(&self) -> &'static str {
        "agents that call the same tools with the same arguments over and over"
    }

    fn judge(&self, trace: &Trace<'_>, _: &Baseline) -> Vec<Finding> {
        let mut by_agent: BTreeMap<_, Vec<Use<'_>>> = BTreeMap::new();
        let has_spans = trace.spans().any(|node| node.span.kind == ObservationKind::Tool);
        for node in trace.spans() {
            let uses = if has_spans { used(trace, node).into_iter().collect() } else { asked_for(node) };
            if !uses.is_empty() {
                let agent = trace.above(node).find(|above| above.span.kind == ObservationKind::Agent);
                by_agent.entry(agent.map(|agent| agent.span.span_id)).or_default().extend(uses);
            }
        }
        by_agent.values().flat_map(|uses| loops(self, uses)).collect()
    }
}

/// A span of a tool whose arguments are known; not one that was tried again because it had failed.
fn used<'a>(trace: &Trace<'a>, node: &Node<'a>) -> Option<Use<'a>> {
    let span = node.span;
    if span.kind != ObservationKind::Tool || (span.status.is_error() && trace.calls().next().is_none()) {
        return None;
    }
    let tool = span.attributes.get_str(semconv::TOOL_NAME).unwrap_or(&span.name);
    let print = fingerprint::named(tool, fingerprint::of_input(span)?);
    Some(Use { tool, print, result: fingerprint::of_output(span), span })
}

/// The tools that a model asked for, where they have no spans of their own.
fn asked_for<'a>(node: &Node<'a>) -> Vec<Use<'a>> {
    if !node.is_counted {
        return Vec::new();
    }
    let parts = node.span.output.iter().flat_map(|message| &message.parts);
    let calls = parts.filter_map(|part| match part {
        Part::ToolCall { name, arguments, .. } => Some((name, arguments)),
        _ => None,
    });
    let uses = calls.map(|(tool, arguments)| {
        let print = fingerprint::named(tool, fingerprint::of(arguments));
        Use { tool, print, result: None, span: node.span }
    });
    uses.collect()
}

fn loops(rule: &ToolLoop, uses: &[Use<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut told: HashSet<u64> = HashSet::new();
    for period in 2..=MAX_PERIOD {
        for cycle in cycles(uses, period) {
            let turn: Vec<_> = cycle.iter().take(period).collect();
            let prints: HashSet<_> = turn.iter().map(|used| used.print).collect();
            if prints.len() == period && turn.iter().all(|used| !told.contains(&used.print)) {
                told.extend(prints);
                found.extend(finding(rule, cycle, &turn, cycle.len() / period));
            }
        }
    }
    let mut same: HashMap<u64, Vec<Use<'_>>> = HashMap::new();
    for used in uses.iter().filter(|used| !told.contains(&used.print)) {
        same.entry(used.print).or_default().push(*used);
    }
    let mut same: Vec<_> = same.into_values().filter(|uses| uses.len() >= MIN_TIMES).collect();
    same.sort_by_key(|uses| uses.first().map(|used| (used.span.start, used.span.span_id, used.print)));
    found.extend(same.iter().filter_map(|uses| {
        let turn: Vec<_> = uses.iter().take(1).collect();
        finding(rule, uses, &turn, uses.len())
    }));
    found
}

/// The stretches in which each call is the same as that `period` calls before, for at least three turns.
fn cycles<'u, 'a>(uses: &'u [Use<'a>], period: usize) -> Vec<&'u [Use<'a>]> {
    let mut cycles = Vec::new();
    let mut start = 0;
    let later = uses.iter().skip(period).map(Some).chain([None]);
    for (place, (used, before)) in later.zip(uses.iter().map(Some).chain([None])).enumerate() {
        let same = used.zip(before).is_some_and(|(used, before)| used.print == before.print);
        if !same {
            if let Some(cycle) = uses.get(start..place + period)
                && cycle.len() >= MIN_TIMES * period
            {
                cycles.push(cycle);
            }
            start = place + 1;
        }
    }
    cycles
}

fn finding(rule: &ToolLoop, uses: &[Use<'_>], turn: &[&Use<'_>], times: usize) -> Option<Finding> {
    let (first, last) = (uses.first()?, uses.last()?);
    let results: HashSet<_> = uses.iter().map(|used| (used.print, used.result)).collect();
    let changes = results.len() > turn.len() && uses.iter().all(|used| used.result.is_some());
    let tools: Vec<_> = turn.iter().map(|used| used.tool).collect();
    let tools = tools.join(" → ");
    let severity = match (changes, times) {
        (true, _) => Severity::Info,
        (false, HARMFUL_TIMES..) => Severity::Critical,
        (false, _) => Severity::Warning,
    };
    let results = match (changes, first.result) {
        (true, _) => "the results differ, so it may be waiting for something",
        (false, Some(_)) => "the results are the same",
        (false, None) => "the results are not known",
    };
    let time = last.span.end.since(first.span.start);
    let sentence = format!(
        "{tools} with the same arguments {times} times within {}; {results}",
        Unit::Ms.shown(time.as_secs_f64() * 1e3)
    );
    let evidence = Evidence {
        value: times as f64,
        unit: Unit::Count,
        expected: Some(Expected { low: 1.0, high: (MIN_TIMES - 1) as f64 }),
        sample: uses.len() as u64,
        is_guess: false,
        sentence,
    };
    let title = if turn.len() > 1 {
        format!("{tools} in turn {times} times")
    } else {
        format!("{tools} {times} times alike")
    };
    let detail = format!("{:016x}", first.print);
    Some(Finding::of_span(rule, (severity, title), first.span, &detail, evidence))
}
