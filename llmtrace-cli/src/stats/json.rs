//! The sums as JSON.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::By;
use super::group::{Group, Sorted};
use super::quantiles::Quantiles;
use crate::failure::Failure;
use crate::spans::Tally;

#[derive(Serialize)]
struct Report {
    by: &'static str,
    groups: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<Sums>,
    total: Sums,
    spans: u64,
    skipped_lines: u64,
}

/// A group under the name of what it is told apart by.
struct Named {
    by: &'static str,
    key: Option<Box<str>>,
    sums: Sums,
}

#[derive(Serialize)]
struct Sums {
    calls: u64,
    errors: u64,
    unpriced: u64,
    unpriced_reasons: Reasons,
    uncounted: u64,
    estimated: u64,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    cost_usd: Option<Box<RawValue>>,
    cost_is_lower_bound: bool,
    latency_ms: Option<Percentiles>,
    first_chunk_ms: Option<Percentiles>,
}

struct Reasons(Vec<(&'static str, u64)>);

/// Milliseconds.
#[derive(Serialize)]
struct Percentiles {
    count: u64,
    p50: f64,
    p95: f64,
    p99: f64,
}

/// One JSON object on one line.
pub(super) fn text(sorted: Sorted, by: By, tally: &Tally) -> Result<String, Failure> {
    let named = |(key, group)| Named { by: by.name(), key, sums: Sums::of(group) };
    let report = Report {
        by: by.name(),
        groups: sorted.groups.into_iter().map(named).collect(),
        others: sorted.others.map(Sums::of),
        total: Sums::of(sorted.total),
        spans: tally.spans,
        skipped_lines: tally.skipped,
    };
    let text = serde_json::to_string(&report).map_err(|error| Failure::Wrong(error.to_string()))?;
    Ok(text + "\n")
}

impl Sums {
    fn of(mut group: Group) -> Self {
        let reasons = group.unpriced.iter().map(|(reason, count)| (reason.name(), *count)).collect();
        Self {
            calls: group.calls,
            errors: group.errors,
            unpriced: group.unpriced(),
            unpriced_reasons: Reasons(reasons),
            uncounted: group.uncounted,
            estimated: group.estimated,
            input_tokens: group.tokens.input,
            output_tokens: group.tokens.output,
            cache_read_tokens: group.tokens.cache_read,
            cache_write_tokens: group.tokens.cache_write,
            reasoning_tokens: group.tokens.reasoning,
            // All its digits, and no exponent.
            cost_usd: group.cost.and_then(|cost| RawValue::from_string(cost.to_string()).ok()),
            cost_is_lower_bound: group.is_cost_lower_bound(),
            latency_ms: Percentiles::of(&mut group.latency),
            first_chunk_ms: Percentiles::of(&mut group.first_chunk),
        }
    }
}

impl Percentiles {
    fn of(nanos: &mut Quantiles) -> Option<Self> {
        let count = nanos.count();
        let [p50, p95, p99] = nanos.at([50, 95, 99])?.map(|nanos| nanos as f64 / 1e6);
        Some(Self { count, p50, p95, p99 })
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'a> {
            #[serde(flatten)]
            key: std::collections::BTreeMap<&'static str, &'a Option<Box<str>>>,
            #[serde(flatten)]
            sums: &'a Sums,
        }
        Flat { key: [(self.by, &self.key)].into(), sums: &self.sums }.serialize(serializer)
    }
}

impl Serialize for Reasons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (reason, count) in &self.0 {
            map.serialize_entry(reason, count)?;
        }
        map.end()
    }
}
