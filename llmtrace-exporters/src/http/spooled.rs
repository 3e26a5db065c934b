//! The spool as a shelf.

use std::fmt;
use std::io;
use std::path::Path;

use llmtrace::SpanRecord;

use super::shelf::{Put, Share, Shelf};
use crate::spool::Spool;
use crate::spool::destination::Destination;
use crate::spool::error::SpoolError;
use crate::spool::segment::Segment;

/// A spool, and the segment of it that is being delivered.
pub(crate) struct Spooled {
    spool: Spool,
    segment: Option<Segment>,
}

/// Most spans that are delivered at once, and how many bytes on disk end a batch.
const BATCH_SPANS: usize = 512;
const BATCH_BYTES: usize = 2 << 20;

impl Spooled {
    /// The spool of a destination within a directory that several may name.
    pub(crate) fn open(destination: &Destination, dir: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        Ok(Self { spool: Spool::open_for(destination, dir, max_bytes)?, segment: None })
    }
}

impl Shelf for Spooled {
    fn put(&mut self, spans: &[SpanRecord]) -> Put {
        let pushed = self.spool.push(spans);
        Put { stored: pushed.stored, refused: pushed.refused.map(|refused| refused.to_string()) }
    }

    fn oldest(&mut self) -> &[SpanRecord] {
        while let Some(mut segment) = self.segment.take().or_else(|| self.spool.next()) {
            if !segment.batch(BATCH_SPANS, BATCH_BYTES).is_empty() {
                return self.segment.insert(segment).batch(BATCH_SPANS, BATCH_BYTES);
            }
            self.spool.done(segment);
        }
        &[]
    }

    fn settle(&mut self) -> Share {
        let Some(segment) = &mut self.segment else { return Share::default() };
        let share = self.spool.advance(segment);
        Share { own: share.settled, others: share.replayed }
    }

    fn take_lost(&mut self) -> u64 {
        self.spool.take_lost()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.spool.sync()
    }
}

impl fmt::Debug for Spooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("bytes", &self.spool.bytes())
            .field("spans", &self.spool.spans())
            .field("counts", &self.spool.counts())
            .finish_non_exhaustive()
    }
}
