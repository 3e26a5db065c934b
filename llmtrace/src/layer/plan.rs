//! What is known of a callsite once and for all.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

use tracing::Metadata;
use tracing::callsite::Identifier;

use crate::identity::IdentityField;
use crate::keys::{self, KeyId};
use crate::semconv;

/// What is known of a span's or an event's callsite.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// Whether a field says that it is about an LLM.
    pub(crate) is_llm: bool,
    fields: Box<[FieldPlan]>,
}

/// What is known of one field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldPlan {
    pub(crate) key: KeyId,
    pub(crate) sort: Sort,
    pub(crate) is_llm: bool,
    pub(crate) is_message: bool,
}

/// What is to be decided when a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Nothing.
    Plain,
    /// Whether content is kept.
    Content,
    /// It says whose span it is.
    Identity(IdentityField),
}

impl Plan {
    fn new(metadata: &'static Metadata<'static>) -> Self {
        let states_kind = metadata.fields().field(semconv::KIND).is_some();
        let field = |name: &'static str| {
            let name = if states_kind { long_name(name) } else { name };
            Some(FieldPlan {
                key: KeyId::of(name)?,
                sort: match keys::canonical(name) {
                    semconv::CONVERSATION_ID => Sort::Identity(IdentityField::Session),
                    semconv::USER_ID => Sort::Identity(IdentityField::User),
                    name if keys::is_content(name) => Sort::Content,
                    _ => Sort::Plain,
                },
                is_llm: keys::is_llm_field(name),
                is_message: name == "message",
            })
        };
        Self {
            metadata,
            name: metadata.name(),
            target: metadata.target(),
            is_llm: is_llm(metadata),
            fields: metadata.fields().iter().map_while(|f| field(f.name())).collect(),
        }
    }

    /// The plan of a callsite. Callsites are `static`, so there are only so many, and each plan is kept for good.
    #[inline]
    pub(crate) fn of(metadata: &'static Metadata<'static>) -> &'static Self {
        let address = std::ptr::from_ref(metadata).addr();
        let slot = (address >> 4) % CACHE_SLOTS;
        CACHE.with(|cache| match cache[slot].get() {
            Some((cached, plan)) if cached == address => plan,
            _ => {
                let plan = Self::shared(metadata);
                cache[slot].set(Some((address, plan)));
                plan
            }
        })
    }

    #[cold]
    fn shared(metadata: &'static Metadata<'static>) -> &'static Self {
        static PLANS: OnceLock<RwLock<HashMap<Identifier, &'static Plan>>> = OnceLock::new();
        let plans = PLANS.get_or_init(RwLock::default);
        let callsite = metadata.callsite();
        if let Some(plan) = plans.read().unwrap_or_else(PoisonError::into_inner).get(&callsite) {
            return plan;
        }
        let mut plans = plans.write().unwrap_or_else(PoisonError::into_inner);
        plans.entry(callsite).or_insert_with(|| Box::leak(Box::new(Self::new(metadata))))
    }

    #[inline]
    pub(crate) fn field(&self, field: &tracing::field::Field) -> Option<&FieldPlan> {
        self.fields.get(field.index())
    }
}

/// What a field is called, of a span that says its kind as those of `generation!` and its like do: the names of
/// `#[llm_trace]`'s arguments mean what they mean there.
fn long_name(name: &'static str) -> &'static str {
    match name {
        "provider" => semconv::PROVIDER_NAME,
        "model" => semconv::REQUEST_MODEL,
        "session" => semconv::CONVERSATION_ID,
        "user" => semconv::USER_ID,
        name => name,
    }
}

/// Callsites that a thread remembers without a lock.
const CACHE_SLOTS: usize = 32;

thread_local! {
    static CACHE: [Cell<Option<(usize, &'static Plan)>>; CACHE_SLOTS] = const { [const { Cell::new(None) }; CACHE_SLOTS] };
}

/// Whether a field of the callsite says that it is about an LLM.
pub(crate) fn is_llm(metadata: &Metadata<'_>) -> bool {
    metadata.fields().iter().any(|field| keys::is_llm_field(field.name()))
}
