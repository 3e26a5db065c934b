//! llmtrace as the only subscriber of a program.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

use super::capture::SpanCapture;
use super::{is_wanted, unrecorded};
use crate::pipeline::InPipeline;

/// llmtrace as the only subscriber of a program. It records what [`LlmLayer`](crate::LlmLayer) records on top of
/// `tracing_subscriber`'s registry; without the registry's own span store beside it, a call costs half as much.
pub(crate) struct LlmSubscriber {
    pub(crate) capture: SpanCapture,
    /// Numbers are never used twice, so that a stale one finds nothing.
    next: AtomicU64,
}

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl LlmSubscriber {
    pub(crate) fn new(capture: SpanCapture) -> Self {
        Self { capture, next: AtomicU64::new(1) }
    }

    fn innermost() -> Option<u64> {
        ENTERED.try_with(|entered| entered.borrow().last().copied()).ok().flatten()
    }

    fn parent(parent: Option<&Id>, is_contextual: bool) -> Option<u64> {
        if is_contextual { Self::innermost() } else { parent.map(Id::into_u64) }
    }
}

impl Subscriber for LlmSubscriber {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_wanted(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_wanted(metadata)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        if InPipeline::is_set() {
            return Id::from_u64(self.next.fetch_add(1, Ordering::Relaxed));
        }
        let open = &self.capture.0;
        let parent = Self::parent(attributes.parent(), attributes.is_contextual());
        // A span stays open while it has open children.
        match open.place(parent.and_then(|key| open.hold(key))) {
            Ok(place) => {
                let key = self.next.fetch_add(1, Ordering::Relaxed);
                open.open(key, attributes, place);
                Id::from_u64(key)
            }
            Err(origin) => Id::from_u64(origin.to_number()),
        }
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let (open, key) = (&self.capture.0, id.into_u64());
        if open.is_recorded(key) {
            open.fields(key, values);
        }
    }

    fn record_follows_from(&self, id: &Id, follows: &Id) {
        self.capture.0.follow(id.into_u64(), follows.into_u64());
    }

    fn event(&self, event: &Event<'_>) {
        if !InPipeline::is_set()
            && let Some(key) = Self::parent(event.parent(), event.is_contextual())
            && self.capture.0.is_recorded(key)
        {
            self.capture.0.event(key, event);
        }
    }

    fn enter(&self, id: &Id) {
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        let key = id.into_u64();
        let _ = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            if entered.last() == Some(&key) {
                entered.pop();
            } else if let Some(place) = entered.iter().rposition(|&entered| entered == key) {
                entered.remove(place);
            }
        });
    }

    fn current_span(&self) -> Current {
        let open = &self.capture.0;
        let known = |key| {
            let metadata = if open.is_recorded(key) {
                open.store.with(key, |draft| draft.plan.metadata)?
            } else {
                &unrecorded::METADATA
            };
            Some(Current::new(Id::from_u64(key), metadata))
        };
        Self::innermost().and_then(known).unwrap_or_else(Current::none)
    }

    fn clone_span(&self, id: &Id) -> Id {
        let open = &self.capture.0;
        if let Some(key) = open.counted(id.into_u64()) {
            open.store.with(key, |draft| draft.handles += 1);
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let open = &self.capture.0;
        let mut is_closed = false;
        let Some(mut key) = open.counted(id.into_u64()) else { return false };
        while let Some(draft) = open.store.release(key) {
            is_closed = true;
            key = draft.parent_key;
            open.ended(draft);
        }
        is_closed
    }
}

impl fmt::Debug for LlmSubscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmSubscriber").field("capture", &self.capture).finish_non_exhaustive()
    }
}
