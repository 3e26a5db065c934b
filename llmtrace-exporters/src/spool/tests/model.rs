//! Random pushes, deliveries, faults, crashes and damage against a model of what must be delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write as _};

use super::faulty::{Faults, Planned};
use super::*;

const MAX_BYTES: u64 = 12_000;

/// A directory with up to two spools, and what is known of it.
struct World {
    seed: u64,
    random: fastrand::Rng,
    _folder: tempfile::TempDir,
    dir: PathBuf,
    spools: [Option<Spool>; 2],
    faults: Faults,
    next: u64,
    taken: BTreeSet<u64>,
    /// Spans that were refused: a disk that failed may have kept them.
    refused: BTreeSet<u64>,
    /// How often each span was delivered, and how often it may be.
    delivered: BTreeMap<u64, u64>,
    again: BTreeMap<u64, u64>,
    /// Spans that each open spool took, and how many of them it says are dealt with.
    accounts: [(u64, u64); 2],
}

impl World {
    fn new(seed: u64) -> Self {
        let (folder, dir) = folder();
        Self {
            seed,
            random: fastrand::Rng::with_seed(seed),
            _folder: folder,
            dir,
            spools: [None, None],
            faults: Faults::default(),
            next: 0,
            taken: BTreeSet::new(),
            refused: BTreeSet::new(),
            delivered: BTreeMap::new(),
            again: BTreeMap::new(),
            accounts: [(0, 0); 2],
        }
    }

    fn spool(&mut self, which: usize) -> &mut Spool {
        let (dir, faults) = (&self.dir, &self.faults);
        self.spools[which].get_or_insert_with(|| {
            let mut spool = Spool::open(dir, MAX_BYTES).unwrap();
            spool.segment_bytes = 1_500;
            faults.inject(&mut spool);
            spool
        })
    }

    fn push(&mut self, which: usize) {
        self.plan_faults();
        let text: String =
            (0..self.random.usize(0..100)).map(|_| self.random.char('\0'..'\u{3000}')).collect();
        let batch = spans(self.next..self.next + self.random.u64(0..8), &text);
        self.next += batch.len() as u64;
        let before = self.bytes();
        let pushed = self.spool(which).push(&batch);
        assert_eq!(pushed.refused.is_some(), pushed.stored < batch.len(), "seed {}", self.seed);
        let numbers = |spans: &[SpanRecord]| spans.iter().map(number).collect::<Vec<_>>();
        self.taken.extend(numbers(&batch[..pushed.stored]));
        self.refused.extend(numbers(&batch[pushed.stored..]));
        self.accounts[which].0 += pushed.stored as u64;
        *self.faults.plan() = Planned::default();
        // One more for the newline behind a torn line that could not be taken back.
        let bytes = self.bytes();
        assert!(bytes <= before.max(MAX_BYTES + 1), "seed {}: {before}, then {bytes} bytes", self.seed);
    }

    fn bytes(&self) -> u64 {
        Folder::open(&self.dir).unwrap().list().unwrap().bytes()
    }

    fn plan_faults(&mut self) {
        let random = &mut self.random;
        let mut plan = self.faults.plan();
        for _ in 0..random.usize(0..4) {
            let kind =
                *random.choice(&[ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::Interrupted]).unwrap();
            plan.writes.push_back(match random.u8(0..3) {
                0 => (random.usize(1..900), Ok(())),
                // What an interrupted call reports, it did not do.
                1 if kind != ErrorKind::Interrupted => (random.usize(0..900), Err(kind)),
                _ => (0, Err(kind)),
            });
        }
        if random.u8(0..8) == 0 {
            plan.truncates.extend(vec![ErrorKind::Other; random.usize(0..3)]);
        }
        if random.u8(0..8) == 0 {
            plan.syncs.push_back(ErrorKind::Other);
        }
    }

    /// Delivers one segment, or only a part of it.
    fn deliver(&mut self, which: usize) {
        let Some(mut segment) = self.spool(which).next() else { return };
        let (limit, give_up) = (self.random.usize(1..5), self.random.u8(0..6) == 0);
        let mut held = Vec::new();
        loop {
            let numbers: Vec<_> = segment.batch(limit, 2_000).iter().map(number).collect();
            if numbers.is_empty() {
                break self.spool(which).done(segment);
            }
            for number in &numbers {
                *self.delivered.entry(*number).or_default() += 1;
            }
            held.extend(numbers);
            self.accounts[which].1 += self.spool(which).advance(&mut segment).settled;
            if give_up {
                // Dropped midway it comes again, and with it what was delivered.
                for number in held {
                    *self.again.entry(number).or_default() += 1;
                }
                break;
            }
        }
    }

    /// The process ends; killed, it leaves its lock and a part of a line behind.
    fn end(&mut self, which: usize) {
        let Some(spool) = self.spools[which].take() else { return };
        let (owner, active) = (spool.me.owner, spool.active.as_ref().map(|(name, _)| *name));
        drop(spool);
        self.accounts[which] = (0, 0);
        if self.random.bool() {
            fs::write(self.dir.join(owner.to_string()), "").unwrap();
            let path = active.map(|name| self.dir.join(name.to_string())).filter(|path| path.exists());
            if let Some(path) = path {
                let mut line = Vec::new();
                line::write(&spans(self.next..self.next + 1, "torn")[0], &mut line);
                self.refused.insert(self.next);
                self.next += 1;
                line.truncate(self.random.usize(0..line.len()));
                fs::OpenOptions::new().append(true).open(path).unwrap().write_all(&line).unwrap();
            }
        }
    }

    fn check_accounts(&mut self) {
        for (spool, (taken, settled)) in self.spools.iter_mut().zip(self.accounts) {
            if let Some(spool) = spool {
                assert_eq!((spool.spans(), spool.take_lost()), (taken - settled, 0), "seed {}", self.seed);
            }
        }
    }

    fn finish(mut self) {
        for which in 0..2 {
            self.end(which);
        }
        let mut last = Spool::open(&self.dir, MAX_BYTES).unwrap();
        for number in drain(&mut last) {
            *self.delivered.entry(number).or_default() += 1;
        }
        drop(last);
        let seed = self.seed;
        for (number, times) in &self.delivered {
            let most = 1 + self.again.get(number).unwrap_or(&0);
            assert!(*times <= most, "seed {seed}: span {number} was delivered {times} times");
            assert!(
                self.taken.contains(number) || self.refused.contains(number),
                "seed {seed}: span {number} is from nowhere"
            );
        }
        let missing: Vec<_> = self.taken.iter().filter(|n| !self.delivered.contains_key(n)).collect();
        assert!(missing.is_empty(), "seed {seed}: lost {missing:?}");
        let left: Vec<_> = files(&self.dir).into_iter().filter(|name| !name.ends_with(".corrupt")).collect();
        assert_eq!(left, Vec::<String>::new(), "seed {seed}");
    }
}

fn run(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..world.random.usize(1..60) {
        let which = world.random.usize(0..2);
        match world.random.u8(0..10) {
            0..6 => world.push(which),
            6..9 => world.deliver(which),
            _ => world.end(which),
        }
        world.check_accounts();
    }
    world.finish();
}

#[test]
fn every_span_that_was_taken_is_delivered() {
    (0..100).for_each(run);
}
