//! What is too old is removed.

use std::time::{Duration, Instant};

use fastrand::Rng;
use llmtrace::Timestamp;
use rusqlite::Connection;

use super::support::{Scratch, trace};
use crate::store::check::check;
use crate::store::filter::{Sort, TraceFilter};
use crate::store::list::list;
use crate::store::options::{Retention, StoreOptions};

/// Waits until so many traces are left, or fewer.
fn wait_for(scratch: &Scratch, traces: usize) -> usize {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let page =
            scratch.store.read(|conn| list(conn, &TraceFilter::default(), Sort::Newest, None, 500)).unwrap();
        if page.traces.len() <= traces || Instant::now() > deadline {
            return page.traces.len();
        }
        std::thread::yield_now();
    }
}

fn kept(keep: Option<Duration>, max_bytes: Option<u64>) -> StoreOptions {
    StoreOptions { retention: Retention { keep, max_bytes }, ..StoreOptions::default() }
}

#[test]
fn traces_that_are_too_old_are_removed() {
    let scratch = Scratch::with(kept(Some(Duration::from_secs(86_400)), None));
    let mut rng = Rng::with_seed(3);
    let now = Timestamp::now().unix_nanos();
    let mut spans: Vec<_> = (0..120).flat_map(|number| trace(&mut rng, number)).collect();
    for span in &mut spans {
        let is_old = span.trace_id.to_bytes()[15] % 2 == 0;
        let shift = if is_old { now - 90_000_000_000_000 } else { now };
        let move_to = |time: Timestamp| {
            Timestamp::from_unix_nanos(shift + (time.unix_nanos() - super::support::EPOCH) % 1_000_000_000)
        };
        (span.start, span.end) = (move_to(span.start), move_to(span.end));
    }
    scratch.store.write(spans).unwrap();
    assert_eq!(wait_for(&scratch, 60), 60);
    scratch.is_sound();
    let words = TraceFilter { text: Some("number2".to_owned()), ..TraceFilter::default() };
    let found = scratch.store.read(|conn| list(conn, &words, Sort::Newest, None, 9)).unwrap();
    assert!(found.traces.is_empty());
}

#[test]
fn the_file_is_kept_below_its_bound() {
    let scratch = Scratch::with(kept(None, Some(1 << 20)));
    let mut rng = Rng::with_seed(4);
    for start in 0..20 {
        let spans = (0..100).flat_map(|number| trace(&mut rng, start * 100 + number)).collect();
        scratch.store.write(spans).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let used = || scratch.store.read(|conn| Ok(crate::store::retention::used_bytes(conn)?)).unwrap();
    while used() > 1 << 20 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(used() <= 1 << 20, "{}", used());
    // The pages that are free are given back, save for those of the last step.
    let free = || {
        let free = |conn: &Connection| {
            Ok(conn.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0))?)
        };
        scratch.store.read(free).unwrap()
    };
    assert!(free() < 100, "{}", free());
    scratch.store.close();
    let left = scratch.store.read(|conn| Ok(check(conn)?.traces)).unwrap();
    assert!((1..2_000).contains(&left), "{left}");
    scratch.is_sound();
}
