//! Which open span a call over the network belongs to.

use std::sync::OnceLock;

use super::draft::{Draft, Role};
use super::open::Open;
use crate::keys::{self, KeyId};
use crate::log::{Entry, Key, Scalar};
use crate::{ObservationKind, semconv};

/// What is known of a call before it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) kind: ObservationKind,
    pub(crate) model: Option<&'a str>,
}

/// What an open span says of itself.
enum Standing {
    /// It is a model call whose HTTP call has not been seen yet.
    Waiting,
    /// It is something else, or its HTTP call was seen.
    Taken,
    /// It says nothing; the span around it may.
    Silent,
}

impl Open {
    /// Claims the span of the model call that `key` is in for its HTTP call. Each span is claimed once, so that of
    /// two calls inside one function the second one has a span of its own.
    pub(crate) fn claim(&self, mut key: u64, call: Outgoing<'_>) -> Option<u64> {
        loop {
            let (standing, parent) = self.store.with(key, |draft| {
                let standing = standing(draft, call);
                draft.is_claimed |= matches!(standing, Standing::Waiting);
                (standing, draft.parent_key)
            })?;
            match standing {
                Standing::Waiting => return Some(key),
                Standing::Taken => return None,
                Standing::Silent => key = parent,
            }
        }
    }

    /// Gives a claimed span back: its call failed, and may be tried again.
    pub(crate) fn release(&self, key: u64) {
        self.store.with(key, |draft| draft.is_claimed = false);
    }

    /// Whether this layer knows the span.
    pub(crate) fn knows(&self, key: u64) -> bool {
        self.store.with(key, |_| ()).is_some()
    }

    /// A span whose function has returned lasts until now: its answer was still on its way.
    pub(crate) fn last_until_now(&self, key: u64) {
        let now = self.settings.clock.now();
        self.store.with(key, |draft| draft.end = draft.end.map(|end| end.max(now)));
    }
}

fn standing(draft: &Draft, call: Outgoing<'_>) -> Standing {
    if draft.role != Role::Recorded {
        return Standing::Silent;
    }
    let stated = Stated::read(draft);
    let Some(kind) = stated.kind() else { return Standing::Silent };
    // A search for context inside a function that then asks a model is not that model's call.
    let is_other =
        kind != call.kind && stated.model.zip(call.model).is_some_and(|(stated, called)| stated != called);
    if kind.is_model_call() && !draft.is_claimed && draft.end.is_none() && !is_other {
        Standing::Waiting
    } else {
        Standing::Taken
    }
}

/// What the attributes written so far say.
#[derive(Default)]
struct Stated<'a> {
    kind: Option<&'a str>,
    operation: Option<&'a str>,
    model: Option<&'a str>,
    has_tool: bool,
    has_agent: bool,
}

const KEYS: [&str; 5] =
    [semconv::KIND, semconv::OPERATION_NAME, semconv::REQUEST_MODEL, semconv::TOOL_NAME, semconv::AGENT_NAME];

impl<'a> Stated<'a> {
    fn read(draft: &'a Draft) -> Self {
        static IDS: OnceLock<[Option<KeyId>; KEYS.len()]> = OnceLock::new();
        let ids = IDS.get_or_init(|| KEYS.map(KeyId::of));
        let mut stated = Self::default();
        let mut in_event = false;
        for entry in draft.log.entries() {
            let (key, value) = match entry {
                Entry::EventStart(..) => {
                    in_event = true;
                    continue;
                }
                Entry::EventEnd => {
                    in_event = false;
                    continue;
                }
                Entry::Attribute(key, Scalar::Str(value)) if !in_event => (key, value),
                _ => continue,
            };
            let at = match key {
                Key::Id(id) => ids.iter().position(|known| *known == Some(id)),
                Key::Name(name) => KEYS.iter().position(|known| *known == keys::canonical(name)),
            };
            match at {
                Some(0) => stated.kind = Some(value),
                Some(1) => stated.operation = Some(value),
                Some(2) => stated.model = Some(value),
                Some(3) => stated.has_tool = true,
                Some(4) => stated.has_agent = true,
                _ => {}
            }
        }
        stated
    }

    /// The kind that the record will have.
    fn kind(&self) -> Option<ObservationKind> {
        let Self { kind, operation, model, has_tool, has_agent } = *self;
        ObservationKind::told(kind, operation, has_tool, model.is_some(), has_agent)
    }
}
