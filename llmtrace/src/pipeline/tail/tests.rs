//! Bounds that take many traces to reach.

use super::early::MAX_PARTS as MAX_EARLY;
use super::*;
use crate::{ObservationKind, Status};

const MIB: usize = 1024 * 1024;

fn span(trace: u64, id: u64, root: u64, status: Status) -> Ended {
    let (at, kind) = (Timestamp::default(), ObservationKind::Generation);
    let mut record = SpanRecord::new(TraceId::sequential(trace), SpanId::sequential(id), "x", kind, at, at);
    record.status = status;
    Ended { record, root: SpanId::sequential(root), cost: Usd::ZERO }
}

fn tail(queue_bytes: usize) -> Tail {
    Tail::new(Sampler::never().keep_errors(), Clock::system(), queue_bytes)
}

fn counts(tail: &mut Tail) -> (usize, usize) {
    let Verdicts { kept, dropped } = std::mem::take(tail.verdicts());
    (kept.len(), dropped.len())
}

#[test]
fn traces_that_are_held_are_bounded_in_number() {
    let mut tail = tail(400 * MIB);
    for trace in 1..=MAX_PARTS as u64 {
        tail.take(span(trace, 2, 1, Status::Ok));
    }
    assert_eq!(counts(&mut tail), (0, 0));
    // Trace 1 has a newer span than trace 2.
    tail.take(span(1, 3, 1, Status::error("boom")));
    tail.take(span(20_000, 2, 1, Status::Ok));
    assert_eq!(counts(&mut tail), (0, 1));
    tail.take(span(1, 1, 1, Status::Ok));
    assert_eq!(counts(&mut tail), (3, 0));
    assert_eq!(tail.held.len(), MAX_PARTS - 1);
    assert_eq!(tail.order.len(), tail.held.len());
}

#[test]
fn a_large_trace_does_not_displace_the_others() {
    let mut tail = tail(4 * MIB);
    tail.take(span(1, 2, 1, Status::Ok));
    let mut bytes = 0;
    for id in 2..10_000 {
        tail.take(span(2, id, 1, Status::Ok));
        bytes = tail.bytes().max(bytes);
    }
    assert!(bytes < MIB / 4 + MIB / 8, "{bytes}");
    assert!(tail.held.contains_key(&(TraceId::sequential(1), SpanId::sequential(1))));
}

#[test]
fn what_is_remembered_of_early_judgements_is_bounded_and_leaves_no_orphan() {
    let mut tail = tail(400 * MIB);
    let traces = 3 * MAX_EARLY as u64;
    let mut kept = Vec::new();
    for trace in 1..=traces {
        let status = if trace.is_multiple_of(2) { Status::error("boom") } else { Status::Ok };
        tail.take(span(trace, 2, 1, status));
        tail.judge_all();
        kept.extend(std::mem::take(tail.verdicts()).kept);
        assert!(tail.early.len() <= 3 * MAX_EARLY);
    }
    assert_eq!(
        kept.len(),
        MAX_EARLY,
        "further ones are dropped, as nothing could be promised of their parents"
    );
    for trace in 1..=traces {
        tail.take(span(trace, 1, 1, Status::Ok));
    }
    let roots = std::mem::take(tail.verdicts()).kept;
    let traces = |spans: &[SpanRecord]| spans.iter().map(|span| span.trace_id).collect::<Vec<_>>();
    assert_eq!(traces(&roots), traces(&kept));
    assert_eq!((tail.early.len(), tail.bytes(), tail.order.len()), (0, 0, 0));
}
