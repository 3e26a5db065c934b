//! Lists, searches and sums against plain ones.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use llmtrace::{
    Attributes, Event, ObservationKind as Kind, SpanRecord, Status, Timestamp, TraceId, Usd, semconv,
};
use rusqlite::Connection;

use super::support::{EPOCH, Scratch, span, span_id, trace, trace_id};
use crate::store::dashboard::{DashboardBy, DashboardQuery, GroupKey, dashboard};
use crate::store::facets::{Facet, values};
use crate::store::filter::{Sort, TraceFilter};
use crate::store::list::list;
use crate::store::row::{TraceRow, TraceStatus};
use crate::store::scores::{NewScore, ScoreSource, of_trace};
use crate::store::stats::{StatsBy, stats};
use crate::store::sums::Sums;
use crate::store::{sessions, trace::record};

/// A store of so many random traces.
fn filled(traces: u64) -> (Scratch, Vec<Vec<SpanRecord>>) {
    let mut rng = Rng::with_seed(traces);
    let all: Vec<_> = (0..traces).map(|number| trace(&mut rng, number)).collect();
    let scratch = Scratch::new();
    for some in all.chunks(7) {
        scratch.store.write(some.concat()).unwrap();
    }
    (scratch, all)
}

/// All traces of a list, page by page.
fn walked(scratch: &Scratch, filter: &TraceFilter, sort: Sort, limit: usize) -> Vec<TraceRow> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = scratch.store.read(|conn| list(conn, filter, sort, after, limit)).unwrap();
        assert!(page.traces.len() <= limit);
        found.extend(page.traces);
        after = page.after;
        if after.is_none() {
            return found;
        }
    }
}

#[test]
fn filters_find_what_a_plain_look_at_all_finds() {
    let (scratch, _) = filled(120);
    let all = walked(&scratch, &TraceFilter::default(), Sort::Newest, 500);
    assert_eq!(all.len(), 120);
    let check = |filter: TraceFilter, keeps: &dyn Fn(&TraceRow) -> bool| {
        let mut counts = BTreeSet::new();
        for sort in Sort::ALL {
            let mut expected: Vec<_> = all.iter().filter(|row| keeps(row)).collect();
            let key = |row: &TraceRow| match sort {
                Sort::Newest | Sort::Oldest => i128::from(row.start.unix_nanos()),
                Sort::Slowest => row.duration().as_nanos().cast_signed(),
                Sort::Costliest => row.cost.map_or(-1, Usd::pico),
                Sort::MostTokens => row.tokens.total().map_or(-1, i128::from),
            };
            expected.sort_by_key(|row| (key(row), row.id));
            if sort != Sort::Oldest {
                expected.reverse();
            }
            let found = walked(&scratch, &filter, sort, 7);
            let ids = |rows: &[&TraceRow]| rows.iter().map(|row| row.trace_id).collect::<Vec<TraceId>>();
            assert_eq!(ids(&found.iter().collect::<Vec<_>>()), ids(&expected), "{filter:?} {sort:?}");
            counts.insert(found.len());
        }
        assert!(counts.len() == 1);
        counts.pop_first().unwrap()
    };
    let text = |text: &str| Some(text.to_owned());
    let none = TraceFilter::default;
    let some = |count: usize| assert!((1..120).contains(&count), "{count}");
    some(check(TraceFilter { model: text("llama"), ..none() }, &|row| {
        row.models.contains(&"llama".to_owned())
    }));
    some(check(TraceFilter { session: text("session-2"), ..none() }, &|row| {
        row.session.as_deref() == Some("session-2")
    }));
    some(check(TraceFilter { service: text("web"), user: text("user-1"), ..none() }, &|row| {
        row.service.as_deref() == Some("web") && row.user.as_deref() == Some("user-1")
    }));
    some(check(TraceFilter { tag: text("beta"), ..none() }, &|row| row.tags.contains(&"beta".to_owned())));
    some(check(TraceFilter { status: Some(TraceStatus::Error), ..none() }, &|row| {
        row.status == TraceStatus::Error
    }));
    let least = Usd::from_pico(9_000_000_000);
    some(check(TraceFilter { min_cost: Some(least), ..none() }, &|row| row.cost >= Some(least)));
    some(check(TraceFilter { max_cost: Some(least), model: text("llama"), ..none() }, &|row| {
        row.cost.is_some_and(|cost| cost <= least) && row.models.contains(&"llama".to_owned())
    }));
    some(check(TraceFilter { min_tokens: Some(9_000), ..none() }, &|row| row.tokens.total() >= Some(9_000)));
    let long = Duration::from_secs(3);
    some(check(TraceFilter { min_duration: Some(long), ..none() }, &|row| row.duration() >= long));
    some(check(TraceFilter { max_duration: Some(long), ..none() }, &|row| row.duration() <= long));
    let time = Timestamp::from_unix_nanos(EPOCH + 300_000_000_000);
    some(check(TraceFilter { since: Some(time), ..none() }, &|row| row.start >= time));
    some(check(
        TraceFilter { until: Some(time), kind: Some(Kind::Tool), text: text("question"), ..none() },
        &|row| row.start < time && row.calls > 0 && has(&scratch, row.trace_id, Kind::Tool),
    ));
    some(check(TraceFilter { text: text("number17"), ..none() }, &|row| row.trace_id == trace_id(17)));
    check(none(), &|_| true);
    assert_eq!(check(TraceFilter { model: text("nobody's"), ..none() }, &|_| false), 0);
    assert_eq!(check(TraceFilter { text: text("nowhere"), ..none() }, &|_| false), 0);
}

fn has(scratch: &Scratch, trace: TraceId, kind: Kind) -> bool {
    let found = scratch.store.read(|conn| crate::store::trace::load(conn, trace)).unwrap().unwrap();
    found.spans.iter().any(|span| span.kind == kind)
}

#[test]
fn each_trace_is_seen_once_while_new_ones_come() {
    let (scratch, _) = filled(60);
    let (mut seen, mut after, mut next) = (Vec::new(), None, 60);
    let mut rng = Rng::with_seed(1);
    loop {
        let page =
            scratch.store.read(|conn| list(conn, &TraceFilter::default(), Sort::Newest, after, 8)).unwrap();
        seen.extend(page.traces.iter().map(|row| row.trace_id));
        scratch.store.write(trace(&mut rng, next)).unwrap();
        next += 1;
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..60).rev().map(trace_id).collect();
    assert_eq!(seen, expected);
}

#[test]
fn sums_are_those_of_the_traces() {
    let (scratch, _) = filled(90);
    scratch.is_sound();
    let all = walked(&scratch, &TraceFilter::default(), Sort::Newest, 500);
    let calls: u64 = all.iter().map(|row| row.calls).sum();
    let cost: Usd = all.iter().filter_map(|row| row.cost).sum();
    let is_all = |sums: &Sums| assert_eq!((sums.calls, sums.cost()), (calls, Some(cost)));
    let until = Timestamp::from_unix_nanos(EPOCH + 3_600_000_000_000);
    for by in [DashboardBy::Model, DashboardBy::Provider, DashboardBy::Service] {
        let (model, provider, service) = (None, None, None);
        let query =
            DashboardQuery { since: Timestamp::from_unix_nanos(EPOCH), until, by, model, provider, service };
        let found = scratch.store.read(|conn| dashboard(conn, &query)).unwrap();
        is_all(&found.total);
        let mut again = Sums::default();
        for point in &found.points {
            again.merge(point);
        }
        assert_eq!(again, found.total);
        let mut groups = Sums::default();
        for group in &found.groups {
            groups.merge(&group.total);
        }
        assert_eq!(groups, found.total);
        assert!(found.groups.iter().all(|group| group.points.len() == found.points.len()));
        assert!(found.groups.iter().all(|group| group.key != GroupKey::Others));
        assert_eq!(found.step, Duration::from_secs(60));
        let spent: Vec<_> = found.groups.iter().map(|group| group.total.cost()).collect();
        assert!(spent.is_sorted_by(|one, other| one >= other), "{spent:?}");
    }
    for by in [StatsBy::Model, StatsBy::Provider, StatsBy::Service, StatsBy::Day] {
        let found = scratch.store.read(|conn| stats(conn, by, None, None)).unwrap();
        let mut sums = Sums::default();
        for group in &found {
            sums.merge(&group.sums);
        }
        is_all(&sums);
    }
    let by_session = scratch.store.read(|conn| stats(conn, StatsBy::Session, None, None)).unwrap();
    for group in by_session {
        let of_session = all.iter().filter(|row| row.session == group.key);
        let expected: Usd = of_session.clone().filter_map(|row| row.cost).sum();
        assert_eq!(group.sums.cost(), Some(expected));
        let name = group.key.clone().unwrap();
        let session = scratch.store.read(|conn| sessions::load(conn, &name)).unwrap().unwrap();
        let starts: Vec<_> = of_session.clone().map(|row| row.start).collect();
        assert_eq!((Some(&session.first), Some(&session.last)), (starts.iter().min(), starts.iter().max()));
        let (rows, after) = scratch.store.read(|conn| sessions::traces(conn, &name, None, 5)).unwrap();
        let rest = scratch.store.read(|conn| sessions::traces(conn, &name, after, 500)).unwrap().0;
        assert_eq!(rows.iter().chain(&rest).count() as u64, session.traces);
        assert_eq!(rows.first().map(|row| row.start), Some(session.first));
    }
    let first = scratch.store.read(|conn| sessions::list(conn, None, 3)).unwrap();
    let rest = scratch.store.read(|conn| sessions::list(conn, first.after, 100)).unwrap();
    assert_eq!((first.sessions.len(), rest.sessions.len(), rest.after), (3, 2, None));
    let models = scratch.store.read(|conn| values(conn, Facet::Model, 2)).unwrap();
    let having = |model: &str| all.iter().filter(|row| row.models.contains(&model.to_owned())).count() as u64;
    assert!(models.len() == 2 && models.iter().all(|value| value.traces == having(&value.value)));
}

#[test]
fn a_score_can_be_added_and_found() {
    let scratch = Scratch::new();
    scratch
        .store
        .write(vec![span(1, 0, None, Kind::Agent, (0, 9)), span(2, 0, None, Kind::Agent, (0, 9))])
        .unwrap();
    let score = NewScore { name: "helpful".to_owned(), value: 0.7, comment: Some("nice".to_owned()) };
    let mut live = scratch.store.live();
    let before = *live.borrow_and_update();
    scratch.store.add_score(trace_id(1), span_id(0), score.clone()).unwrap();
    assert!(*live.borrow_and_update() > before);
    assert!(scratch.store.add_score(trace_id(1), span_id(5), score).is_err());
    let found = scratch.store.read(|conn| of_trace(conn, trace_id(1))).unwrap();
    assert_eq!((found.len(), found[0].source, found[0].value), (1, ScoreSource::Added, 0.7));
    let check = |score: &str, expected: usize| {
        let filter = TraceFilter { score: Some(score.parse().unwrap()), ..TraceFilter::default() };
        assert_eq!(walked(&scratch, &filter, Sort::Newest, 9).len(), expected, "{score}");
    };
    check("helpful", 1);
    check("helpful>=0.7", 1);
    check("helpful<=0.69", 0);
    check("other", 0);
    // The span comes again: its score stays.
    let mut again = span(1, 0, None, Kind::Agent, (0, 9));
    again.attributes.set("more", 1_u64);
    assert_eq!(scratch.store.write(vec![again]).unwrap().merged, 1);
    let whole = scratch.store.read(|conn| record(conn, trace_id(1), span_id(0))).unwrap().unwrap();
    assert_eq!((whole.scores.len(), whole.scores[0].comment.as_deref()), (1, Some("nice")));
    check("helpful>=0.7", 1);
    scratch.is_sound();
}

#[test]
fn a_trace_that_failed_says_why() {
    let failed = |mut span: SpanRecord, why: &str| {
        span.status = Status::error(why.to_owned());
        span
    };
    let root = || span(1, 0, None, Kind::Agent, (0, 30));
    let child = |id: u64| span(1, id, Some(0), Kind::Tool, (id, 1));
    let check = |spans: Vec<SpanRecord>, expected: Option<&str>| {
        let scratch = Scratch::new();
        for span in spans {
            scratch.store.write(vec![span]).unwrap();
        }
        let first = |conn: &_| list(conn, &TraceFilter::default(), Sort::Newest, None, 1);
        let found = scratch.store.read(first).unwrap().traces.remove(0).error;
        assert_eq!(found.as_deref(), expected);
        scratch.is_sound();
        scratch.store.close();
        let conn = Connection::open(scratch.path()).unwrap();
        // As a file of the version before this one is, once it is brought up to date.
        let (_, update) = include_str!("../errors.sql").split_once(";\n").unwrap();
        let update = update.split(';').next().unwrap();
        conn.execute_batch(&format!("UPDATE traces SET error = 'x' WHERE status = 1; {update};")).unwrap();
        scratch.is_sound();
    };
    check(
        vec![child(2), failed(child(1), "no such tool"), failed(root(), "gave up\n  at last")],
        Some("gave up at last"),
    );
    check(vec![failed(child(2), "later"), failed(child(1), "first"), failed(root(), "")], Some("first"));
    check(vec![failed(child(2), "no root yet")], Some("no root yet"));
    // It went on to succeed.
    check(vec![failed(child(1), "tried again"), root()], None);
    check(vec![failed(root(), "")], None);
    let mut typed = failed(root(), "");
    typed.attributes.set(semconv::ERROR_TYPE, "timeout");
    check(vec![typed.clone()], Some("timeout"));
    let mut exception = Attributes::default();
    exception.set(semconv::EXCEPTION_MESSAGE, "no answer within 5 s");
    typed.events.push(Event::new(semconv::EXCEPTION_EVENT, typed.end, exception));
    check(vec![typed], Some("no answer within 5 s"));
}
