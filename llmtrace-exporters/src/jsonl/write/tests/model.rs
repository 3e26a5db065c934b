//! Random batches, faults and crashes against a model of what must be readable.

use super::*;

/// Faults that a run draws from.
#[derive(Clone, Copy, PartialEq)]
enum Faults {
    /// Crashes, short writes and failing writes.
    Writes,
    /// Those, and repairs that fail.
    WritesAndRepairs,
}

fn inject(random: &mut fastrand::Rng, disk: &Simulated, faults: Faults) {
    let mut state = disk.state();
    for _ in 0..random.usize(0..4) {
        let kind =
            *random.choice(&[ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::Interrupted]).unwrap();
        let write = match random.u8(0..3) {
            0 => (random.usize(1..600), Ok(())),
            // What an interrupted call reports, it did not do.
            1 if kind != ErrorKind::Interrupted => (random.usize(0..600), Err(kind)),
            _ => (0, Err(kind)),
        };
        state.writes.push_back(write);
    }
    if faults == Faults::WritesAndRepairs {
        for _ in 0..random.usize(0..3) {
            let result = if random.bool() { Ok(()) } else { Err(ErrorKind::Other) };
            let queue = if random.bool() { &mut state.truncates } else { &mut state.lengths };
            queue.push_back(result);
        }
    }
}

/// A crash while `batch` was being written: any part of its text is in the file. Gives back the numbers of
/// the spans that are whole there.
fn crash(random: &mut fastrand::Rng, disk: &Simulated, batch: &[SpanRecord]) -> Vec<i64> {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for span in batch {
        write_line(span, &mut text);
        ends.push(text.len());
    }
    let cut = random.usize(..=text.len());
    let mut state = disk.state();
    state.writes.clear();
    state.truncates.clear();
    state.lengths.clear();
    if state.bytes.last().is_some_and(|byte| *byte != b'\n') {
        // A part that could not be taken back: the writer closes it first.
        state.bytes.push(b'\n');
    }
    state.bytes.extend_from_slice(&text[..cut]);
    batch.iter().zip(&ends).filter(|(_, end)| **end <= cut).map(|(span, _)| number(span)).collect()
}

fn run(seed: u64, faults: Faults) {
    let mut random = fastrand::Rng::with_seed(seed);
    let disk = Simulated::default();
    let mut exporter = disk.exporter();
    let (mut next, mut kept) = (0, Vec::new());
    for _ in 0..random.usize(1..60) {
        let text: String = (0..random.usize(0..100)).map(|_| random.char('\0'..'\u{3000}')).collect();
        let batch = spans(next..next + random.i64(0..6), &text);
        next += i64::try_from(batch.len()).unwrap();
        if random.u8(0..4) == 0 {
            kept.extend(crash(&mut random, &disk, &batch));
            exporter = disk.exporter();
            assert_eq!(
                disk.state().bytes.last().copied().unwrap_or(b'\n'),
                b'\n',
                "seed {seed}: not repaired"
            );
            continue;
        }
        inject(&mut random, &disk, faults);
        let lost = match exporter.export(&batch) {
            Ok(()) => 0,
            Err(error) => usize::try_from(error.lost().unwrap()).unwrap(),
        };
        kept.extend(batch.iter().take(batch.len() - lost).map(number));
    }
    let (read, torn) = disk.read();
    if faults == Faults::Writes {
        assert_eq!((read, torn), (kept, 0), "seed {seed}");
    } else {
        assert!(read.is_sorted_by(|a, b| a < b), "seed {seed}: out of order or twice");
        assert!(kept.iter().all(|n| read.binary_search(n).is_ok()), "seed {seed}: a record is lost");
    }
}

#[test]
fn nothing_written_is_lost_or_glued() {
    for seed in 0..400 {
        run(seed, Faults::Writes);
        run(seed, Faults::WritesAndRepairs);
    }
}
