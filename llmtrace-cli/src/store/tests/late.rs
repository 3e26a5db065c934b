//! Spans that come late, twice, or in any order.

use fastrand::Rng;
use llmtrace::{Message, ObservationKind as Kind, SpanRecord, Timestamp, semconv};

use super::support::{Scratch, span, span_id, trace, trace_id};
use crate::store::filter::{Sort, TraceFilter};
use crate::store::list::list;
use crate::store::row::{TraceRow, TraceStatus};
use crate::store::stats::{StatsBy, stats};
use crate::store::trace::{load, record, records};

/// All rows, without what tells when they came.
fn rows(scratch: &Scratch) -> Vec<TraceRow> {
    let page =
        scratch.store.read(|conn| list(conn, &TraceFilter::default(), Sort::Newest, None, 500)).unwrap();
    let plain = |row: TraceRow| {
        let (mut models, mut tags) = (row.models, row.tags);
        models.sort_unstable();
        tags.sort_unstable();
        TraceRow { id: 0, change: 0, models, tags, ..row }
    };
    page.traces.into_iter().map(plain).collect()
}

#[test]
fn the_order_in_which_spans_come_changes_nothing() {
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let spans: Vec<SpanRecord> = (0..25).flat_map(|number| trace(&mut rng, number)).collect();
        let at_once = Scratch::new();
        at_once.store.write(spans.clone()).unwrap();
        at_once.is_sound();
        let mut mixed = spans.clone();
        rng.shuffle(&mut mixed);
        let in_pieces = Scratch::new();
        for piece in mixed.chunks(rng.usize(1..9)) {
            let receipt = in_pieces.store.write(piece.to_vec()).unwrap();
            assert_eq!((receipt.new, receipt.merged, receipt.repeated), (piece.len() as u64, 0, 0));
        }
        in_pieces.is_sound();
        assert_eq!(rows(&at_once), rows(&in_pieces), "seed {seed}");
        let again = in_pieces.store.write(spans.clone()).unwrap();
        assert_eq!((again.new, again.merged, again.repeated), (0, 0, spans.len() as u64));
        in_pieces.is_sound();
        for expected in &spans {
            let read = |conn: &_| record(conn, expected.trace_id, expected.span_id);
            assert_eq!(in_pieces.store.read(read).unwrap().as_ref(), Some(expected));
        }
    }
}

#[test]
fn a_running_span_is_replaced_by_the_ended_one() {
    let scratch = Scratch::new();
    let mut child = span(1, 1, Some(0), Kind::Generation, (5, 10));
    child.end = Timestamp::from_unix_nanos(0);
    child.input = vec![Message::user("ping")];
    scratch.store.write(vec![child.clone()]).unwrap();
    let of_trace = |scratch: &Scratch| scratch.store.read(|conn| load(conn, trace_id(1))).unwrap().unwrap();
    let running = of_trace(&scratch);
    assert_eq!((running.row.status, running.row.has_root), (TraceStatus::Running, false));
    let mut ended = span(1, 1, Some(0), Kind::Generation, (5, 10));
    ended.output = vec![Message::assistant("pong")];
    let receipt = scratch.store.write(vec![ended, span(1, 0, None, Kind::Agent, (0, 30))]).unwrap();
    assert_eq!((receipt.new, receipt.merged), (1, 1));
    // The running one once more, late.
    let late = scratch.store.write(vec![child.clone()]).unwrap();
    assert_eq!(late.repeated, 1);
    let whole = of_trace(&scratch);
    assert_eq!((whole.row.status, whole.row.spans, whole.row.calls), (TraceStatus::Ok, 2, 1));
    assert_eq!(whole.spans.iter().map(|span| span.span_id).collect::<Vec<_>>(), [span_id(0), span_id(1)]);
    let found = scratch.store.read(|conn| record(conn, trace_id(1), span_id(1))).unwrap().unwrap();
    assert_eq!((found.input, found.output), (child.input, vec![Message::assistant("pong")]));
    scratch.is_sound();
}

#[test]
fn calls_count_for_the_user_that_their_trace_names() {
    let scratch = Scratch::new();
    let of_user = |user: &str, mut span: SpanRecord| {
        span.attributes.set(semconv::USER_ID, user.to_owned());
        span
    };
    scratch.store.write(vec![span(1, 1, Some(0), Kind::Generation, (5, 10))]).unwrap();
    scratch.store.write(vec![of_user("ben", span(1, 2, Some(0), Kind::Generation, (15, 10)))]).unwrap();
    scratch.store.write(vec![of_user("ana", span(1, 0, None, Kind::Agent, (0, 30)))]).unwrap();
    scratch.is_sound();
    let groups = scratch.store.read(|conn| stats(conn, StatsBy::User, None, None)).unwrap();
    let mut found: Vec<_> = groups.into_iter().map(|group| (group.key, group.sums.calls)).collect();
    found.sort();
    assert_eq!(found, [(Some("ana".to_owned()), 1), (Some("ben".to_owned()), 1)]);
}

#[test]
fn large_traces_are_read_in_order_and_in_pieces() {
    let scratch = Scratch::new();
    let spans: Vec<SpanRecord> = (0..300)
        .map(|id| {
            let mut span = span(1, id, (id > 0).then(|| id - 1), Kind::Generation, (1_000 - id, 5));
            span.input = vec![Message::user(format!("{id} ").repeat(10_000))];
            span
        })
        .collect();
    for piece in spans.chunks(100) {
        scratch.store.write(piece.to_vec()).unwrap();
    }
    let mut found = Vec::new();
    scratch
        .store
        .read(|conn| {
            records(conn, trace_id(1), &mut |span| {
                found.push(span);
                Ok(())
            })
        })
        .unwrap();
    let expected: Vec<_> = spans.into_iter().rev().collect();
    assert!(found == expected);
    scratch.is_sound();
}
