//! Where spans wait that could not be delivered.

use std::fmt;
use std::io;

use llmtrace::SpanRecord;

/// A place for spans that outlives the process: the spool, as the exporter sees it.
pub(crate) trait Shelf: fmt::Debug + Send {
    /// Puts spans aside, the first ones if not all fit.
    fn put(&mut self, spans: &[SpanRecord]) -> Put;

    /// The oldest spans, the same ones until they are [settled](Shelf::settle); empty when there are none.
    fn oldest(&mut self) -> &[SpanRecord];

    /// Says that the oldest spans are dealt with, be it delivered or given up.
    fn settle(&mut self) -> Share;

    /// Spans of this process that can no longer be read, since the last call.
    fn take_lost(&mut self) -> u64;

    /// Makes what was put aside durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// What came of putting spans aside.
#[derive(Debug)]
pub(crate) struct Put {
    /// How many, from the first on, are safe.
    pub(crate) stored: usize,
    /// Why the rest is not.
    pub(crate) refused: Option<String>,
}

/// Whose spans they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// Put aside by this process.
    pub(crate) own: u64,
    /// Left behind by another one.
    pub(crate) others: u64,
}
