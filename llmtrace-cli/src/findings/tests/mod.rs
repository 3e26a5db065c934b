//! What the rules find, and what they leave alone.

mod contents;
mod figures;
mod loops;
mod traffic;

use std::sync::Arc;

use llmtrace::{
    Cost, CostSource, ObservationKind as Kind, Resource, SpanId, SpanRecord, Status, Timestamp, TraceId,
    Usage, Usd, semconv,
};

use super::{Analyst, Baseline, Finding, SpanSummary, sort};

/// 2026-11-20T12:00:00Z in milliseconds.
const NOON: u64 = 1_795_176_000_000;

/// A span of a trace: its number, its parent's (0 is none), and when it starts and ends in milliseconds after noon.
fn span(kind: Kind, name: &str, [trace, id, parent]: [u64; 3], [start, end]: [u64; 2]) -> SpanRecord {
    let at = |ms: u64| Timestamp::from_unix_nanos((NOON + ms) * 1_000_000);
    let span_id = |id: u64| SpanId::from_bytes(id.to_be_bytes());
    let trace_id = TraceId::from_bytes(u128::from(trace).to_be_bytes()).unwrap();
    let mut span = SpanRecord::new(trace_id, span_id(id).unwrap(), name.to_owned(), kind, at(start), at(end));
    span.parent_span_id = span_id(parent);
    span.status = Status::Ok;
    let mut resource = Resource::default();
    resource.attributes.set(semconv::SERVICE_NAME, "bot");
    span.resource = Arc::new(resource);
    span
}

/// A call of gpt-4o with so many input and output tokens, for $2.50 and $10.00 a million.
fn call(ids: [u64; 3], times: [u64; 2], [input, output]: [u64; 2]) -> SpanRecord {
    let mut span = span(Kind::Generation, "chat", ids, times);
    span.attributes.set(semconv::PROVIDER_NAME, "openai");
    span.attributes.set(semconv::RESPONSE_MODEL, "gpt-4o");
    span.set_usage(&Usage::new(input, output));
    let pico = i128::from(input) * 2_500_000 + i128::from(output) * 10_000_000;
    span.set_cost(&Cost::new(Usd::from_pico(pico), CostSource::Bundled));
    span
}

fn failed(mut span: SpanRecord) -> SpanRecord {
    span.status = Status::error("429");
    span.attributes.set(semconv::ERROR_TYPE, "rate_limit");
    span
}

/// What is found in traces, as rule and title, the worst first.
fn found(traces: &[Vec<SpanRecord>]) -> Vec<String> {
    let told = findings(traces).into_iter().map(|finding| format!("{}: {}", finding.rule, finding.title));
    told.collect()
}

fn findings(traces: &[Vec<SpanRecord>]) -> Vec<Finding> {
    let mut baseline = Baseline::default();
    for trace in traces {
        baseline.learn_spans(trace);
    }
    let analyst = Analyst::new();
    let mut found = analyst.judge_window(&baseline);
    found.extend(traces.iter().flat_map(|trace| analyst.judge(trace, &baseline)));
    sort(&mut found);
    found
}

/// So many traces with one call each, one a second: of 1,000 to 1,190 tokens, 500 to 690 ms.
fn usual(count: u64) -> Vec<Vec<SpanRecord>> {
    let call = |number: u64| {
        let (start, more) = (number * 1_000, number * 7 % 20 * 10);
        vec![call([number + 1, 1, 0], [start, start + 500 + more], [1_000 + more, 100])]
    };
    (0..count).map(call).collect()
}

#[test]
fn usual_traffic_is_left_alone() {
    assert_eq!(found(&usual(200)), [""; 0]);
    assert_eq!(found(&[]), [""; 0]);
    assert_eq!(found(&[vec![]]), [""; 0]);
}

#[test]
fn the_same_is_found_under_the_same_id() {
    let mut traces = usual(100);
    traces.push(vec![call([900, 1, 0], [50_000, 50_600], [90_000, 100])]);
    let once = findings(&traces);
    assert_eq!(once.len(), 1);
    assert_eq!(once.first().unwrap().id.len(), 16);
    traces.reverse();
    assert_eq!(findings(&traces), once);
    // JSON keeps all of it.
    let json = serde_json::to_string(&once).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Finding>>(&json).unwrap(), once);
}

#[test]
fn spans_of_all_times_take_bounded_memory() {
    let mut baseline = Baseline::default();
    for number in 1..=300_000_u64 {
        let mut one = span(Kind::Span, "step", [number, 1, 0], [0, 1]);
        one.start = Timestamp::from_unix_nanos(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        baseline.learn(&[SpanSummary::of(&one)]);
    }
    let buckets: usize = baseline.groups().iter().map(|(_, group)| group.timeline.len()).sum();
    assert!(buckets <= super::timeline::MAX_BUCKETS, "{buckets}");
    assert_eq!(baseline.spans(), 300_000);
}

#[test]
fn a_trace_of_any_shape_is_judged() {
    // Deep, wide, and in circles of parents.
    for parent in [|id: u64| id - 1, |_| 1, |id: u64| id, |id: u64| id % 50_000 + 1] {
        let trace: Vec<_> =
            (1..=50_000).map(|id| call([1, id, parent(id)], [id, id + 5], [100, 10])).collect();
        let analyst = Analyst::new();
        let mut baseline = Baseline::default();
        baseline.learn_spans(&trace);
        assert_eq!(analyst.judge(&trace, &baseline), []);
    }
}
