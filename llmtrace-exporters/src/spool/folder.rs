//! The directory that processes share: who may work on what, and how much there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::error::SpoolError;
use super::name::{Entry, Name, Owner};
use crate::jsonl::disk::Disk as _;
use crate::jsonl::open;

/// The directory.
pub(super) struct Folder {
    path: PathBuf,
    /// Locked by whoever adds to the directory, so that no two fill the same room.
    room: File,
}

/// The sole right to an owner's segments: that of the owner, or of one who locked its file after its end.
pub(super) struct Claim {
    pub(super) owner: Owner,
    lock: File,
}

/// The files that are the spool's, with their lengths in bytes. All others are left alone.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) segments: BTreeMap<Name, u64>,
    corrupt: BTreeMap<Name, u64>,
    locks: BTreeSet<Owner>,
}

/// The file that is locked while something is added.
const ROOM: &str = "room.lock";

/// The longest wait for another process that adds something. One that stands still for longer is not waited
/// for; then the directory may outgrow its bound by what that process still adds.
const ROOM_WAIT: Duration = Duration::from_secs(1);

/// The time between two looks.
const ROOM_PAUSE: Duration = Duration::from_millis(1);

/// Files set aside that are kept; older ones are deleted.
const MAX_CORRUPT_FILES: usize = 16;

impl Folder {
    /// Makes the directory, for its user only, where it does not exist.
    pub(super) fn open(dir: &Path) -> Result<Self, SpoolError> {
        make(dir)?;
        let failed = |action| move |source| SpoolError::Io { dir: dir.to_owned(), action, source };
        let room = open_itself(&dir.join(ROOM)).map_err(failed("making a file in it"))?;
        Ok(Self { path: dir.to_owned(), room })
    }

    /// The directory made again.
    pub(super) fn again(&self) -> Result<Self, SpoolError> {
        Self::open(&self.path)
    }

    /// Whether somebody deleted the directory.
    pub(super) fn is_gone(&self) -> bool {
        let gone = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
        fs::symlink_metadata(&self.path).is_err_and(gone)
    }

    /// Becomes an owner. `now` is in milliseconds since 1970.
    pub(super) fn enter(&self, pid: u32, now: u64) -> Result<Claim, SpoolError> {
        let failed =
            |source| SpoolError::Io { dir: self.path.clone(), action: "locking a file in it", source };
        for opened in now.. {
            let owner = Owner { pid, opened };
            let path = self.path.join(owner.to_string());
            let file = match open::options().create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed(error)),
            };
            match file.try_lock() {
                Ok(()) if file.is_at(&path) => return Ok(Claim { owner, lock: file }),
                // Somebody took it for a dead process's between the two calls.
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    drop(fs::remove_file(&path));
                    let no_locks = error.kind() == io::ErrorKind::Unsupported;
                    let dir = self.path.clone();
                    return Err(if no_locks { SpoolError::NoLocks { dir } } else { failed(error) });
                }
            }
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }

    /// Takes over what an owner left; `None` while it lives, or while another one has taken over.
    pub(super) fn claim(&self, owner: Owner) -> Option<Claim> {
        let path = self.path.join(owner.to_string());
        let file = open_itself(&path).ok()?;
        // Whoever had the lock before may have deleted the file, and then the lock is worth nothing.
        (file.try_lock().is_ok() && file.is_at(&path)).then_some(Claim { owner, lock: file })
    }

    /// To be called before a claim is dropped: takes its file away if nothing of the owner is left.
    pub(super) fn give_back(&self, claim: &Claim) {
        let nothing_left = |all: Listing| all.segments.keys().all(|name| name.owner != claim.owner);
        if self.list().is_ok_and(nothing_left) {
            drop(fs::remove_file(self.path.join(claim.owner.to_string())));
        }
    }

    /// Takes away the locks of dead owners who left nothing.
    pub(super) fn sweep(&self) {
        let mut listing = self.list().unwrap_or_default();
        for name in listing.segments.keys() {
            listing.locks.remove(&name.owner);
        }
        for owner in listing.locks {
            if let Some(claim) = self.claim(owner) {
                self.give_back(&claim);
            }
        }
    }

    /// Takes away what need not stay when nobody is left.
    pub(super) fn leave(&self) {
        if self.list().is_ok_and(|all| all.segments.is_empty() && all.locks.is_empty()) {
            drop(fs::remove_file(self.path.join(ROOM)));
        }
    }

    /// Keeps others from adding to the directory until [`free_room`](Folder::free_room).
    pub(super) fn hold_room(&self) {
        let until = Instant::now() + ROOM_WAIT;
        while matches!(self.room.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < until {
            thread::sleep(ROOM_PAUSE);
        }
    }

    pub(super) fn free_room(&self) {
        // A lock that cannot be given back goes when the process ends.
        drop(self.room.unlock());
    }

    pub(super) fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Some(is) = entry.file_name().to_str().and_then(Entry::of) else { continue };
            // The metadata is that of a link, not of what it leads to. What is gone meanwhile needs no mention.
            let Some(found) = entry.metadata().ok().filter(fs::Metadata::is_file) else { continue };
            match is {
                Entry::Segment(name) => _ = listing.segments.insert(name, found.len()),
                Entry::Corrupt(name) => _ = listing.corrupt.insert(name, found.len()),
                Entry::Lock(owner) => _ = listing.locks.insert(owner),
            }
        }
        Ok(listing)
    }

    /// Makes a new file for a segment.
    pub(super) fn create(&self, name: Name) -> io::Result<File> {
        open::options().create_new(true).open(self.path_of(name))
    }

    /// Opens a segment to read it.
    pub(super) fn read(&self, name: Name) -> io::Result<File> {
        let path = self.path_of(name);
        let file = File::open(&path)?;
        if file.is_at(&path) { Ok(file) } else { Err(io::Error::other("it is a link")) }
    }

    pub(super) fn remove(&self, name: Name) -> io::Result<()> {
        match fs::remove_file(self.path_of(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Renames a segment, so that nobody reads it again; of such files the newest are kept, `max_bytes` at most.
    pub(super) fn set_aside(&self, name: Name, max_bytes: u64) -> io::Result<()> {
        fs::rename(self.path_of(name), self.path.join(name.corrupt()))?;
        let mut kept = 0;
        for (index, (name, bytes)) in self.list()?.corrupt.into_iter().rev().enumerate() {
            kept += bytes;
            if index >= MAX_CORRUPT_FILES || kept > max_bytes {
                drop(fs::remove_file(self.path.join(name.corrupt())));
            }
        }
        Ok(())
    }

    /// Whether the segment is there, as far as can be told.
    pub(super) fn has(&self, name: Name) -> bool {
        let gone =
            |error: io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        !fs::symlink_metadata(self.path_of(name)).is_err_and(gone)
    }

    fn path_of(&self, name: Name) -> PathBuf {
        self.path.join(name.to_string())
    }

    /// Makes the names in the directory durable, where the system lets directories be synced.
    pub(super) fn sync(&self) {
        drop(File::open(&self.path).and_then(|folder| folder.sync_all()));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is just being started has it open too.
        drop(self.lock.unlock());
    }
}

impl Listing {
    pub(super) fn bytes(&self) -> u64 {
        self.segments.values().chain(self.corrupt.values()).sum()
    }
}

/// Makes a directory, for its user only, where there is none yet.
pub(super) fn make(dir: &Path) -> Result<(), SpoolError> {
    let failed = |action| move |source| SpoolError::Io { dir: dir.to_owned(), action, source };
    match fs::symlink_metadata(dir) {
        Ok(found) if found.is_symlink() => Err(SpoolError::SymbolicLink { dir: dir.to_owned() }),
        Ok(found) if !found.is_dir() => Err(SpoolError::NotADirectory { dir: dir.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(dir).map_err(failed("making it"))
        }
        Err(error) => Err(failed("looking at it")(error)),
    }
}

/// Opens a file, made where it does not exist, but not what a link leads to.
fn open_itself(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    open::options().create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_is_dropped_is_free_though_a_copy_of_its_file_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let claim = folder.enter(1, 1).unwrap();
        let (owner, copy) = (claim.owner, claim.lock.try_clone().unwrap());
        assert!(folder.claim(owner).is_none());
        drop(claim);
        assert!(folder.claim(owner).is_some());
        drop(copy);
    }

    #[test]
    fn the_room_is_for_one_unless_that_one_stands_still() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Folder::open(dir.path()).unwrap();
        let (first, second) = (open(), open());
        let waited = |folder: &Folder| {
            let start = Instant::now();
            folder.hold_room();
            start.elapsed()
        };
        first.hold_room();
        assert!(waited(&second) >= ROOM_WAIT);
        first.free_room();
        second.hold_room();
        assert!(waited(&first) >= ROOM_WAIT);
    }
}
