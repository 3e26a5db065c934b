//! The open spans of a layer.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Event;
use tracing::span::{Attributes, Record};

use super::Capture;
use super::draft::{Draft, Role};
use super::head::{Head, Place};
use super::plan::Plan;
use super::store::{Relation, Store};
use super::visitor::{EventVisitor, OnDebug, SpanVisitor};
use crate::TraceId;
use crate::content::ContentPolicy;
use crate::id::IdSource;
use crate::identity::Identity;
use crate::log::{Entry, Log};
use crate::pipeline::Pipeline;
use crate::propagate::SpanContext;
use crate::recorder::Recorder;
use crate::sampler::Fate;
use crate::settings::Settings;

/// The open spans of a layer, and where they go when they end.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) settings: Settings,
    mode: Capture,
    pub(super) ids: IdSource,
    pub(super) head: Head,
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
    pub(crate) fn new(
        settings: Settings,
        mode: Capture,
        ids: IdSource,
        head: Head,
        pipeline: Arc<Pipeline>,
    ) -> Self {
        let wall_offset = AtomicU64::new(settings.clock.wall_offset());
        Self { settings, mode, ids, head, store: Store::default(), pipeline, wall_offset }
    }

    /// How many recorded spans are open.
    pub(crate) fn len(&self) -> usize {
        self.store.len()
    }

    /// Lets `write` record on an open span, under its lock: for what runs no code of the user's.
    #[inline]
    pub(crate) fn record_plain(&self, key: u64, write: impl FnOnce(&mut Recorder<'_>)) {
        if !self.is_recorded(key) {
            return;
        }
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
        if !self.is_recorded(key) {
            return;
        }
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

    /// Makes an open span the child of a span in another process.
    pub(crate) fn set_parent(&self, key: u64, parent: &SpanContext) {
        self.head.follow();
        self.store.with(key, |draft| {
            draft.trace_id = parent.trace_id();
            draft.parent = Some(parent.span_id());
            draft.parent_is_remote = true;
            draft.root = draft.span_id;
            draft.fate = self.head.fate(parent.is_sampled());
            draft.trace_state = parent.state().map(Arc::from);
            let member = |name| parent.baggage(name).map(Arc::from);
            let Identity { session, user } = &mut draft.identity;
            *session = session.take().or_else(|| member("session.id"));
            *user = user.take().or_else(|| member("user.id"));
        });
    }

    /// The session and the trace of an open span.
    pub(crate) fn scope(&self, key: u64) -> Option<(Option<Arc<str>>, TraceId)> {
        self.store.relation(key).map(|relation| (relation.identity.session, relation.trace_id))
    }

    /// Wall-clock milliseconds at a moment of the monotonic clock.
    pub(super) fn unix_ms(&self, monotonic: u64) -> u64 {
        (monotonic + self.wall_offset.load(Ordering::Relaxed)) / 1_000_000
    }

    pub(super) fn open(&self, key: u64, attributes: &Attributes<'_>, place: Place) {
        let plan = Plan::of(attributes.metadata());
        let is_recorded = plan.is_llm || self.mode == Capture::All;
        let Place { start, trace_id, fate, parent } = place;
        if is_recorded && let Some((key, Relation { role: Role::Bystander, .. })) = &parent {
            self.keep_ancestors(*key);
        }
        let mut draft = self.pipeline.take(|| Draft::new(plan, trace_id));
        draft.trace_id = trace_id;
        draft.span_id = self.ids.span_id();
        draft.fate = fate;
        draft.parent_is_remote = false;
        if let Some((key, parent)) = parent {
            draft.parent = Some(parent.span_id);
            draft.root = parent.root;
            (draft.parent_key, draft.identity) = (key, parent.identity);
            draft.trace_state = parent.trace_state;
        } else {
            draft.parent = None;
            draft.root = draft.span_id;
            draft.parent_key = 0;
        }
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
        if self.is_recorded(key)
            && let Some((trace_id, span_id)) = self.ids(follows)
        {
            self.store.with(key, |draft| {
                // A relation alone does not make a span matter.
                if draft.role == Role::Recorded {
                    draft.log.push(Entry::Link(trace_id, span_id));
                }
            });
        }
    }

    /// Sends a span that has ended on its way.
    pub(super) fn ended(&self, mut draft: Box<Draft>) {
        if draft.role == Role::Bystander || draft.fate == Fate::Forgotten {
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
