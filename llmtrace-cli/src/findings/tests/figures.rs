//! Outliers, bursts, caches and costs.

use llmtrace::{ObservationKind as Kind, SpanRecord, Usage, semconv};

use super::{call, failed, findings, found, span, usual};
use crate::findings::Severity;
use crate::unit::Unit;

/// Whether a call among 200 usual ones stands out, and as what.
fn check(odd: SpanRecord, expected: &[&str]) {
    let mut traces = usual(200);
    traces.push(vec![odd]);
    assert_eq!(found(&traces), expected);
}

#[test]
fn figures_far_from_the_others_stand_out() {
    check(call([900, 1, 0], [7_000, 7_500], [90_000, 100]), &["cost-outlier: cost 60 times the usual"]);
    check(
        call([900, 1, 0], [7_000, 40_000], [1_000, 100]),
        &["latency-outlier: duration 55 times the usual"],
    );
    // Twice the usual is no outlier, nor is ten times of next to nothing.
    check(call([900, 1, 0], [7_000, 8_200], [2_200, 100]), &[]);
    check(call([900, 1, 0], [7_000, 7_500], [1_000, 900]), &[]);
    // Of calls that failed, how long they took says nothing.
    check(failed(call([900, 1, 0], [7_000, 40_000], [1_000, 100])), &[]);
    // Without a cost, the tokens say so; a price that nobody knows stands out as well.
    let mut unpriced = call([900, 1, 0], [7_000, 7_500], [90_000, 100]);
    for key in [semconv::USAGE_COST, semconv::COST_PICO_USD] {
        unpriced.attributes.remove(key);
    }
    check(unpriced, &["token-outlier: input tokens 82 times the usual"]);
    // Of another name or model, there is nothing to compare it with.
    let mut other = call([900, 1, 0], [7_000, 40_000], [90_000, 100]);
    other.attributes.set(semconv::RESPONSE_MODEL, "gpt-4.1");
    check(other, &[]);
}

#[test]
fn the_first_chunk_may_be_late() {
    let streamed = |number: u64, seconds: f64| {
        let mut call = call([number, 1, 0], [number * 1_000, number * 1_000 + 9_000], [1_000, 100]);
        call.attributes.set(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, seconds);
        vec![call]
    };
    let mut traces: Vec<_> = (1..100).map(|number| streamed(number, 0.2 + number as f64 / 500.0)).collect();
    assert_eq!(found(&traces), [""; 0]);
    traces.push(streamed(100, 8.5));
    assert_eq!(found(&traces), ["slow-first-chunk: time to first chunk 28 times the usual"]);
}

#[test]
fn the_evidence_says_what_was_expected() {
    let mut traces = usual(200);
    traces.push(vec![call([900, 1, 0], [7_000, 7_500], [5_000_000, 100])]);
    let finding = findings(&traces).remove(0);
    let expected = finding.evidence.expected.unwrap();
    assert_eq!((finding.severity, finding.evidence.unit), (Severity::Critical, Unit::Usd));
    assert!((12.5..12.6).contains(&finding.evidence.value));
    assert!(expected.low > 0.003 && expected.high < 0.004, "{expected:?}");
    assert_eq!(finding.evidence.sample, 201);
    assert_eq!(finding.model.as_deref(), Some("gpt-4o"));
    assert_eq!(finding.service.as_deref(), Some("bot"));
    let sentence = &finding.evidence.sentence;
    assert!(sentence.starts_with("cost $12.50 where the median of 201 such spans is $0.00"), "{sentence}");
}

#[test]
fn few_spans_and_two_kinds_of_calls_have_no_outliers() {
    let mut few = usual(25);
    few.push(vec![call([900, 1, 0], [7_000, 90_000], [90_000, 100])]);
    assert_eq!(found(&few), [""; 0]);
    // One call in ten is of another kind.
    let mut mixed = usual(200);
    mixed.extend((0..20).map(|number| {
        vec![call([900 + number, 1, 0], [number * 9_000, number * 9_000 + 60_000], [90_000, 100])]
    }));
    assert_eq!(found(&mixed), [""; 0]);
}

#[test]
fn what_is_slow_below_explains_what_is_above() {
    let nested = |number: u64, ms: u64| {
        let start = number * 1_000;
        let ids = |id, parent| [number, id, parent];
        vec![
            span(Kind::Agent, "answer", ids(1, 0), [start, start + ms + 20]),
            span(Kind::Tool, "search", ids(2, 1), [start + 10, start + 10 + ms]),
        ]
    };
    let mut traces: Vec<_> = (1..100).map(|number| nested(number, 300 + number)).collect();
    traces.push(nested(100, 30_000));
    let findings = findings(&traces);
    let told: Vec<_> = findings.iter().map(|finding| (&*finding.rule, finding.name.as_deref())).collect();
    assert_eq!(told, [("latency-outlier", Some("search"))]);
}

#[test]
fn errors_that_come_together_are_a_burst() {
    // A call a second over an hour, of which some fail.
    let check = |fails: fn(u64) -> bool, expected: &[&str]| {
        let calls = (1..=3_600).map(|number| {
            let call = call([number, 1, 0], [number * 1_000, number * 1_000 + 500], [1_000, 100]);
            vec![if fails(number) { failed(call) } else { call }]
        });
        assert_eq!(found(&calls.collect::<Vec<_>>()), expected);
    };
    check(|_| false, &[]);
    check(|_| true, &[]);
    // One in fifty, spread out.
    check(|number| number.is_multiple_of(50), &[]);
    check(|number| number * 2_654_435_761 % 4_294_967_296 < 85_899_345, &[]);
    // Half of them for a minute and a half, in 45 calls.
    check(
        |number| (1_200..1_290).contains(&number) && number.is_multiple_of(2),
        &["error-burst: 50 % of gpt-4o failed for 1m 30s"],
    );
    // Too few to tell.
    check(|number| (1_200..1_204).contains(&number), &[]);
}

#[test]
fn errors_of_one_trace_are_no_burst() {
    let mut traces = usual(1_000);
    let tries =
        (1..=30).map(|id| failed(call([5_000, id, 0], [300_000 + id * 10, 300_005 + id * 10], [0, 0])));
    let tries: Vec<_> = tries
        .map(|mut call| {
            call.attributes.set(semconv::ARGUMENTS, call.span_id.to_string());
            call
        })
        .collect();
    traces.push(tries);
    assert_eq!(found(&traces), [""; 0]);
}

#[test]
fn a_cache_that_holds_less_is_a_regression() {
    let check = |parts: fn(u64) -> Option<f64>, expected: &[&str]| {
        let calls = (1..=400_u64).map(|number| {
            let mut call = call([number, 1, 0], [number * 10_000, number * 10_000 + 500], [1_000, 100]);
            if let Some(part) = parts(number) {
                let jitter = (number * 7_919 % 100) as f64 / 500.0;
                let cached = ((part + jitter) * 1_000.0).round();
                let cached = (0..=1_000).find(|tokens| f64::from(*tokens) >= cached).unwrap();
                call.set_usage(&Usage::new(1_000, 100).with_cache_read(u64::try_from(cached).unwrap()));
            }
            vec![call]
        });
        assert_eq!(found(&calls.collect::<Vec<_>>()), expected);
    };
    check(
        |number| Some(if number < 220 { 0.7 } else { 0.0 }),
        &["cache-drop: cached input fell from 80 % to 17 %"],
    );
    check(|_| Some(0.5), &[]);
    // It rose.
    check(|number| Some(if number < 220 { 0.0 } else { 0.7 }), &[]);
    // It fell by little.
    check(|number| Some(if number < 220 { 0.7 } else { 0.6 }), &[]);
    // Nobody says any more how much it is.
    check(|number| (number < 220).then_some(0.7), &[]);
}

#[test]
fn calls_without_a_cost_are_told_by_model() {
    let uncosted = |count: u64, status: &'static str, usage: Usage| {
        let mut traces = usual(100);
        traces.extend((0..count).map(|number| {
            let mut call =
                span(Kind::Generation, "chat", [900 + number, 1, 0], [number * 1_000, number * 1_000 + 500]);
            call.attributes.set(semconv::RESPONSE_MODEL, "ours");
            call.attributes.set(semconv::COST_STATUS, status);
            call.set_usage(&usage);
            vec![call]
        }));
        found(&traces)
    };
    assert_eq!(uncosted(1, "unknown_model", Usage::new(10, 10)), ["unpriced: no price known for ours"]);
    assert_eq!(uncosted(5, "no_usage", Usage::default()), ["unpriced: tokens of ours not counted"]);
    assert_eq!(uncosted(2, "no_usage", Usage::default()), [""; 0]);
}
