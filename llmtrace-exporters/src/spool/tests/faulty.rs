//! Disks that fail.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write as _};
use std::sync::{Arc, Mutex};

use super::*;
use crate::jsonl::disk::Syncer;

/// A file that fails as it is told to.
pub(super) struct Faulty {
    file: File,
    faults: Faults,
}

/// What is to come of the next calls; when nothing is said, they do what they should.
#[derive(Clone, Default)]
pub(super) struct Faults(Arc<Mutex<Planned>>);

#[derive(Default)]
pub(super) struct Planned {
    /// How many bytes go to the disk, and what is said of it.
    pub(super) writes: VecDeque<(usize, Result<(), ErrorKind>)>,
    pub(super) truncates: VecDeque<ErrorKind>,
    pub(super) syncs: VecDeque<ErrorKind>,
}

impl Faults {
    pub(super) fn inject(&self, spool: &mut Spool) {
        let faults = self.clone();
        spool.disk = Box::new(move |file| Box::new(Faulty { file, faults: faults.clone() }));
    }

    pub(super) fn plan(&self) -> std::sync::MutexGuard<'_, Planned> {
        self.0.lock().unwrap()
    }
}

impl Disk for Faulty {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let planned = self.faults.plan().writes.pop_front();
        let (taken, result) = planned.unwrap_or((bytes.len(), Ok(())));
        let taken = taken.min(bytes.len());
        self.file.write_all(&bytes[..taken])?;
        Ok(result.map(|()| taken)?)
    }

    fn len(&self) -> io::Result<u64> {
        Disk::len(&self.file)
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(at, bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let planned = self.faults.plan().truncates.pop_front();
        planned.map_or_else(|| self.file.truncate(len), |kind| Err(kind.into()))
    }

    fn syncer(&self) -> io::Result<Syncer> {
        let planned = self.faults.plan().syncs.pop_front();
        // Only a power loss would show the difference.
        planned.map_or_else(|| Ok(Box::new(|| Ok(())) as Syncer), |kind| Err(kind.into()))
    }

    fn is_at(&self, path: &Path) -> bool {
        self.file.is_at(path)
    }

    fn release(&mut self) {
        self.file.release();
    }
}

#[test]
fn failed_writes_lose_only_what_was_refused() {
    let full = Err(ErrorKind::StorageFull);
    let check =
        |writes: &[(usize, Result<(), ErrorKind>)], truncates: usize, stored, read: &[u64], corrupt| {
            let (_folder, dir) = folder();
            let mut spool = Spool::open(&dir, PLENTY).unwrap();
            let faults = Faults::default();
            faults.inject(&mut spool);
            faults.plan().writes = writes.iter().copied().collect();
            faults.plan().truncates = vec![ErrorKind::Other; truncates].into();
            let pushed = spool.push(&spans(0..3, ""));
            assert_eq!(
                (pushed.stored, spool.spans(), spool.counts().refused),
                (stored, stored as u64, 3 - stored as u64)
            );
            assert_eq!(matches!(pushed.refused, Some(Refusal::Disk(_))), stored < 3);
            assert_eq!(spool.push(&spans(3..5, "")).stored, 2, "there is room again");
            assert_eq!(drain(&mut spool), read);
            let counts = spool.counts();
            assert_eq!((counts.torn, counts.corrupt, counts.set_aside), (0, corrupt, corrupt));
            assert_eq!((spool.spans(), spool.take_lost()), (0, 0));
            assert_eq!(segments(&dir), Vec::<PathBuf>::new());
        };
    let line = usize::try_from(line_bytes("")).unwrap();
    check(&[(7, Ok(())), (1, Ok(())), (0, Err(ErrorKind::Interrupted))], 0, 3, &[0, 1, 2, 3, 4], 0);
    check(&[(0, full)], 0, 0, &[3, 4], 0);
    check(&[(7, full)], 0, 0, &[3, 4], 0);
    check(&[(line + 7, Ok(())), (0, Err(ErrorKind::Other))], 0, 1, &[0, 3, 4], 0);
    check(&[(0, Ok(()))], 0, 0, &[3, 4], 0);
    // What cannot be taken back is closed with a newline.
    check(&[(line + 7, Ok(())), (0, full)], 2, 1, &[0, 3, 4], 1);
    // The disk took a line and said that it failed: the span was refused, and is delivered all the same.
    check(&[(line - 1, full)], 2, 0, &[0, 3, 4], 0);
}

#[test]
fn a_failed_fsync_keeps_the_spans() {
    let (_folder, dir) = folder();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    let faults = Faults::default();
    faults.inject(&mut spool);
    spool.push(&spans(0..2, ""));
    faults.plan().syncs = [ErrorKind::Other].into();
    assert_eq!(spool.sync().unwrap_err().kind(), ErrorKind::Other);
    spool.push(&spans(2..3, ""));
    assert_eq!((spool.spans(), drain(&mut spool)), (3, vec![0, 1, 2]));
}
