use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use super::*;
use crate::testing;

mod damage;
mod faulty;
mod kill;
mod model;
mod shared;

const PLENTY: u64 = 1 << 30;

/// Spans that carry the numbers of a range in their ids.
fn spans(numbers: Range<u64>, text: &str) -> Vec<SpanRecord> {
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

/// The length of a span's line.
fn line_bytes(text: &str) -> u64 {
    let mut line = Vec::new();
    line::write(&spans(0..1, text)[0], &mut line);
    line.len() as u64
}

/// Delivers the rest of a segment.
fn deliver(spool: &mut Spool, mut segment: Segment) -> (Vec<u64>, Share) {
    let (mut numbers, mut all) = (Vec::new(), Share::default());
    loop {
        let batch = segment.batch(3, 1_000);
        if batch.is_empty() {
            break;
        }
        numbers.extend(batch.iter().map(number));
        let share = spool.advance(&mut segment);
        all.settled += share.settled;
        all.replayed += share.replayed;
    }
    spool.done(segment);
    (numbers, all)
}

/// Delivers all that can be delivered.
fn drain(spool: &mut Spool) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(segment) = spool.next() {
        numbers.extend(deliver(spool, segment).0);
    }
    numbers
}

fn files(dir: &Path) -> Vec<String> {
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(name).collect();
    names.sort();
    names
}

/// The segments in the directory, oldest first.
fn segments(dir: &Path) -> Vec<PathBuf> {
    files(dir).into_iter().filter(|name| name.ends_with(".spool.jsonl")).map(|name| dir.join(name)).collect()
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
    assert_eq!((pushed.stored, pushed.refused.is_none(), spool.spans()), (20, true, 20));
    drop(spool);
    assert!(segments(&dir).len() > 4);
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    assert_eq!((spool.bytes(), spool.spans()), (20 * line_bytes("text"), 0));
    assert_eq!(drain(&mut spool), (0..20).collect::<Vec<_>>());
    assert_eq!((spool.bytes(), spool.counts(), spool.take_lost()), (0, Counts::default(), 0));
    drop(spool);
    assert_eq!(files(&dir), Vec::<String>::new());
}

#[test]
fn a_segment_is_json_lines_for_its_user_only() {
    let (_folder, dir) = folder();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    let wanted = spans(0..3, "text\n\u{202e}");
    spool.push(&wanted);
    let [segment] = &segments(&dir)[..] else { panic!() };
    assert_eq!(crate::JsonLinesReader::open(segment).unwrap().collect::<Vec<_>>(), wanted);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(segment)), (0o700, 0o600));
        assert!(files(&dir).iter().all(|file| mode(&dir.join(file)) == 0o600));
    }
}

#[test]
fn own_spans_are_settled_once_and_others_are_replayed() {
    let (_folder, dir) = folder();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    spool.push(&spans(0..4, ""));
    drop(spool);
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    spool.push(&spans(4..10, ""));

    let segment = spool.next().unwrap();
    assert_eq!(deliver(&mut spool, segment), ((0..4).collect(), Share { settled: 0, replayed: 4 }));
    let mut segment = spool.next().unwrap();
    assert_eq!(segment.batch(4, usize::MAX).iter().map(number).collect::<Vec<_>>(), [4, 5, 6, 7]);
    assert_eq!(segment.batch(1, 1).len(), 4, "the same until it is dealt with");
    assert_eq!(spool.advance(&mut segment), Share { settled: 4, replayed: 0 });
    assert_eq!(segment.batch(4, 1).len(), 1, "the line that reaches the bytes is the last");
    drop(segment);
    assert_eq!(spool.spans(), 2);

    let segment = spool.next().unwrap();
    assert_eq!(deliver(&mut spool, segment), ((4..10).collect(), Share { settled: 2, replayed: 0 }));
    assert_eq!((spool.spans(), spool.take_lost(), spool.bytes()), (0, 0, 0));
    spool.push(&spans(10..11, ""));
    assert_eq!(drain(&mut spool), [10], "a segment that is read is not written to again");
}

#[test]
fn a_full_spool_refuses_the_newest() {
    let (_folder, dir) = folder();
    let line = line_bytes("");
    let mut spool = Spool::open(&dir, 5 * line + line / 2).unwrap();
    let check = |spool: &mut Spool, numbers: Range<u64>, stored, refused: &str| {
        let pushed = spool.push(&spans(numbers, ""));
        let refusal = pushed.refused.map_or(String::new(), |refusal| refusal.to_string());
        assert_eq!((pushed.stored, refusal.as_str()), (stored, refused));
    };
    check(&mut spool, 0..3, 3, "");
    let full = format!("the spool is full: {} bytes of {} in 1 files", 5 * line, 5 * line + line / 2);
    check(&mut spool, 3..9, 2, &full);
    check(&mut spool, 9..10, 0, &full);
    assert_eq!((spool.counts().refused, spool.spans(), spool.bytes()), (5, 5, 5 * line));
    assert_eq!(drain(&mut spool), [0, 1, 2, 3, 4]);
    check(&mut spool, 10..12, 2, "");
    // What others keep there counts too.
    let mut other = Spool::open(&dir, 5 * line).unwrap();
    check(
        &mut other,
        12..20,
        3,
        &format!("the spool is full: {} bytes of {} in 2 files", 5 * line, 5 * line),
    );
}

#[cfg(unix)]
#[test]
fn strangers_in_the_directory_are_left_alone() {
    let (outside, dir) = folder();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    spool.push(&spans(0..1, ""));
    drop(spool);
    let segment = segments(&dir).pop().unwrap();
    let secret = outside.path().join("secret");
    fs::copy(&segment, &secret).unwrap();
    fs::write(dir.join("notes.txt"), "mine").unwrap();
    fs::create_dir(dir.join("0000000000001-000001-7-7.spool.jsonl")).unwrap();
    std::os::unix::fs::symlink(&secret, dir.join("0000000000002-000001-7-7.spool.jsonl")).unwrap();
    std::os::unix::fs::symlink(&secret, dir.join("9-9.spool.lock")).unwrap();
    let before = files(&dir).len();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    assert_eq!(drain(&mut spool), [0]);
    assert_eq!(spool.counts(), Counts::default());
    drop(spool);
    assert!(secret.exists());
    assert_eq!(files(&dir).len(), before - 3, "the segment and two locks are gone: {:?}", files(&dir));
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_used_is_refused_with_its_name_and_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), "").unwrap();
    fs::create_dir(path("real")).unwrap();
    std::os::unix::fs::symlink(path("real"), path("link")).unwrap();
    fs::create_dir(path("taken")).unwrap();
    std::os::unix::fs::symlink(path("file"), path("taken/room.lock")).unwrap();
    let check = |name: &str, expected: &str| {
        let error = Spool::open(&path(name), PLENTY).map(drop).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot keep spans in {}: {expected}", path(name).display()));
    };
    check("file", "it is not a directory; name one, or a path where one can be made");
    check("link", "it is a symbolic link; name the directory itself");
    check(
        "file/below",
        "looking at it: Not a directory (os error 20); name a directory that this program may write to",
    );
    check(
        "taken",
        "making a file in it: it is not a regular file; name a directory that this program may write to",
    );
    assert!(Spool::open(&path("real/deep/er"), PLENTY).is_ok());
}
