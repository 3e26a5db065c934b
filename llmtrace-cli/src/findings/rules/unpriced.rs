//! Calls of which nobody knows the cost.

use std::collections::BTreeMap;

use crate::findings::baseline::{Baseline, Seen};
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::rule::{About, Rule};
use crate::findings::summary::Gap;
use crate::unit::Unit;

/// Calls of which nobody knows the cost: their model has no known price, or their tokens are not stated.
#[derive(Debug)]
pub(crate) struct Unpriced;

/// Calls without tokens that are too many: so many, and this part of all.
const MIN_UNCOUNTED: u64 = 3;
const MIN_UNCOUNTED_PART: f64 = 0.02;

/// The calls of a model that have no cost.
struct Calls<'a> {
    count: u64,
    of: u64,
    first: Seen,
    service: Option<&'a str>,
}

impl Rule for Unpriced {
    fn name(&self) -> &'static str {
        "unpriced"
    }

    fn about(&self) -> &'static str {
        "calls of which nobody knows the cost"
    }

    fn judge_window(&self, baseline: &Baseline) -> Vec<Finding> {
        let groups = baseline.groups();
        let mut calls: BTreeMap<_, u64> = BTreeMap::new();
        for (key, group) in &groups {
            *calls.entry((key.provider.as_deref(), key.model.as_deref())).or_default() += group.calls;
        }
        let mut unpriced: BTreeMap<_, Calls<'_>> = BTreeMap::new();
        for (key, group) in &groups {
            let model = (key.provider.as_deref(), key.model.as_deref());
            for (gap, unknown) in &group.gaps {
                let of = calls.get(&model).copied().unwrap_or_default();
                let new = Calls { count: 0, of, first: unknown.first, service: group.service.as_deref() };
                let known = unpriced.entry((model, *gap)).or_insert(new);
                known.count += unknown.count;
                known.first = known.first.min(unknown.first);
            }
        }
        let found = unpriced.iter().filter_map(|((model, gap), calls)| judge(self, *model, *gap, calls));
        found.collect()
    }
}

fn judge(
    rule: &Unpriced,
    (provider, model): (Option<&str>, Option<&str>),
    gap: Gap,
    calls: &Calls<'_>,
) -> Option<Finding> {
    let part = calls.count as f64 / calls.of.max(1) as f64;
    if gap == Gap::Uncounted && (calls.count < MIN_UNCOUNTED || part < MIN_UNCOUNTED_PART) {
        return None;
    }
    let named = model.unwrap_or("a model that is not named");
    let (title, why) = match gap {
        Gap::UnknownModel => (format!("no price known for {named}"), "its price is not known"),
        Gap::Uncounted => (format!("tokens of {named} not counted"), "their tokens are not stated in full"),
    };
    let sentence = format!(
        "{} of {} calls have no cost, as {why}; sums of cost are lower bounds",
        Unit::Count.shown(calls.count as f64),
        Unit::Count.shown(calls.of as f64)
    );
    let evidence = Evidence {
        value: calls.count as f64,
        unit: Unit::Count,
        expected: Some(Expected { low: 0.0, high: 0.0 }),
        sample: calls.of,
        is_guess: false,
        sentence,
    };
    let severity = if part >= 0.1 { Severity::Warning } else { Severity::Info };
    let key = format!("{} {} {gap:?}", provider.unwrap_or_default(), model.unwrap_or_default());
    let about = About { name: None, service: calls.service, model, key: &key };
    Some(Finding::of_many(rule, (severity, title), about, calls.first, evidence))
}
