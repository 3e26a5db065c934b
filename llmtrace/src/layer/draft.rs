//! A span that is open or on its way to the worker.

use std::sync::Arc;

use super::plan::Plan;
use crate::identity::Identity;
use crate::log::Log;
use crate::pipeline::Home;
use crate::prune::LinePruner;
use crate::sampler::Fate;
use crate::{SpanId, TraceId};

/// A span that is open or on its way to the worker. Drafts are recycled with their buffers.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The first span of the trace in this process.
    pub(crate) root: SpanId,
    pub(crate) fate: Fate,
    pub(crate) parent: Option<SpanId>,
    pub(crate) parent_is_remote: bool,
    /// The subscriber's number of the parent, to find its draft.
    pub(crate) parent_key: u64,
    pub(crate) role: Role,
    /// Which thread's pool it comes from.
    pub(crate) home: Home,
    pub(crate) plan: &'static Plan,
    /// What keeps it open, where llmtrace is the only subscriber: handles and open children.
    pub(crate) handles: usize,
    pub(crate) identity: Identity,
    /// The `tracestate` that came with a parent in another process.
    pub(crate) trace_state: Option<Arc<str>>,
    /// Where a stream stands whose content is left out.
    pub(crate) pruner: Option<Box<LinePruner>>,
    /// Monotonic nanoseconds.
    pub(crate) start: u64,
    /// Monotonic nanoseconds; `None` until the work is done.
    pub(crate) end: Option<u64>,
    pub(crate) log: Log,
    /// The HTTP call of the model call that it is was seen.
    #[cfg(feature = "reqwest-middleware")]
    pub(crate) is_claimed: bool,
    /// The log is full, and something was left out.
    pub(crate) is_cut: bool,
}

/// Why a span is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is about an LLM, or everything is captured.
    Recorded,
    /// Not known to matter.
    Bystander,
    /// A recorded span was opened below it: kept, without its fields, so that the tree is whole.
    Ancestor,
}

/// Largest buffer that a recycled draft keeps, in bytes.
const MAX_RECYCLED_BYTES: usize = 16 * 1024;

impl Draft {
    /// A draft whose span is to be described yet.
    pub(crate) fn new(plan: &'static Plan, trace_id: TraceId) -> Self {
        Self {
            trace_id,
            span_id: SpanId::UNSET,
            root: SpanId::UNSET,
            fate: Fate::Kept,
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
            trace_state: None,
            pruner: None,
            start: 0,
            end: None,
            log: Log::default(),
        }
    }

    /// Makes the draft ready for its next span.
    pub(crate) fn recycle(&mut self) {
        self.identity = Identity::default();
        self.trace_state = None;
        self.pruner = None;
        #[cfg(feature = "reqwest-middleware")]
        {
            self.is_claimed = false;
        }
        self.log.clear();
        self.log.shrink_to(MAX_RECYCLED_BYTES);
    }

    /// Makes it a recorded span. The number of its parent, if it was not known to matter before.
    #[inline]
    pub(crate) fn promote(&mut self) -> Option<u64> {
        let before = std::mem::replace(&mut self.role, Role::Recorded);
        (before == Role::Bystander).then_some(self.parent_key)
    }

    /// The memory it holds, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.log.capacity()
    }
}
