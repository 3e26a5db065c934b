//! From `tracing_subscriber` callbacks to drafts.

use std::fmt;
use std::sync::Arc;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::head::Parent;
use super::is_wanted;
use super::open::Open;
use crate::pipeline::InPipeline;

/// Records spans; [`LlmLayer`](crate::LlmLayer) is this behind a filter.
pub struct SpanCapture(pub(crate) Arc<Open>);

/// The span that a new span or an event belongs to, as far as this layer knows it.
fn nearest<S>(open: &Open, ctx: &Context<'_, S>, parent: Option<&Id>, is_contextual: bool) -> Option<Parent>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let known = |id: &Id| open.parent(id.into_u64());
    let start = if is_contextual { ctx.current_span().id().cloned() } else { parent.cloned() }?;
    known(&start).or_else(|| {
        // A span that this layer's filter hides; its ancestors are known only where it is the current one.
        let span = ctx.span(&start).or_else(|| is_contextual.then(|| ctx.lookup_current()).flatten())?;
        span.scope().find_map(|ancestor| known(&ancestor.id()))
    })
}

impl<S> Layer<S> for SpanCapture
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_wanted(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_wanted(metadata)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if !InPipeline::is_set() {
            let parent = nearest(&self.0, &ctx, attributes.parent(), attributes.is_contextual());
            match self.0.place(parent) {
                Ok(place) => self.0.open(id.into_u64(), attributes, place),
                Err(origin) => self.0.head.marks.insert(id.into_u64(), origin),
            }
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if self.0.is_recorded(id.into_u64()) {
            self.0.fields(id.into_u64(), values);
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        self.0.follow(id.into_u64(), follows.into_u64());
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if !InPipeline::is_set()
            && let Some(Parent::Recorded(key, _)) =
                nearest(&self.0, &ctx, event.parent(), event.is_contextual())
        {
            self.0.event(key, event);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let key = id.into_u64();
        if !self.0.head.marks.remove(key)
            && let Some(draft) = self.0.store.remove(key)
        {
            self.0.ended(draft);
        }
    }
}

impl fmt::Debug for SpanCapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanCapture").field("open", &self.0.len()).finish_non_exhaustive()
    }
}
