//! Prompts that a cache held before, and holds no longer.

use crate::findings::baseline::{Baseline, Group};
use crate::findings::chance;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::rule::{About, Rule};
use crate::findings::summary::Key;
use crate::findings::timeline::Bucket;
use crate::unit::Unit;

/// Prompts that a cache held before, and holds no longer: the part of the input that was read from a cache, in the mean of
/// the calls, fell from the first half of them to the second.
///
/// It fell where Welch's statistic `(m1 - m2) / sqrt(v1 / n1 + v2 / n2)` ("The generalization of Student's problem", 1947)
/// is at least [`MIN_SCORE`], and by enough to matter.
#[derive(Debug)]
pub(crate) struct CacheDrop;

/// Calls that each half must have.
const MIN_CALLS: u64 = 30;
const MIN_SCORE: f64 = 5.0;
/// The part of the input that must have been cached before.
const MIN_BEFORE: f64 = 0.2;
/// By how much it must have fallen.
const MIN_FALL: f64 = 0.2;

impl Rule for CacheDrop {
    fn name(&self) -> &'static str {
        "cache-drop"
    }

    fn about(&self) -> &'static str {
        "prompts that a cache held before, and holds no longer"
    }

    fn judge_window(&self, baseline: &Baseline) -> Vec<Finding> {
        let groups = baseline.groups();
        groups.into_iter().filter_map(|(key, group)| judge(self, key, group)).collect()
    }
}

fn judge(rule: &CacheDrop, key: &Key, group: &Group) -> Option<Finding> {
    let calls: u64 = group.timeline.buckets().map(|(_, bucket)| bucket.cacheable).sum();
    let (mut before, mut after) = (Bucket::default(), Bucket::default());
    for (_, bucket) in group.timeline.buckets() {
        let half = if before.cacheable * 2 < calls { &mut before } else { &mut after };
        half.add(bucket);
    }
    if before.cacheable < MIN_CALLS || after.cacheable < MIN_CALLS {
        return None;
    }
    let of = |half: &Bucket| chance::mean_and_variance(half.cacheable, half.cached_sum, half.cached_squares);
    let ((was, was_variance), (is, is_variance)) = (of(&before)?, of(&after)?);
    let error = (was_variance / before.cacheable as f64 + is_variance / after.cacheable as f64).sqrt();
    let score = (was - is) / error.max(1e-9);
    if was < MIN_BEFORE || was - is < MIN_FALL || score < MIN_SCORE {
        return None;
    }
    let share = |part: f64| Unit::Share.shown(part);
    let sentence = format!(
        "of the input, {} was read from a cache in the first {} calls and {} in the {} after them (Welch's statistic {}, from {MIN_SCORE:.0} on it stands out)",
        share(was),
        Unit::Count.shown(before.cacheable as f64),
        share(is),
        Unit::Count.shown(after.cacheable as f64),
        if score > 1e3 { "over 1,000".to_owned() } else { format!("{score:.1}") },
    );
    let evidence = Evidence {
        value: is,
        unit: Unit::Share,
        expected: Some(Expected { low: was, high: 1.0 }),
        sample: calls,
        is_guess: false,
        sentence,
    };
    let severity = if is < was / 4.0 { Severity::Warning } else { Severity::Info };
    let title = format!("cached input fell from {} to {}", share(was), share(is));
    let (model, provider) = (key.model.as_deref(), key.provider.as_deref().unwrap_or_default());
    let told = format!("{provider} {} {}", model.unwrap_or_default(), key.name);
    let about = About { name: Some(&key.name), service: group.service.as_deref(), model, key: &told };
    let (_, seen) = after.least_cached?;
    Some(Finding::of_many(rule, (severity, title), about, seen, evidence))
}
