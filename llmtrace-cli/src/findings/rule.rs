//! What a rule is.

use std::borrow::Cow;
use std::fmt::Debug;

use llmtrace::{SpanRecord, TraceId};

use super::baseline::{Baseline, Seen};
use super::finding::{Evidence, Finding, Severity};
use super::trace::Trace;

/// One kind of finding.
pub(crate) trait Rule: Debug + Sync {
    /// What it is called, such as `tool-loop`.
    fn name(&self) -> &'static str;

    /// What it finds, in a few words.
    fn about(&self) -> &'static str;

    /// What stands out in a trace.
    fn judge(&self, _trace: &Trace<'_>, _baseline: &Baseline) -> Vec<Finding> {
        Vec::new()
    }

    /// What stands out in all that was learned.
    fn judge_window(&self, _baseline: &Baseline) -> Vec<Finding> {
        Vec::new()
    }
}

/// Whom a finding is about, where that is more than one span.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) service: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    /// What tells it from other findings of the rule.
    pub(super) key: &'a str,
}

impl Finding {
    /// Something about a span; `detail` tells findings of one rule about one span apart.
    pub(super) fn of_span(
        rule: &dyn Rule,
        (severity, title): (Severity, String),
        span: &SpanRecord,
        detail: &str,
        evidence: Evidence,
    ) -> Self {
        Self {
            id: id(rule.name(), Some(span.trace_id), &[&span.span_id.to_string(), detail]),
            rule: Cow::Borrowed(rule.name()),
            severity,
            title,
            trace_id: Some(span.trace_id),
            span_id: Some(span.span_id),
            name: Some(span.name.to_string()),
            service: span.resource.service_name().map(str::to_owned),
            model: span.model().map(str::to_owned),
            time: span.start,
            evidence,
        }
    }

    /// Something about many spans, of which `seen` is the one to look at.
    pub(super) fn of_many(
        rule: &dyn Rule,
        (severity, title): (Severity, String),
        about: About<'_>,
        seen: Seen,
        evidence: Evidence,
    ) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            id: id(rule.name(), None, &[about.key]),
            rule: Cow::Borrowed(rule.name()),
            severity,
            title,
            trace_id: Some(seen.trace_id),
            span_id: Some(seen.span_id),
            name: owned(about.name),
            service: owned(about.service),
            model: owned(about.model),
            time: seen.time,
            evidence,
        }
    }
}

/// 16 hex digits: the FNV-1a hash (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>) of what tells a finding
/// from others, the same on every machine.
fn id(rule: &str, trace_id: Option<TraceId>, parts: &[&str]) -> String {
    let trace = trace_id.map(|id| id.to_string()).unwrap_or_default();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in [rule, &trace].iter().chain(parts) {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}
