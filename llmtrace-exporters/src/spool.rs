//! The spool: spans that cannot be delivered wait on disk, across restarts and `kill -9`.
//!
//! # The directory
//!
//! | file | holds |
//! |---|---|
//! | `<start>-<sequence>-<pid>-<opened>.spool.jsonl` | a segment: spans, in the order in which they were put aside |
//! | `<pid>-<opened>.spool.lock` | nothing; locked as long as the process lives that writes the segments of that name |
//! | `<…>.spool.jsonl.corrupt` | a segment that could not be read to its end, for a person to look at |
//! | `room.lock` | nothing; locked while a process adds to the directory |
//!
//! `start` and `opened` are milliseconds since 1970. Each spool of a process owns what it writes. Who wants to deliver
//! another one's segments takes its lock, which is free once the process is gone. So no segment is delivered by two at
//! a time. Files with other names, links and directories are left alone. Such a directory is for one destination: who
//! shares it delivers what the others left. So each destination has one of its own in the directory that a user names,
//! see [`destination`].
//!
//! # The line
//!
//! One line of version 1 a span (see [`write_line`](crate::write_line)), whose last member is `"crc32":"xxxxxxxx"`: the
//! CRC-32 of zlib and Ethernet, in hexadecimal, of the line's bytes before the comma in front of that member. So a
//! segment is a file of JSON Lines like any other, and a line that is torn or changed is known.
//!
//! # What is promised
//!
//! - A process that is killed loses no span that [`Spool::push`] took. At most one line a process is torn then; it was
//!   not taken, and is skipped and counted.
//! - A power loss takes at most the segment that was being written: a segment is made durable when it is closed, and
//!   when the spool is dropped. It may bring back a segment that was delivered just before.
//! - Spans are delivered at least once: a segment is removed when all of it was delivered. After a crash its spans come
//!   again, with the same ids.
//! - The directory holds at most `max_bytes`, whoever adds to it; beyond that the newest spans are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use llmtrace::SpanRecord;

use crate::jsonl::disk::Disk;
use crate::jsonl::lines::MAX_LINE_BYTES;
use crate::jsonl::tail::{Tail, WriteError};
use account::{Counts, Own, Pushed, Share};
use destination::Destination;
use error::{Refusal, SpoolError};
use folder::{Claim, Folder};
use name::Name;
use segment::Segment;

pub(crate) mod account;
pub(crate) mod destination;
pub(crate) mod error;
mod folder;
mod line;
mod name;
pub(crate) mod segment;
mod vanished;

/// Spans on disk that wait to be delivered.
pub(crate) struct Spool {
    folder: Folder,
    me: Claim,
    max_bytes: u64,
    segment_bytes: u64,
    /// The segment that is being written.
    active: Option<(Name, Tail)>,
    /// Full segments that are not yet durable.
    full: Vec<Tail>,
    own: BTreeMap<Name, Own>,
    /// Segments that are dealt with but could not be removed.
    finished: BTreeSet<Name>,
    sequence: u64,
    last_start: u64,
    bytes: u64,
    lost: u64,
    counts: Counts,
    /// The spans of a push as text, and where each line ends.
    buffer: Vec<u8>,
    ends: Vec<usize>,
    /// How a file is written to; tests put faults here.
    disk: Box<dyn Fn(File) -> Box<dyn Disk> + Send>,
}

/// A segment grows to this size: the least that is delivered again after a crash, and lost to a power loss.
const SEGMENT_BYTES: std::ops::RangeInclusive<u64> = (4 << 20)..=(8 << 20);

/// Segments that a full directory should hold.
const SEGMENTS: u64 = 256;

/// Segments that a directory holds at most; processes that end early leave small ones.
const MAX_SEGMENTS: usize = 16 * 1024;

/// Of the directory, the part that may go to segments set aside.
const CORRUPT_PART: u64 = 8;

/// Memory for the next push that is kept after a larger one.
const KEEP_BUFFER_BYTES: usize = 4 << 20;

impl Spool {
    /// Opens the directory, made where it does not exist; it holds at most `max_bytes`.
    ///
    /// # Errors
    ///
    /// The directory cannot be made or written to, is a link or no directory, or is on a file system without locks.
    pub(crate) fn open(dir: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let folder = Folder::open(dir)?;
        folder.sweep();
        let me = folder.enter(process::id(), now())?;
        let bytes = folder.list().map_or(0, |all| all.bytes());
        Ok(Self {
            folder,
            me,
            max_bytes,
            segment_bytes: (max_bytes / SEGMENTS).clamp(*SEGMENT_BYTES.start(), *SEGMENT_BYTES.end()),
            active: None,
            full: Vec::new(),
            own: BTreeMap::new(),
            finished: BTreeSet::new(),
            sequence: 0,
            last_start: 0,
            bytes,
            lost: 0,
            counts: Counts::default(),
            buffer: Vec::new(),
            ends: Vec::new(),
            disk: Box::new(|file| Box::new(file)),
        })
    }

    /// Opens the directory of a destination within `dir`.
    ///
    /// # Errors
    ///
    /// As those of [`open`](Spool::open), for either directory.
    pub(crate) fn open_for(
        destination: &Destination,
        dir: &Path,
        max_bytes: u64,
    ) -> Result<Self, SpoolError> {
        folder::make(dir)?;
        Self::open(&dir.join(destination.folder()), max_bytes)
    }

    /// Puts spans on disk, as many as fit; the first ones if not all do.
    pub(crate) fn push(&mut self, spans: &[SpanRecord]) -> Pushed {
        let readable = self.encode(spans);
        if self.folder.is_gone() {
            self.renew();
        }
        self.folder.hold_room();
        let (stored, refused) = self.write();
        self.folder.free_room();
        // What cannot be made durable is still there.
        drop(self.sync_full());
        let too_long = || (readable < spans.len()).then_some(Refusal::TooLong { limit: MAX_LINE_BYTES });
        self.counts.refused += (spans.len() - stored) as u64;
        Pushed { stored, refused: refused.or_else(too_long) }
    }

    /// The oldest segment that nobody else works on, be it of this process or of one that is gone.
    ///
    /// Work on one at a time: until it is [`done`](Spool::done), the same one comes again. Its batches go on with
    /// [`advance`](Spool::advance); who drops it midway gets it again from its start.
    pub(crate) fn next(&mut self) -> Option<Segment> {
        let listing = self.list().ok()?;
        let mut busy = BTreeSet::new();
        for name in listing.segments.into_keys() {
            if self.finished.contains(&name) {
                let removed = self.folder.remove(name);
                self.finish(name, &removed);
            } else if name.owner == self.me.owner {
                if let Some(segment) = self.read_own(name) {
                    return Some(segment);
                }
            } else if !busy.contains(&name.owner) {
                let Some(claim) = self.folder.claim(name.owner) else {
                    busy.insert(name.owner);
                    continue;
                };
                match self.read(name) {
                    Some(file) => return Some(Segment::new(name, file, Some(claim))),
                    None => self.folder.give_back(&claim),
                }
            }
        }
        None
    }

    /// Says that the segment's present batch is dealt with, be it delivered or given up.
    pub(crate) fn advance(&mut self, segment: &mut Segment) -> Share {
        let (spans, passed) = segment.pass();
        if segment.is_foreign() {
            return Share { settled: 0, replayed: spans };
        }
        let Some(own) = self.own.get_mut(&segment.name()) else { return Share::default() };
        let before = own.waiting();
        own.passed = own.passed.max(passed);
        Share { settled: before - own.waiting(), replayed: 0 }
    }

    /// Removes a segment that is dealt with, or sets it aside if not all of it could be read.
    pub(crate) fn done(&mut self, segment: Segment) {
        let (name, found, claim) = segment.close();
        self.counts.torn += found.torn;
        self.counts.corrupt += found.corrupt;
        self.lost += self.own.remove(&name).unwrap_or_default().waiting();
        if found.corrupt > 0 || found.failed {
            self.set_aside(name);
        } else {
            let removed = self.folder.remove(name);
            self.finish(name, &removed);
        }
        if let Some(claim) = claim {
            self.folder.give_back(&claim);
        }
        self.bytes = self.folder.list().map_or(self.bytes, |all| all.bytes());
    }

    /// Bytes in the directory, of all processes, as of the last call that changed or read it.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Spans that this spool took and that are not yet dealt with.
    pub(crate) fn spans(&self) -> u64 {
        self.own.values().map(|own| own.waiting()).sum()
    }

    /// Spans that this spool took and that can no longer be read, since the last call.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// What went wrong so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Makes all that was taken durable; a new segment begins with the next push.
    ///
    /// # Errors
    ///
    /// The disk failed; then a power loss may take the spans.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.full.extend(self.active.take().map(|(_, tail)| tail));
        self.sync_full()
    }

    fn sync_full(&mut self) -> io::Result<()> {
        if self.full.is_empty() {
            return Ok(());
        }
        self.folder.sync();
        let synced = self.full.drain(..).map(|mut tail| tail.disk().syncer().and_then(|mut sync| sync()));
        synced.fold(Ok(()), io::Result::and)
    }

    /// Writes the spans as text, up to one that could not be read back; says how many.
    fn encode(&mut self, spans: &[SpanRecord]) -> usize {
        self.buffer.clear();
        self.buffer.shrink_to(KEEP_BUFFER_BYTES);
        self.ends.clear();
        for span in spans {
            let start = self.buffer.len();
            line::write(span, &mut self.buffer);
            if self.buffer.len() - start > MAX_LINE_BYTES {
                self.buffer.truncate(start);
                break;
            }
            self.ends.push(self.buffer.len());
        }
        self.ends.len()
    }

    /// Writes the lines that were made, into more than one segment where one is full; says how many were written.
    fn write(&mut self) -> (usize, Option<Refusal>) {
        let listing = match self.list() {
            Ok(listing) => listing,
            Err(error) => return (0, Some(Refusal::Disk(error))),
        };
        let mut segments = listing.segments.len();
        let (mut lines, mut from) = (0, 0);
        while let Some(ends) = self.ends.get(lines..).filter(|ends| !ends.is_empty()) {
            let fitting = |room: u64| ends.partition_point(|end| (end - from) as u64 <= room);
            let room = fitting(self.max_bytes.saturating_sub(self.bytes));
            let is_new = self.active.is_none();
            if room == 0 || is_new && segments >= MAX_SEGMENTS {
                let (bytes, max_bytes) = (self.bytes, self.max_bytes);
                return (lines, Some(Refusal::Full { bytes, max_bytes, segments }));
            }
            let length = self.active.as_ref().map_or(0, |(_, tail)| tail.len());
            let fits = fitting(self.segment_bytes.saturating_sub(length)).min(room);
            if fits == 0 && length > 0 {
                // Others wait for the room: it is made durable later.
                self.full.extend(self.active.take().map(|(_, tail)| tail));
                continue;
            }
            let count = fits.max(1);
            let end = ends.get(count - 1).copied().unwrap_or(from);
            let (name, mut tail) = match self.active.take().map_or_else(|| self.begin(), Ok) {
                Ok(active) => active,
                Err(error) => return (lines, Some(Refusal::Disk(error))),
            };
            segments += usize::from(is_new);
            let written = tail.write(self.buffer.get(from..end).unwrap_or_default());
            self.active = Some((name, tail));
            let bytes = written.as_ref().map_or_else(|error| error.written, |()| end - from);
            let whole = self.ends.iter().skip(lines).take_while(|end| **end <= from + bytes).count();
            self.own.entry(name).or_default().taken += whole as u64;
            self.bytes += bytes as u64;
            lines += whole;
            if let Err(WriteError { cause, .. }) = written {
                return (lines, Some(Refusal::Disk(cause)));
            }
            from = end;
        }
        (lines, None)
    }

    /// Begins a segment.
    fn begin(&mut self) -> io::Result<(Name, Tail)> {
        // Clocks are set back; the order of a spool's segments is not.
        self.last_start = self.last_start.max(now());
        self.sequence += 1;
        let name = Name { start: self.last_start, sequence: self.sequence, owner: self.me.owner };
        let file = self.folder.create(name)?;
        Ok((name, Tail::empty((self.disk)(file))))
    }

    /// Opens a segment of this spool, closed first if it is being written; none if it is still empty.
    fn read_own(&mut self, name: Name) -> Option<Segment> {
        if self.active.as_ref().is_some_and(|(active, _)| *active == name) {
            if self.own.get(&name).is_none_or(|own| own.taken == 0) {
                return None;
            }
            // What cannot be made durable is still there.
            drop(self.sync());
        }
        Some(Segment::new(name, self.read(name)?, None))
    }

    /// Opens a segment; sets it aside if it is there and cannot be opened.
    fn read(&mut self, name: Name) -> Option<File> {
        let opened = self.folder.read(name);
        if opened.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
            self.lost += self.own.remove(&name).unwrap_or_default().waiting();
            self.set_aside(name);
        }
        opened.ok()
    }

    fn set_aside(&mut self, name: Name) {
        self.counts.set_aside += 1;
        let renamed = self.folder.set_aside(name, self.max_bytes / CORRUPT_PART);
        self.finish(name, &renamed);
    }

    /// Remembers a segment that could not be taken away, so that this process does not deliver it again.
    fn finish(&mut self, name: Name, taken_away: &io::Result<()>) {
        if taken_away.is_ok() {
            self.finished.remove(&name);
        } else {
            self.finished.insert(name);
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        drop(self.sync());
        for (name, _) in self.own.iter().filter(|(_, own)| own.taken == 0) {
            drop(self.folder.remove(*name));
        }
        self.folder.give_back(&self.me);
        self.folder.leave();
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
