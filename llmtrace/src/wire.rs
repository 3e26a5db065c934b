//! A call over the network, written to the span that it belongs to.

use std::fmt;

use tracing::{Dispatch, Span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan as _;

use crate::layer::{LlmSubscriber, Outgoing, SpanCapture};
use crate::log::Entry;
use crate::prune::LinePruner;
use crate::{AttributeValue, Recorder};

/// A call over the network, written to the span that it belongs to: that of the model call around it, else one of
/// its own. Dropped before its end, it says that the answer was given up.
pub(crate) struct WireCall {
    /// Keeps the span open.
    anchor: Span,
    /// The layer's number of the span; not always the anchor's.
    key: u64,
    is_own: bool,
    is_open: bool,
    is_failed: bool,
    pruner: LinePruner,
}

impl WireCall {
    /// Whether a layer of ours listens at all: without one, nothing need be known of a call.
    pub(crate) fn is_heard() -> bool {
        tracing::dispatcher::get_default(|dispatch| layer(dispatch).is_some())
    }

    /// `open` makes a span of the call's own. `None` where no layer of ours records it.
    pub(crate) fn begin(call: Outgoing<'_>, open: impl FnOnce() -> Span) -> Option<Self> {
        let begin = |anchor: Span, key, is_own| {
            let (is_open, is_failed, pruner) = (true, false, LinePruner::default());
            Self { anchor, key, is_own, is_open, is_failed, pruner }
        };
        let current = Span::current();
        let claimed = current.with_subscriber(|(id, dispatch)| {
            let layer = layer(dispatch)?;
            layer.0.claim(nearest(layer, dispatch, id)?, call)
        });
        if let Some(key) = claimed.flatten() {
            return Some(begin(current, key, false));
        }
        let own = open();
        let key = own.with_subscriber(|(id, dispatch)| {
            let key = id.into_u64();
            layer(dispatch)?.0.knows(key).then_some(key)
        });
        Some(begin(own, key.flatten()?, true))
    }

    /// The span that the call runs in: its own, or none, as the one around it is entered already.
    pub(crate) fn span(&self) -> Span {
        if self.is_own { self.anchor.clone() } else { Span::none() }
    }

    /// Names the call's own span.
    pub(crate) fn name(&self, name: &str) {
        if self.is_own {
            self.record(false, |recorder| recorder.name(name));
        }
    }

    /// The body of the request, where it can be read.
    pub(crate) fn sent(&self, body: Option<&[u8]>) {
        self.record(false, |recorder| recorder.sent(body));
    }

    /// An attribute that yields to whatever else is said under its key.
    pub(crate) fn known<'v>(&self, key: &str, value: impl Into<AttributeValue<'v>>) {
        let value = value.into();
        self.record(false, |recorder| recorder.known(key, value));
    }

    /// The headers of the answer: those that tell something of the call.
    pub(crate) fn headers<N: AsRef<str>, V: AsRef<[u8]>>(&self, headers: impl Iterator<Item = (N, V)>) {
        self.record(false, |recorder| recorder.response_headers(headers));
    }

    /// The answer is one document, not lines of a stream.
    pub(crate) fn answers_whole(&mut self) {
        self.pruner = LinePruner::whole();
    }

    /// Bytes of the answer.
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        let mut pruner = std::mem::take(&mut self.pruner);
        if self.is_open && !bytes.is_empty() {
            self.record(false, |recorder| recorder.received(bytes, &mut pruner));
        }
        self.pruner = pruner;
    }

    /// The call failed: type and message.
    pub(crate) fn failed(&mut self, kind: &str, message: &str) {
        if self.is_open {
            self.is_failed = true;
            self.record(false, |recorder| recorder.failed(kind, message));
        }
    }

    /// The answer has come to its end.
    pub(crate) fn done(&mut self) {
        self.end(Entry::Done);
    }

    fn end(&mut self, how: Entry<'static>) {
        if !std::mem::replace(&mut self.is_open, false) {
            return;
        }
        // How the function around it ends is for that function to say.
        let how = if self.is_own || matches!(how, Entry::CutOff) { Some(how) } else { None };
        self.record(self.is_own, |recorder| {
            if let Some(how) = how {
                recorder.push(how);
            }
        });
        if !self.is_own {
            let (key, is_failed) = (self.key, self.is_failed);
            self.with_layer(|layer| {
                layer.0.last_until_now(key);
                if is_failed {
                    layer.0.release(key);
                }
            });
        }
        self.anchor = Span::none();
    }

    fn record(&self, is_end: bool, write: impl FnOnce(&mut Recorder<'_>)) {
        self.with_layer(|layer| layer.0.record(self.key, is_end, write));
    }

    fn with_layer(&self, use_it: impl FnOnce(&SpanCapture)) {
        self.anchor.with_subscriber(|(_, dispatch)| layer(dispatch).map(use_it));
    }
}

impl Drop for WireCall {
    fn drop(&mut self) {
        self.end(if self.is_failed { Entry::Done } else { Entry::CutOff });
    }
}

impl fmt::Debug for WireCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireCall").field("span", &self.anchor).finish_non_exhaustive()
    }
}

fn layer(dispatch: &Dispatch) -> Option<&SpanCapture> {
    match dispatch.downcast_ref::<LlmSubscriber>() {
        Some(subscriber) => Some(&subscriber.capture),
        None => dispatch.downcast_ref::<SpanCapture>(),
    }
}

/// The nearest span from `id` up that the layer knows: its filter hides spans that are not about an LLM.
fn nearest(layer: &SpanCapture, dispatch: &Dispatch, id: &tracing::Id) -> Option<u64> {
    let known = |key: u64| layer.0.knows(key).then_some(key);
    known(id.into_u64()).or_else(|| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.scope().find_map(|span| known(span.id().into_u64()))
    })
}
