use std::path::PathBuf;

use super::*;
use crate::testing;

const PLENTY: u64 = 1 << 30;

/// Spans that carry the numbers of a range as their ids, from 1 on.
fn spans(numbers: std::ops::Range<u64>, text: &str) -> Vec<SpanRecord> {
    let numbered = |n: u64| {
        let mut span = testing::span(1, n + 1, "x");
        span.attributes.set("text", text);
        span
    };
    numbers.map(numbered).collect()
}

fn number(span: &SpanRecord) -> u64 {
    u64::from_be_bytes(span.span_id.to_bytes()) - 1
}

/// Delivers all that can be delivered: the numbers, segment by segment.
fn drain(spool: &mut Spool) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(mut segment) = spool.next() {
        loop {
            let batch = segment.batch(3, 1_000);
            if batch.is_empty() {
                break;
            }
            numbers.extend(batch.iter().map(number));
            segment.advance();
        }
        spool.done(segment);
    }
    numbers
}

fn files(dir: &Path) -> Vec<String> {
    let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(name).collect();
    names.sort();
    names
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("a/spool");
    (folder, dir)
}

#[test]
fn spans_wait_for_the_next_process_in_their_order() {
    let (_folder, dir) = folder();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    spool.segment_bytes = 1_000;
    let pushed = spool.push(&spans(0..20, "text"));
    assert_eq!((pushed.stored, pushed.refused.is_none()), (20, true));
    assert_eq!(spool.spans(), 20);
    drop(spool);
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    assert_eq!(spool.spans(), 0);
    assert!(spool.bytes() > 20 * 200);
    assert_eq!(drain(&mut spool), (0..20).collect::<Vec<_>>());
    assert_eq!((spool.bytes(), spool.counts(), spool.take_lost()), (0, Counts::default(), 0));
    drop(spool);
    assert_eq!(files(&dir), Vec::<String>::new());
}
