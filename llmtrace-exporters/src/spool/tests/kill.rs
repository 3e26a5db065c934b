//! Processes that are killed while they push and deliver.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;

/// Names the directory for the process that is to be killed, and the number of its first span.
const DIR: &str = "LLMTRACE_TEST_KILLED_SPOOL";
const FIRST: &str = "LLMTRACE_TEST_KILLED_SPOOL_FIRST";

/// How many processes are killed; a few where it is not set.
const KILLS: &str = "LLMTRACE_KILLS";
const FEW: u64 = 10;

/// Not a test of its own: what the killed process runs. It says what was taken, and what is delivered before it is
/// removed.
#[test]
fn process() {
    let Some(dir) = env::var_os(DIR) else { return };
    let mut spool = Spool::open(Path::new(&dir), PLENTY).unwrap();
    let first: u64 = env::var(FIRST).unwrap().parse().unwrap();
    let mut random = fastrand::Rng::with_seed(first);
    // Large enough that a kill often falls into a write.
    let text = "x".repeat(random.usize(10..200_000));
    spool.segment_bytes = 1 << 20;
    let mut out = io::stdout();
    writeln!(out).unwrap();
    for from in (first..).step_by(8) {
        assert_eq!(spool.push(&spans(from..from + 8, &text)).stored, 8);
        writeln!(out, "taken {from}").unwrap();
        if random.u8(0..4) == 0
            && let Some(mut segment) = spool.next()
        {
            loop {
                let batch = segment.batch(8, usize::MAX);
                if batch.is_empty() {
                    break;
                }
                for span in batch {
                    writeln!(out, "delivered {}", number(span)).unwrap();
                }
                spool.advance(&mut segment);
            }
            spool.done(segment);
        }
    }
}

#[derive(Default)]
struct Heard {
    taken: Vec<u64>,
    delivered: Vec<u64>,
}

/// Lets a process start at `first` and kills it.
fn round(random: &mut fastrand::Rng, dir: &Path, first: u64) -> Heard {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "spool::tests::kill::process"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = Heard::default();
    let (mut pushes, mut killed) = (random.usize(1..12), false);
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("taken", number)) => {
                let from: u64 = number.parse().unwrap();
                heard.taken.extend(from..from + 8);
                pushes = pushes.saturating_sub(1);
            }
            Some(("delivered", number)) => heard.delivered.extend(number.parse::<u64>()),
            _ => {}
        }
        if pushes == 0 && !killed {
            // Anywhere in what comes next; what it says until it is dead is still heard.
            let spins = 1 << random.u32(8..22);
            (0..random.u32(..spins)).for_each(|_| std::hint::spin_loop());
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    heard
}

#[test]
fn after_a_kill_every_span_that_was_taken_is_delivered() {
    let kills = env::var(KILLS).map_or(FEW, |kills| kills.parse().unwrap());
    let (_folder, dir) = folder();
    let mut random = fastrand::Rng::with_seed(17);
    let (mut taken, mut again, mut unasked, mut torn) = (0, 0, 0, 0);
    let (mut next, mut waiting) = (0, Vec::new());
    for kill in 1..=kills {
        let heard = round(&mut random, &dir, next);
        assert!(!heard.taken.is_empty(), "kill {kill}: the process took nothing");
        taken += heard.taken.len();
        next = heard.taken.last().unwrap() + 9;
        waiting.extend(heard.taken);
        let mut delivered = heard.delivered;
        let drains = random.bool() || kill == kills;
        if drains {
            let mut spool = Spool::open(&dir, PLENTY).unwrap();
            let own = drain(&mut spool);
            assert!(own.is_sorted_by(|a, b| a < b), "kill {kill}: out of order or twice");
            delivered.extend(own);
            let counts = spool.counts();
            assert_eq!((counts.corrupt, counts.set_aside), (0, 0), "kill {kill}: a glued line");
            torn += counts.torn;
            assert!(torn <= kill, "kill {kill}: {torn} torn lines");
            drop(spool);
            assert_eq!(files(&dir), Vec::<String>::new(), "kill {kill}");
        }
        let count = delivered.len();
        delivered.sort_unstable();
        delivered.dedup();
        again += count - delivered.len();
        unasked += delivered.iter().filter(|number| waiting.binary_search(number).is_err()).count();
        waiting.retain(|number| delivered.binary_search(number).is_err());
        assert!(!drains || waiting.is_empty(), "kill {kill}: lost {waiting:?}");
    }
    println!(
        "{kills} kills, {taken} spans taken, 0 lost, {torn} torn lines, {again} delivered twice, \
         {unasked} delivered that the process did not live to acknowledge"
    );
}
