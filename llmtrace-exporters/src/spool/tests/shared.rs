//! Spools that work on one directory at the same time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::faulty::Faults;
use super::*;

const THREADS: u64 = 4;
const PUSHES: u64 = 60;
const BATCH: u64 = 10;
const LIFETIMES: u64 = 3;
const MAX_BYTES: u64 = 60_000;

/// One spool after the other; says what was taken and what was delivered.
fn work(dir: &Path, thread: u64) -> (Vec<u64>, Vec<u64>) {
    let mut random = fastrand::Rng::with_seed(thread);
    let (mut taken, mut delivered) = (Vec::new(), Vec::new());
    for life in 0..LIFETIMES {
        let mut spool = Spool::open(dir, MAX_BYTES).unwrap();
        spool.segment_bytes = 4_000;
        Faults::default().inject(&mut spool);
        for push in 0..PUSHES {
            let first = ((thread * LIFETIMES + life) * PUSHES + push) * BATCH;
            let stored = spool.push(&spans(first..first + BATCH, "text")).stored as u64;
            taken.extend(first..first + stored);
            if random.u8(0..3) == 0
                && let Some(segment) = spool.next()
            {
                delivered.extend(deliver(&mut spool, segment).0);
            }
        }
        assert_eq!((spool.counts().corrupt, spool.counts().torn, spool.take_lost()), (0, 0, 0));
    }
    (taken, delivered)
}

#[test]
fn spools_that_share_a_directory_deliver_each_span_once_and_keep_to_the_bound() {
    let (_folder, dir) = folder();
    let over = AtomicU64::new(0);
    let ended = AtomicBool::new(false);
    let watch = Folder::open(&dir).unwrap();
    let (mut taken, mut delivered) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|n| {
                scope.spawn({
                    let dir = &dir;
                    move || work(dir, n)
                })
            })
            .collect();
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                // Between two pushes.
                watch.hold_room();
                over.fetch_max(watch.list().unwrap().bytes(), Ordering::Relaxed);
                watch.free_room();
                thread::sleep(Duration::from_millis(5));
            }
        });
        for worker in workers {
            let (more_taken, more_delivered) = worker.join().unwrap();
            taken.extend(more_taken);
            delivered.extend(more_delivered);
        }
        ended.store(true, Ordering::Relaxed);
    });
    let most = over.load(Ordering::Relaxed);
    assert!(most <= MAX_BYTES, "{most} bytes");
    assert!(most > MAX_BYTES / 2, "the bound was never near: {most} bytes");
    let mut last = Spool::open(&dir, MAX_BYTES).unwrap();
    delivered.extend(drain(&mut last));
    drop((last, watch));
    taken.sort_unstable();
    delivered.sort_unstable();
    assert_eq!(delivered, taken);
    assert_eq!(files(&dir), Vec::<String>::new());
}

#[test]
fn a_live_spool_keeps_its_segments_and_a_claim_is_for_one() {
    let (_folder, dir) = folder();
    let open = || Spool::open(&dir, PLENTY).unwrap();
    let (mut first, mut second, mut third) = (open(), open(), open());
    first.push(&spans(0..2, ""));
    first.sync().unwrap();
    first.push(&spans(2..4, ""));
    assert!(second.next().is_none());
    drop(first);
    let segment = second.next().unwrap();
    assert!(third.next().is_none(), "another one works on what is left of the first");
    drop(segment);
    let segment = third.next().unwrap();
    assert!(second.next().is_none());
    assert_eq!(deliver(&mut third, segment).0, [0, 1]);
    assert_eq!(drain(&mut second), [2, 3]);
    drop((second, third));
    assert_eq!(files(&dir), Vec::<String>::new());
}
