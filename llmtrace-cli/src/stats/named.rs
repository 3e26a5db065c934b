//! Who a trace is of, where a call of it does not say.

use llmtrace::{SpanId, SpanRecord, Timestamp};

/// What a trace names: what its root says, else the earliest span that says it.
#[derive(Debug, Default)]
pub(super) struct Named {
    root: Option<(Place, Option<Box<str>>)>,
    earliest: Option<((Timestamp, SpanId), Box<str>)>,
}

/// How near to being the root of its trace a span is: the least is it, until another comes.
type Place = (u8, Timestamp, SpanId);

impl Named {
    /// Takes in what a span names.
    pub(super) fn add(&mut self, span: &SpanRecord, key: Option<Box<str>>) {
        let place = place(span);
        let at = (span.start, span.span_id);
        if let Some(key) = &key
            && self.earliest.as_ref().is_none_or(|(earliest, _)| at < *earliest)
        {
            self.earliest = Some((at, key.clone()));
        }
        if self.root.as_ref().is_none_or(|(root, _)| place < *root) {
            self.root = Some((place, key));
        }
    }

    /// What the trace names.
    pub(super) fn key(self) -> Option<Box<str>> {
        self.root.and_then(|(_, key)| key).or(self.earliest.map(|(_, key)| key))
    }
}

/// Parents in another process come after having none; a running span is no root yet.
fn place(span: &SpanRecord) -> Place {
    let rank = match span.parent_span_id {
        _ if span.end.unix_nanos() == 0 => 2,
        None => 0,
        Some(_) if span.parent_is_remote => 1,
        Some(_) => 2,
    };
    (rank, span.start, span.span_id)
}
