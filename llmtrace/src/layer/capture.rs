//! From `tracing_subscriber` callbacks to drafts.

use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::draft::{Draft, Role};
use super::plan::Plan;
use super::store::{Relation, Store};
use super::visitor::{EventVisitor, OnDebug, SpanVisitor};
use super::{Capture, is_wanted};
use crate::content::ContentPolicy;
use crate::id::IdSource;
use crate::identity::Identity;
use crate::log::{Entry, Log};
use crate::pipeline::{Home, InPipeline, Pipeline};
use crate::propagate::SpanContext;
use crate::recorder::Recorder;
use crate::settings::Settings;
use crate::{SpanId, TraceId};

/// Records spans; [`LlmLayer`](crate::LlmLayer) is this behind a filter.
pub struct SpanCapture(pub(crate) Arc<Open>);

/// The open spans of a layer, and where they go when they end.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) settings: Settings,
    mode: Capture,
    ids: IdSource,
    pub(super) store: Store,
    pipeline: Arc<Pipeline>,
    wall_offset: AtomicU64,
}

thread_local! {
    /// This thread's buffer for what is written to an open span.
    static SCRATCH: Cell<Log> = const { Cell::new(Log::new()) };
}

/// Largest buffer that a thread keeps for the next write, in bytes.
const MAX_SCRATCH_BYTES: usize = 256 * 1024;

impl Open {
    pub(crate) fn new(settings: Settings, mode: Capture, ids: IdSource, pipeline: Arc<Pipeline>) -> Self {
        let wall_offset = AtomicU64::new(settings.clock.wall_offset());
        Self { settings, mode, ids, store: Store::default(), pipeline, wall_offset }
    }

    /// How many spans are open.
    pub(crate) fn len(&self) -> usize {
        self.store.len()
    }

    /// Lets `write` record on an open span, under its lock: for what runs no code of the user's.
    #[inline]
    pub(crate) fn record_plain(&self, key: u64, write: impl FnOnce(&mut Recorder<'_>)) {
        let promoted = self.store.with(key, |draft| {
            // Twice the room that streams and bodies have: what is known at the end of a long stream still fits.
            if draft.log.len() / 2 <= self.settings.max_span_bytes() {
                write(&mut Recorder::new(&mut draft.log, &mut draft.identity, &self.settings));
            } else {
                draft.is_cut = true;
            }
            draft.promote()
        });
        if let Some(Some(parent)) = promoted {
            self.keep_ancestors(parent);
        }
    }

    /// Lets `write` record on an open span. No lock is held while it runs; a panic in it ends here.
    pub(crate) fn record(&self, key: u64, is_end: bool, write: impl FnOnce(&mut Recorder<'_>)) {
        let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
        scratch.clear();
        // Where content is left out, a stream is read on from where the last piece ended.
        let omits = self.settings.content == ContentPolicy::Omit;
        let pruner = if omits { self.store.with(key, |draft| draft.pruner.take()).flatten() } else { None };
        let mut identity = Identity::default();
        let mut recorder = Recorder::resume(&mut scratch, &mut identity, &self.settings, pruner);
        let _ = panic::catch_unwind(AssertUnwindSafe(|| write(&mut recorder)));
        let pruner = recorder.into_pruner();
        let end = is_end.then(|| self.settings.clock.now());
        let promoted = self.store.with(key, |draft| {
            if is_end || draft.log.len().saturating_add(scratch.len()) <= self.settings.max_span_bytes() {
                draft.log.append(&scratch);
            } else {
                draft.is_cut = true;
            }
            draft.identity.update(identity);
            if omits {
                draft.pruner = pruner;
            }
            draft.end = end.or(draft.end);
            draft.promote()
        });
        if let Some(Some(parent)) = promoted {
            self.keep_ancestors(parent);
        }
        scratch.shrink_to(MAX_SCRATCH_BYTES);
        let _ = SCRATCH.try_with(|slot| slot.set(scratch));
    }

    /// The ids of an open span.
    pub(crate) fn context(&self, key: u64) -> Option<SpanContext> {
        self.store.relation(key).map(|relation| SpanContext::new(relation.trace_id, relation.span_id))
    }

    /// Makes an open span the child of a span in another process.
    pub(crate) fn set_parent(&self, key: u64, parent: &SpanContext) {
        self.store.with(key, |draft| {
            draft.trace_id = parent.trace_id();
            draft.parent = Some(parent.span_id());
            draft.parent_is_remote = true;
            let member = |name| parent.baggage(name).map(Arc::from);
            let Identity { session, user } = &mut draft.identity;
            *session = session.take().or_else(|| member("session.id"));
            *user = user.take().or_else(|| member("user.id"));
        });
    }

    /// Whose open span it is.
    pub(crate) fn identity(&self, key: u64) -> Option<Identity> {
        self.store.relation(key).map(|relation| relation.identity)
    }

    /// The session and the trace of an open span.
    pub(crate) fn scope(&self, key: u64) -> Option<(Option<Arc<str>>, TraceId)> {
        self.store.relation(key).map(|relation| (relation.identity.session, relation.trace_id))
    }

    fn new_trace_id(&self, now: u64) -> TraceId {
        self.ids.trace_id((now + self.wall_offset.load(Ordering::Relaxed)) / 1_000_000)
    }

    pub(super) fn open(&self, key: u64, attributes: &Attributes<'_>, parent: Option<(u64, Relation)>) {
        let plan = Plan::of(attributes.metadata());
        let is_recorded = plan.is_llm || self.mode == Capture::All;
        let start = self.settings.clock.now();
        if is_recorded && let Some((key, Relation { role: Role::Bystander, .. })) = &parent {
            self.keep_ancestors(*key);
        }
        let trace_id =
            parent.as_ref().map_or_else(|| self.new_trace_id(start), |(_, parent)| parent.trace_id);
        let mut draft = self.pipeline.take(|| Draft::new(plan, trace_id));
        draft.trace_id = trace_id;
        draft.span_id = self.ids.span_id();
        draft.parent = parent.as_ref().map(|(_, parent)| parent.span_id);
        draft.parent_is_remote = false;
        (draft.parent_key, draft.identity) =
            parent.map(|(key, parent)| (key, parent.identity)).unwrap_or_default();
        draft.role = if is_recorded { Role::Recorded } else { Role::Bystander };
        draft.plan = plan;
        draft.handles = 1;
        draft.is_cut = false;
        draft.start = start;
        draft.end = None;
        if is_recorded {
            self.first_fields(&mut draft, attributes);
        }
        self.store.insert(key, draft);
    }

    /// Writes the fields that a span is opened with.
    fn first_fields(&self, draft: &mut Draft, attributes: &Attributes<'_>) {
        let plan = draft.plan;
        let recorder = &mut Recorder::new(&mut draft.log, &mut draft.identity, &self.settings);
        let mut visitor = SpanVisitor { plan, recorder, debug: OnDebug::Leave };
        attributes.record(&mut visitor);
        if visitor.debug == OnDebug::Met {
            draft.log.clear();
            let recorder = &mut Recorder::new(&mut draft.log, &mut draft.identity, &self.settings);
            let mut visitor = SpanVisitor { plan, recorder, debug: OnDebug::Format };
            // To format is to run code of the user's.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| attributes.record(&mut visitor)));
        }
    }

    /// Keeps the bystanders from `key` up, so that the tree below them is whole.
    #[cold]
    fn keep_ancestors(&self, mut key: u64) {
        let keep = |draft: &mut Draft| {
            let was_bystander = draft.role == Role::Bystander;
            if was_bystander {
                draft.role = Role::Ancestor;
            }
            was_bystander.then_some(draft.parent_key)
        };
        while let Some(Some(parent)) = self.store.with(key, keep) {
            key = parent;
        }
    }

    /// Writes fields that became known after a span was opened.
    pub(super) fn fields(&self, key: u64, values: &Record<'_>) {
        let is_left = self.store.with(key, |draft| {
            if draft.role != Role::Recorded {
                return false;
            }
            if draft.log.len() > self.settings.max_span_bytes() {
                draft.is_cut = true;
                return false;
            }
            let written = draft.log.len();
            let recorder = &mut Recorder::new(&mut draft.log, &mut draft.identity, &self.settings);
            let mut visitor = SpanVisitor { plan: draft.plan, recorder, debug: OnDebug::Leave };
            values.record(&mut visitor);
            let is_left = visitor.debug == OnDebug::Met;
            if is_left {
                draft.log.truncate(written);
            }
            is_left
        });
        if is_left == Some(true) {
            self.debug_fields(key, values);
        }
    }

    /// [`fields`](Self::fields) of which at least one only has `Debug`.
    #[cold]
    #[inline(never)]
    fn debug_fields(&self, key: u64, values: &Record<'_>) {
        if let Some(plan) = self.store.with(key, |draft| draft.plan) {
            self.record(key, false, |recorder| {
                values.record(&mut SpanVisitor { plan, recorder, debug: OnDebug::Format });
            });
        }
    }

    /// Relates an open span to one that it follows from.
    pub(super) fn follow(&self, key: u64, follows: u64) {
        if let Some(link) = self.context(follows) {
            self.store.with(key, |draft| {
                // A relation alone does not make a span matter.
                if draft.role == Role::Recorded {
                    draft.log.push(Entry::Link(link.trace_id(), link.span_id()));
                }
            });
        }
    }

    /// Sends a span that has ended on its way.
    pub(super) fn ended(&self, mut draft: Box<Draft>) {
        if draft.role == Role::Bystander {
            self.pipeline.give_back(draft);
            return;
        }
        draft.end.get_or_insert_with(|| self.settings.clock.now());
        self.pipeline.push(draft);
    }

    /// The nearest span from `relation` up that is recorded.
    fn recorded(&self, mut key: u64) -> Option<u64> {
        loop {
            let relation = self.store.relation(key)?;
            if relation.role == Role::Recorded {
                return Some(key);
            }
            key = relation.parent_key;
        }
    }

    pub(super) fn event(&self, key: u64, event: &Event<'_>) {
        let Some(key) = self.recorded(key) else { return };
        let plan = Plan::of(event.metadata());
        let time = self.settings.clock.now();
        self.record(key, false, |span| {
            let (mut fields, mut identity) = (Log::default(), Identity::default());
            let mut recorder = Recorder::new(&mut fields, &mut identity, &self.settings);
            recorder.attribute("level", event.metadata().level().as_str());
            let mut visitor = EventVisitor { plan, span, event: &mut recorder, message: None };
            event.record(&mut visitor);
            let message = visitor.message;
            span.push(Entry::EventStart(time, message.as_deref().unwrap_or(plan.name)));
            span.append(&fields);
            span.push(Entry::EventEnd);
        });
    }
}

/// The span that a new span or an event belongs to, as far as this layer knows it.
fn nearest<S>(
    open: &Open,
    ctx: &Context<'_, S>,
    parent: Option<&Id>,
    is_contextual: bool,
) -> Option<(u64, Relation)>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let known = |id: &Id| open.store.relation(id.into_u64()).map(|relation| (id.into_u64(), relation));
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
            self.0.open(id.into_u64(), attributes, parent);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.0.fields(id.into_u64(), values);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        self.0.follow(id.into_u64(), follows.into_u64());
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if !InPipeline::is_set()
            && let Some((key, _)) = nearest(&self.0, &ctx, event.parent(), event.is_contextual())
        {
            self.0.event(key, event);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        if let Some(draft) = self.0.store.remove(id.into_u64()) {
            self.0.ended(draft);
        }
    }
}

impl Draft {
    fn new(plan: &'static Plan, trace_id: TraceId) -> Self {
        Self {
            trace_id,
            span_id: SpanId::UNSET,
            parent: None,
            parent_is_remote: false,
            parent_key: 0,
            role: Role::Bystander,
            home: Home::of_this_thread(),
            is_cut: false,
            #[cfg(feature = "reqwest-middleware")]
            is_claimed: false,
            plan,
            handles: 0,
            identity: Identity::default(),
            pruner: None,
            start: 0,
            end: None,
            log: Log::default(),
        }
    }
}

impl fmt::Debug for SpanCapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanCapture").field("open", &self.0.len()).finish_non_exhaustive()
    }
}
