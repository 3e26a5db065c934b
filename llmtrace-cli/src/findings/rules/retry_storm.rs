//! Calls that were tried again and again after they had failed.

use std::collections::HashMap;
use std::time::Duration;

use llmtrace::{SpanRecord, semconv};

use crate::findings::baseline::Baseline;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::fingerprint;
use crate::findings::rule::Rule;
use crate::findings::trace::{Node, Trace};
use crate::unit::Unit;

/// Calls that were tried again and again after they had failed: one after another, with the same input, below the same
/// span; or as one span that holds its failures as events.
#[derive(Debug)]
pub(crate) struct RetryStorm;

/// Attempts that are too many. Clients try three times on their own.
const MIN_ATTEMPTS: usize = 4;

/// Attempts that do harm.
const HARMFUL_ATTEMPTS: usize = 10;

/// Attempts at one thing.
struct Run<'a> {
    first: &'a SpanRecord,
    last: &'a SpanRecord,
    input: Option<u64>,
    attempts: usize,
    failed: usize,
}

impl Rule for RetryStorm {
    fn name(&self) -> &'static str {
        "retry-storm"
    }

    fn about(&self) -> &'static str {
        "calls that were tried again and again after they had failed"
    }

    fn judge(&self, trace: &Trace<'_>, _: &Baseline) -> Vec<Finding> {
        let calls: Vec<_> = trace.calls().map(|node| node.span.start).collect();
        let mut runs: HashMap<_, Run<'_>> = HashMap::new();
        let mut done = Vec::new();
        for node in trace.spans() {
            let span = node.span;
            done.extend(within(node));
            let key = (node.parent, span.kind, &*span.name, span.model());
            let failed = span.status.is_error();
            if let Some(run) = runs.get_mut(&key) {
                // A tool that the model asked for again is no retry.
                let asked = calls.partition_point(|start| *start < run.last.end);
                let was_asked =
                    !node.is_counted && calls.get(asked).is_some_and(|start| *start <= span.start);
                let follows = run.last.status.is_error() && span.start >= run.last.end && !was_asked;
                if follows && fingerprint::of_input(span) == run.input {
                    run.last = span;
                    run.attempts += 1;
                    run.failed += usize::from(failed);
                    continue;
                }
            }
            if failed {
                let run = Run {
                    first: span,
                    last: span,
                    input: fingerprint::of_input(span),
                    attempts: 1,
                    failed: 1,
                };
                done.extend(runs.insert(key, run));
            }
        }
        done.extend(runs.into_values());
        let mut found: Vec<_> =
            done.iter().filter(|run| run.attempts >= MIN_ATTEMPTS).map(|run| run.finding(self)).collect();
        found.sort_by_key(|finding| (finding.time, finding.span_id));
        found
    }
}

/// The attempts that one span holds: each failure before the last is an event.
fn within<'a>(node: &Node<'a>) -> Option<Run<'a>> {
    let span = node.span;
    let failures = span.events.iter().filter(|event| event.name == semconv::EXCEPTION_EVENT).count();
    let failed = span.status.is_error();
    let attempts = if failed { failures } else { failures + 1 };
    (node.is_counted && attempts >= MIN_ATTEMPTS).then_some(Run {
        first: span,
        last: span,
        input: None,
        attempts,
        failed: failures,
    })
}

impl Run<'_> {
    fn finding(&self, rule: &RetryStorm) -> Finding {
        let attempts = self.attempts;
        let time: Duration = self.last.end.since(self.first.start);
        let end = if self.last.status.is_error() { "the last failed too" } else { "the last went well" };
        let kind = self.first.attributes.get_str(semconv::ERROR_TYPE);
        let kind = kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
        let sentence = format!(
            "{attempts} attempts within {}, {} of them failed{kind}; {end}",
            Unit::Ms.shown(time.as_secs_f64() * 1e3),
            self.failed
        );
        let evidence = Evidence {
            value: attempts as f64,
            unit: Unit::Count,
            expected: Some(Expected { low: 1.0, high: (MIN_ATTEMPTS - 1) as f64 }),
            sample: attempts as u64,
            is_guess: false,
            sentence,
        };
        let severity = if attempts >= HARMFUL_ATTEMPTS { Severity::Critical } else { Severity::Warning };
        Finding::of_span(rule, (severity, format!("tried {attempts} times")), self.first, "", evidence)
    }
}
