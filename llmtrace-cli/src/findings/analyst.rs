//! Who judges traces.

use llmtrace::SpanRecord;

use super::baseline::Baseline;
use super::finding::Finding;
use super::rule::Rule;
use super::rules::RULES;
use super::trace::Trace;

/// Judges traces by rules.
///
/// Learn each trace into a [`Baseline`] first ([`Baseline::learn`], [`SpanSummary`](super::SpanSummary)), then judge
/// traces one by one, in any order, at any time; what only shows in many traces together is told by
/// [`judge_window`](Self::judge_window).
#[derive(Clone, Debug)]
pub(crate) struct Analyst {
    rules: Vec<&'static dyn Rule>,
}

impl Analyst {
    /// Judges by every rule.
    pub(crate) fn new() -> Self {
        Self { rules: RULES.to_vec() }
    }

    /// Judges by the rules of these names.
    pub(crate) fn with_rules(names: &[String]) -> Self {
        let rules = RULES.iter().filter(|rule| names.iter().any(|name| name == rule.name()));
        Self { rules: rules.copied().collect() }
    }

    /// What stands out in one trace, worst first.
    pub(crate) fn judge(&self, trace: &[SpanRecord], baseline: &Baseline) -> Vec<Finding> {
        let trace = Trace::new(trace);
        let mut found = self.rules.iter().flat_map(|rule| rule.judge(&trace, baseline)).collect::<Vec<_>>();
        sort(&mut found);
        found
    }

    /// What stands out in all that was learned, worst first.
    pub(crate) fn judge_window(&self, baseline: &Baseline) -> Vec<Finding> {
        let mut found = self.rules.iter().flat_map(|rule| rule.judge_window(baseline)).collect::<Vec<_>>();
        sort(&mut found);
        found
    }
}

/// The worst first, and of those that are equally bad the latest.
pub(crate) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let by_severity = b.severity.cmp(&a.severity);
        by_severity.then(b.time.cmp(&a.time)).then_with(|| (&a.rule, &a.id).cmp(&(&b.rule, &b.id)))
    });
}
