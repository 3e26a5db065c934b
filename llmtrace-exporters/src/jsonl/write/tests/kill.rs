//! A process that is killed while it writes.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use super::*;

/// Names the file for the process that is to be killed, and the number of its first span.
const FILE: &str = "LLMTRACE_TEST_KILLED_FILE";
const FIRST: &str = "LLMTRACE_TEST_KILLED_FIRST";

/// Kills a file.
const KILLS: usize = 5;

/// How many processes are killed; a few where it is not set.
const ALL_KILLS: &str = "LLMTRACE_KILLS";
const FEW: usize = 30;

/// Not a test of its own: what the killed process runs.
#[test]
fn writer() {
    let Some(path) = env::var_os(FILE) else { return };
    let mut exporter = JsonLines::append(path).unwrap();
    // Large enough that a kill often falls into a write.
    let text = "x".repeat(400_000);
    let mut out = io::stdout();
    writeln!(out, "\nrepaired {}", exporter.repaired_bytes()).unwrap();
    let first: i64 = env::var(FIRST).unwrap().parse().unwrap();
    for from in (first..).step_by(8) {
        exporter.export(&spans(from..from + 8, &text)).unwrap();
        writeln!(out, "done {}", from + 8).unwrap();
    }
}

fn spawn(path: &Path, first: i64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "jsonl::write::tests::kill::writer"])
        .env(FILE, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets a writer start at `first`, kills it, and says up to which number it wrote and what it repaired.
fn round(random: &mut fastrand::Rng, path: &Path, first: i64) -> (i64, u64) {
    let mut child = spawn(path, first);
    let (mut done, mut repaired) = (first, 0);
    let mut batches = random.usize(1..4);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    for line in lines {
        match line.split_once(' ') {
            Some(("repaired", bytes)) => repaired = bytes.parse().unwrap(),
            Some(("done", number)) => {
                done = number.parse().unwrap();
                batches = batches.saturating_sub(1);
            }
            _ => {}
        }
        if batches == 0 {
            // Anywhere in the next batch; what it says until it is dead is still read.
            (0..random.u32(..4_000_000)).for_each(|_| std::hint::spin_loop());
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    (done, repaired)
}

/// The numbers of the spans that can be read, and how many lines cannot.
fn readable(path: &Path) -> (Vec<i64>, u64) {
    let mut reader = JsonLinesReader::open(path).unwrap();
    (reader.by_ref().map(|span| number(&span)).collect(), reader.skipped())
}

#[test]
fn after_a_kill_every_written_record_is_readable() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(11);
    let (mut records, mut torn, mut repairs) = (0, 0, 0);
    let files = env::var(ALL_KILLS).map_or(FEW, |kills| kills.parse().unwrap()) / KILLS;
    for file in 0..files {
        let path = folder.path().join(file.to_string());
        let (mut written, mut next) = (Vec::new(), 0);
        for kill in 0..KILLS {
            let (done, repaired) = round(&mut random, &path, next);
            repairs += u64::from(repaired > 0);
            assert!(done > next, "file {file}, kill {kill}: the writer wrote nothing");
            written.extend(next..done);
            let (read, skipped) = readable(&path);
            assert!(
                written.iter().all(|n| read.binary_search(n).is_ok()),
                "file {file}, kill {kill}: a record is lost"
            );
            assert!(read.is_sorted_by(|a, b| a < b), "file {file}, kill {kill}: out of order or twice");
            assert!(skipped <= 1, "file {file}, kill {kill}: {skipped} lines are torn");
            torn += skipped;
            // Lines of the batch that was under way may be whole too.
            next = read.last().map_or(done, |last| done.max(last + 1));
        }
        let exporter = JsonLines::append(&path).unwrap();
        repairs += u64::from(exporter.repaired_bytes() > 0);
        let (read, skipped) = readable(&path);
        assert_eq!(skipped, 0, "file {file}: the last append repairs");
        assert!(written.iter().all(|n| read.binary_search(n).is_ok()), "file {file}: a record is lost");
        records += written.len();
        fs::remove_file(&path).unwrap();
    }
    assert!(repairs >= torn, "{torn} torn lines, {repairs} repairs");
    println!("{} kills, {records} records, {torn} torn lines, {repairs} repairs", files * KILLS);
}
