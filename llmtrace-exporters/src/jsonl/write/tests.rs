use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use llmtrace::Exporter as _;

use super::*;
use crate::JsonLinesReader;
use crate::testing;

mod kill;
mod model;

/// A file in memory that fails as it is told to.
#[derive(Clone, Default)]
struct Simulated(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    /// One a write: how many bytes go to the disk, and what is said of it.
    writes: VecDeque<(usize, Result<(), ErrorKind>)>,
    truncates: VecDeque<Result<(), ErrorKind>>,
    lengths: VecDeque<Result<(), ErrorKind>>,
    syncs: VecDeque<Result<(), ErrorKind>>,
    synced: usize,
}

impl Simulated {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn exporter(&self) -> JsonLines {
        let (tail, repaired) = Tail::repaired(Box::new(self.clone())).unwrap();
        JsonLines::new(Path::new("simulated"), tail, repaired)
    }

    /// The numbers of the spans that can be read, and how many lines cannot.
    fn read(&self) -> (Vec<i64>, u64) {
        let bytes = self.state().bytes.clone();
        let mut reader = JsonLinesReader::new(&bytes[..]);
        (reader.by_ref().map(|span| number(&span)).collect(), reader.skipped())
    }
}

impl Disk for Simulated {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let (taken, result) = state.writes.pop_front().unwrap_or((bytes.len(), Ok(())));
        let taken = taken.min(bytes.len());
        state.bytes.extend_from_slice(&bytes[..taken]);
        Ok(result.map(|()| taken)?)
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.state();
        state.lengths.pop_front().unwrap_or(Ok(()))?;
        Ok(state.bytes.len() as u64)
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let state = self.state();
        let mut rest = &state.bytes[usize::try_from(at).unwrap().min(state.bytes.len())..];
        io::Read::read(&mut rest, bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.truncates.pop_front().unwrap_or(Ok(()))?;
        state.bytes.truncate(usize::try_from(len).unwrap());
        Ok(())
    }

    fn syncer(&self) -> io::Result<Syncer> {
        let disk = self.clone();
        Ok(Box::new(move || {
            let mut state = disk.state();
            state.synced += 1;
            Ok(state.syncs.pop_front().unwrap_or(Ok(()))?)
        }))
    }

    fn is_at(&self, _: &Path) -> bool {
        true
    }

    fn release(&mut self) {}
}

/// Spans that carry the numbers of a range.
fn spans(numbers: std::ops::Range<i64>, text: &str) -> Vec<SpanRecord> {
    let numbered = |n: i64| {
        let mut span = testing::span(1, u64::try_from(n).unwrap() + 1, "x");
        span.attributes.set("n", n);
        span.attributes.set("text", text);
        span
    };
    numbers.map(numbered).collect()
}

fn number(span: &SpanRecord) -> i64 {
    span.attributes.get("n").and_then(llmtrace::Value::as_i64).unwrap()
}

fn read(path: &Path) -> Vec<i64> {
    let mut reader = JsonLinesReader::open(path).unwrap();
    let numbers = reader.by_ref().map(|span| number(&span)).collect();
    assert_eq!(reader.skipped(), 0);
    numbers
}

#[test]
fn failed_writes_lose_and_count_only_what_did_not_fit() {
    let line = {
        let mut line = Vec::new();
        write_line(&spans(0..1, "")[0], &mut line);
        line.len()
    };
    let full = Err(ErrorKind::StorageFull);
    let check = |writes: &[(usize, Result<(), ErrorKind>)],
                 truncates: &[Result<(), ErrorKind>],
                 lost: Option<u64>,
                 read: &[i64],
                 torn| {
        let disk = Simulated::default();
        let mut exporter = disk.exporter();
        disk.state().writes = writes.iter().copied().collect();
        disk.state().truncates = truncates.iter().copied().collect();
        let error = exporter.export(&spans(0..3, "")).err();
        assert_eq!(error.as_ref().map(ExportError::is_retryable), lost.map(|_| true));
        assert_eq!(error.and_then(|error| error.lost()), lost);
        // There is room again.
        exporter.export(&spans(3..5, "")).unwrap();
        assert_eq!(disk.read(), (read.to_vec(), torn));
        assert_eq!(exporter.lines(), read.len() as u64);
    };
    check(&[], &[], None, &[0, 1, 2, 3, 4], 0);
    check(&[(7, Ok(())), (1, Ok(())), (0, Err(ErrorKind::Interrupted))], &[], None, &[0, 1, 2, 3, 4], 0);
    check(&[(0, full)], &[], Some(3), &[3, 4], 0);
    check(&[(line, Ok(())), (0, full)], &[], Some(2), &[0, 3, 4], 0);
    check(&[(line * 2 + 5, Ok(())), (0, full)], &[], Some(1), &[0, 1, 3, 4], 0);
    check(&[(line + 5, Ok(())), (0, Ok(()))], &[], Some(2), &[0, 3, 4], 0);
    // The error hides that bytes reached the disk: they are taken back, for they count as lost.
    check(&[(9, Err(ErrorKind::Other))], &[], Some(3), &[3, 4], 0);
    // Taking back fails once, then works; or it never works, and the torn line stays alone on its line.
    check(&[(9, Ok(())), (0, full)], &[full], Some(3), &[3, 4], 1);
    check(&[(line + 9, Ok(())), (0, full)], &[full, full, full], Some(2), &[0, 3, 4], 1);
}

#[test]
fn a_file_whose_length_is_unknown_is_repaired_before_the_next_write() {
    let disk = Simulated::default();
    let mut exporter = disk.exporter();
    disk.state().writes = [(9, Ok(())), (0, Err(ErrorKind::Other))].into();
    disk.state().lengths = [Err(ErrorKind::Other), Err(ErrorKind::Other)].into();
    assert_eq!(exporter.export(&spans(0..1, "")).unwrap_err().lost(), Some(1));
    assert_eq!(exporter.export(&spans(1..3, "")).unwrap_err().lost(), Some(2));
    exporter.export(&spans(3..4, "")).unwrap();
    assert_eq!(disk.read(), (vec![3], 0));
}

#[test]
fn a_file_that_someone_else_cut_off_is_not_filled_with_zeros() {
    let disk = Simulated::default();
    let mut exporter = disk.exporter();
    exporter.export(&spans(0..5, "")).unwrap();
    disk.state().bytes.clear();
    disk.state().writes = [(9, Ok(())), (0, Err(ErrorKind::Other))].into();
    exporter.export(&spans(5..6, "")).unwrap_err();
    exporter.export(&spans(6..7, "")).unwrap();
    assert_eq!(disk.read(), (vec![6], 1));
}

#[test]
fn each_batch_is_synced_where_that_is_asked_for() {
    let check = |sync: Sync, after_batches: usize, after_flush: usize| {
        let disk = Simulated::default();
        let mut exporter = disk.exporter().sync(sync);
        exporter.export(&spans(0..2, "")).unwrap();
        exporter.export(&spans(2..4, "")).unwrap();
        assert_eq!(disk.state().synced, after_batches);
        exporter.flush().unwrap();
        assert_eq!(disk.state().synced, after_flush);
    };
    check(Sync::None, 0, 0);
    check(Sync::Each, 2, 3);
    check(Sync::Interval, 0, 1);
    let disk = Simulated::default();
    let mut exporter = disk.exporter().sync(Sync::Each);
    disk.state().syncs = [Err(ErrorKind::Other)].into();
    let error = exporter.export(&spans(0..2, "")).unwrap_err();
    assert_eq!((error.lost(), error.to_string()), (Some(0), "syncing simulated: other error".to_owned()));
}

#[test]
fn create_starts_anew_and_append_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/app.jsonl");
    JsonLines::create(&path).unwrap().export(&spans(0..2, "")).unwrap();
    let mut exporter = JsonLines::append(&path).unwrap();
    exporter.export(&spans(2..3, "")).unwrap();
    assert_eq!(read(&path), [0, 1, 2]);
    assert_eq!(exporter.lines(), 1);
    assert_eq!(exporter.bytes_written() * 3, fs::metadata(&path).unwrap().len());
    drop(exporter);
    JsonLines::create(&path).unwrap().export(&spans(7..8, "")).unwrap();
    assert_eq!(read(&path), [7]);
}

#[test]
fn a_torn_tail_is_taken_away_and_a_foreign_one_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.jsonl");
    let mut line = Vec::new();
    write_line(&spans(0..1, &"x".repeat(100_000))[0], &mut line);
    let check = |head: &[u8], tail: &[u8], repaired: usize, left: &[u8]| {
        fs::write(&path, [head, tail].concat()).unwrap();
        let mut exporter = JsonLines::append(&path).unwrap();
        assert_eq!(exporter.repaired_bytes(), repaired as u64);
        exporter.export(&[]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [head, &tail[repaired..]].concat());
        exporter.export(&spans(1..2, "")).unwrap();
        let whole = fs::read(&path).unwrap();
        assert!(whole.starts_with(&[head, left, b"{\"v\":1,"].concat()));
    };
    check(b"", b"", 0, b"");
    check(&line, b"", 0, b"");
    check(&line, &line[..5], 5, b"");
    check(b"", &line[..1], 1, b"");
    check(&line, &line[..90_000], 90_000, b"");
    check(b"", &line[..line.len() - 1], line.len() - 1, b"");
    check(&line, &[0; 4096], 4096, b"");
    check(b"other\n", b"notes without an end", 0, b"notes without an end\n");
}

#[test]
fn the_second_writer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.jsonl");
    let mut first = JsonLines::create(&path).unwrap();
    first.export(&spans(0..1, "")).unwrap();
    for second in [JsonLines::create(&path), JsonLines::append(&path)] {
        let error = second.unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }));
        assert!(error.to_string().contains("app.jsonl: another writer has it open"), "{error}");
    }
    assert_eq!(read(&path), [0]);
    drop(first);
    JsonLines::append(&path).unwrap();
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |path: &Path, reason: &str| {
        for opened in [JsonLines::create(path), JsonLines::append(path)] {
            let error = opened.unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains(&*path.to_string_lossy()), "{error}");
        }
    };
    check(folder.path(), "not a regular file");
    let file = folder.path().join("file");
    fs::write(&file, "keep me\n").unwrap();
    check(&file.join("app.jsonl"), "making its folder");
    #[cfg(unix)]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        check(&link, "symbolic link");
        check(Path::new("/dev/null"), "not a regular file");
        assert_eq!(fs::read(&file).unwrap(), b"keep me\n");
    }
}

#[test]
#[cfg(unix)]
fn new_files_are_private_and_rotated_ones_keep_their_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.jsonl");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut exporter = JsonLines::create(&path).unwrap().rotate_bytes(1);
    assert_eq!(mode(&path), 0o600);
    exporter.export(&spans(0..2, "")).unwrap();
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    exporter.export(&spans(2..3, "")).unwrap();
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn rotation_keeps_the_newest_files_and_every_line_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.jsonl");
    let mut exporter = JsonLines::create(&path).unwrap();
    exporter.export(&spans(0..1, "")).unwrap();
    let line = exporter.bytes_written();
    drop(exporter);
    let mut exporter =
        JsonLines::create(&path).unwrap().rotate_bytes(line * 2 + 1).keep_files(2).sync(Sync::Each);
    exporter.export(&spans(0..5, "")).unwrap();
    exporter.export(&spans(5..8, "")).unwrap();
    assert_eq!(exporter.lines(), 8);
    assert_eq!(read(&path), [6, 7]);
    assert_eq!(read(&rotate::numbered(&path, 1)), [4, 5]);
    assert_eq!(read(&rotate::numbered(&path, 2)), [2, 3]);
    assert!(!rotate::numbered(&path, 3).exists());
    // A line that no file can hold has one of its own.
    exporter.export(&spans(8..10, &"x".repeat(1_000))).unwrap();
    assert_eq!((read(&path), read(&rotate::numbered(&path, 1))), (vec![9], vec![8]));
    // The lock moved along.
    assert!(matches!(JsonLines::append(&path), Err(OpenError::InUse { .. })));
    drop(exporter);
    let mut exporter = JsonLines::append(&path).unwrap().rotate_bytes(1).keep_files(0);
    exporter.export(&spans(10..12, "")).unwrap();
    assert_eq!((read(&path), read(&rotate::numbered(&path, 1))), (vec![11], vec![8]));
}

#[test]
#[cfg(unix)]
fn rotation_never_writes_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (path, victim) = (folder.path().join("app.jsonl"), folder.path().join("victim"));
    fs::write(&victim, "precious").unwrap();
    let first = rotate::numbered(&path, 1);
    std::os::unix::fs::symlink(&victim, &first).unwrap();
    let mut exporter = JsonLines::create(&path).unwrap().rotate_bytes(1).keep_files(1);
    exporter.export(&spans(0..3, "")).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert!(!fs::symlink_metadata(&first).unwrap().is_symlink());
    assert_eq!((read(&first), read(&path)), (vec![1], vec![2]));
}

#[test]
fn a_rotation_that_fails_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.jsonl");
    let blocked = rotate::numbered(&path, 1);
    fs::create_dir_all(blocked.join("in the way")).unwrap();
    let mut exporter = JsonLines::create(&path).unwrap().rotate_bytes(1).keep_files(1);
    let error = exporter.export(&spans(0..3, "")).unwrap_err();
    assert_eq!(error.lost(), Some(0));
    assert!(error.to_string().starts_with("rotating "), "{error}");
    assert_eq!(read(&path), [0, 1, 2]);
    fs::remove_dir_all(&blocked).unwrap();
    exporter.export(&spans(3..4, "")).unwrap();
    assert_eq!((read(&blocked), read(&path)), (vec![0, 1, 2], vec![3]));
}

#[test]
#[cfg(unix)]
fn a_file_that_was_moved_or_deleted_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/app.jsonl");
    let mut exporter = JsonLines::create(&path).unwrap();
    exporter.export(&spans(0..1, "")).unwrap();
    let moved = folder.path().join("logs/app.old");
    fs::rename(&path, &moved).unwrap();
    exporter.export(&spans(1..2, "")).unwrap();
    assert_eq!((read(&moved), read(&path)), (vec![0], vec![1]));
    fs::remove_dir_all(folder.path().join("logs")).unwrap();
    exporter.export(&spans(2..3, "")).unwrap();
    assert_eq!(read(&path), [2]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_an_error_each_time_and_no_panic() {
    let Ok(device) = fs::OpenOptions::new().append(true).open("/dev/full") else { return };
    let mut exporter = JsonLines::new(Path::new("/dev/full"), Tail::empty(Box::new(device)), 0);
    for _ in 0..3 {
        let error = exporter.export(&spans(0..4, "")).unwrap_err();
        assert_eq!(error.lost(), Some(4));
        assert!(error.is_retryable() && error.to_string().contains("No space left"), "{error}");
    }
    assert_eq!((exporter.lines(), exporter.bytes_written()), (0, 0));
}
