//! A writer that is killed: what it was told to be on the disk is there.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use fastrand::Rng;

use super::support::trace;
use crate::store::check::check;
use crate::store::options::StoreOptions;
use crate::store::trace::record;
use crate::store::{Store, open_read_only};

/// How many kills are asked for, where the few of every run are not enough.
const KILLS: &str = "LLMTRACE_KILLS";
const FEW: usize = 4;

/// The file that the writer is to write; set only for the writer.
const FILE: &str = "LLMTRACE_TEST_STORE";
const FIRST: &str = "LLMTRACE_TEST_FIRST";

/// Not a test of its own: what the test below starts and kills. It says each trace once it is written.
#[test]
fn writer() {
    let (Ok(file), Ok(first)) = (env::var(FILE), env::var(FIRST)) else { return };
    let store = Store::open(file.as_ref(), StoreOptions::default()).unwrap();
    let mut out = std::io::stdout().lock();
    for number in first.parse::<u64>().unwrap().. {
        let mut spans = trace(&mut Rng::with_seed(number), number);
        let late = spans.split_off(spans.len() / 2);
        let first = if spans.is_empty() { None } else { Some(store.submit(spans).unwrap()) };
        store.write(late).unwrap();
        first.map(|ticket| ticket.wait().unwrap());
        writeln!(out, "written {number}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let kills = env::var(KILLS).map_or(FEW, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut rng = Rng::with_seed(kills as u64);
    let mut acknowledged: Vec<u64> = Vec::new();
    for kill in 0..kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "store::tests::kill::writer", "--nocapture"])
            .env(FILE, &path)
            .env(FIRST, (kill * 100_000).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let wanted = rng.usize(1..60);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen < wanted {
            let line = lines.next().unwrap().unwrap();
            if let Some(number) = line.split("written ").nth(1) {
                acknowledged.push(number.parse().unwrap());
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let rest =
            lines.map_while(Result::ok).filter_map(|line| line.split("written ").nth(1)?.parse::<u64>().ok());
        // A line that was cut off may name a shorter number.
        acknowledged.extend(rest.filter(|number| *number >= kill as u64 * 100_000));
    }
    let store = Store::open(&path, StoreOptions::default()).unwrap();
    for number in &acknowledged {
        for expected in trace(&mut Rng::with_seed(*number), *number) {
            let read = |conn: &_| record(conn, expected.trace_id, expected.span_id);
            assert_eq!(store.read(read).unwrap().as_ref(), Some(&expected), "trace {number}");
        }
    }
    drop(store);
    let found = check(&open_read_only(&path).unwrap()).unwrap();
    assert_eq!(found.problems, [""; 0]);
    println!("{kills} kills, {} traces, {} bytes", acknowledged.len(), fs::metadata(&path).unwrap().len());
}
