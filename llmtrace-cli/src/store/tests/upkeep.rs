//! Checking, compacting and exporting a file.

use fastrand::Rng;
use llmtrace::{Message, SpanRecord};
use rusqlite::Connection;

use super::support::{Scratch, trace};
use crate::store::check::check as checked;
use crate::store::filter::TraceFilter;
use crate::store::list::each_record;
use crate::store::{open_read_only, upkeep};

fn filled() -> (Scratch, Vec<SpanRecord>) {
    let scratch = Scratch::new();
    let spans: Vec<SpanRecord> =
        (0..40).flat_map(|number| trace(&mut Rng::with_seed(number), number)).collect();
    scratch.store.write(spans.clone()).unwrap();
    (scratch, spans)
}

#[test]
fn what_is_wrong_is_found() {
    let check = |damage: &str, expected: &str| {
        let (scratch, _) = filled();
        scratch.store.close();
        assert_eq!(upkeep::check(&scratch.path()).unwrap().count, 0);
        Connection::open(scratch.path()).unwrap().execute_batch(damage).unwrap();
        // As one who may write it, and as one who may not.
        let reader = open_read_only(&scratch.path()).unwrap();
        for found in [upkeep::check(&scratch.path()).unwrap(), checked(&reader).unwrap()] {
            assert!(found.problems.iter().any(|problem| problem.contains(expected)), "{damage}: {found:?}");
        }
    };
    check("UPDATE traces SET calls = calls + 1 WHERE id = 3", "trace 3: calls");
    check("UPDATE spans SET cost = 1 WHERE trace = 4 AND kind = 0", "trace 4");
    check("UPDATE rollups SET sums = (SELECT max(sums) FROM user_rollups)", "rollups");
    check("DELETE FROM user_rollups WHERE level = 3600", "user_rollups");
    check("UPDATE sessions SET sums = x'00'", "sessions");
    check("UPDATE chunks SET data = x'0102' WHERE id >> 20 = 5", "trace 5");
    check("DELETE FROM facets WHERE facet = 1", "is not indexed");
    check("UPDATE facet_counts SET traces = traces + 1", "counts of facets");
    check("UPDATE traces SET facets = x'' WHERE id = 6", "trace 6: its facets");
    check("UPDATE search_data SET block = zeroblob(length(block)) WHERE id > 10", "search");
    check("DELETE FROM search WHERE rowid >> 20 = 7", "trace 7: 0 of its texts can be searched, 1 expected");
    check("DELETE FROM texts WHERE trace = 8", "trace 8: 1 of its texts can be searched, 0 expected");
}

#[test]
fn compacting_loses_nothing() {
    let (scratch, mut spans) = filled();
    for span in &mut spans {
        span.input.push(Message::system("more ".repeat(500)));
    }
    assert_eq!(scratch.store.write(spans.clone()).unwrap().merged, spans.len() as u64);
    assert!(upkeep::compact(&scratch.path()).is_err(), "the store is still open");
    scratch.store.close();
    drop(scratch.store);
    let path = scratch.folder.path().join("store.db");
    let (before, after) = upkeep::compact(&path).unwrap();
    assert!(after < before, "{before} {after}");
    assert_eq!(upkeep::check(&path).unwrap().problems, [""; 0]);
    let conn = open_read_only(&path).unwrap();
    let mut found = Vec::new();
    let mut firsts = 0;
    each_record(&conn, &TraceFilter::default(), &mut |is_first, span| {
        firsts += usize::from(is_first);
        found.push(span);
        Ok(())
    })
    .unwrap();
    let id = |span: &SpanRecord| (span.trace_id, span.span_id);
    found.sort_by_key(id);
    spans.sort_by_key(id);
    assert!(found == spans && firsts == 40);
    let some = TraceFilter { user: Some("user-1".to_owned()), ..TraceFilter::default() };
    let mut of_user = 0;
    each_record(&conn, &some, &mut |is_first, _| {
        of_user += usize::from(is_first);
        Ok(())
    })
    .unwrap();
    assert!((1..40).contains(&of_user), "{of_user}");
}
