//! What the dialects ask of a span, gathered in one pass over its attributes.

pub(super) mod slot;

use llmtrace::{ObservationKind, SpanRecord, Value};

use super::buckets::Counts;
use slot::{SLOTS, Sent, Slot};

/// Attributes of a span whose slots are not looked up again.
const REMEMBERED: usize = 48;

/// One span, with its well-known attributes at hand.
pub(super) struct Facts<'a> {
    /// The span.
    pub(super) span: &'a SpanRecord,
    /// Its token counts; empty on a span that only sums up others.
    pub(super) counts: Counts,
    values: [Option<&'a Value>; SLOTS],
    /// The slots of its first attributes, in order, counted from 1; 0 where there is none.
    slots: [u8; REMEMBERED],
    /// Some of its attributes are the program's own.
    has_own: bool,
    /// Some of its attributes may be named as a dialect names them.
    has_dialect: bool,
}

/// What a call cost in US dollars.
#[derive(Clone, Copy)]
pub(super) struct Dollars {
    pub(super) total: f64,
    pub(super) input: Option<f64>,
    pub(super) output: Option<f64>,
}

/// Whose name an attribute has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The conventions', or ours.
    Conventions,
    /// It may be a backend's.
    Dialect,
    /// The program's.
    Program,
}

fn owner(key: &str) -> Owner {
    match key.split('.').next().unwrap_or(key) {
        "llmtrace" | "openai" | "server" | "http" | "code" | "error" | "otel" | "exception" => {
            Owner::Conventions
        }
        "gen_ai" | "langfuse" | "llm" | "openinference" | "input" | "output" | "session" | "user" | "tag"
        | "metadata" | "tool" | "agent" | "retrieval" | "embedding" | "reranker" | "annotations"
        | "mlflow" | "langsmith" | "lmnr" | "opik" => Owner::Dialect,
        _ => Owner::Program,
    }
}

/// Whether an attribute may be one that a dialect adds to those of the conventions.
pub(super) fn is_of_a_dialect(key: &str) -> bool {
    Slot::of(key).is_none() && owner(key) == Owner::Dialect
}

/// Whether an attribute is the program's own, and may be sent.
pub(super) fn is_own(key: &str) -> bool {
    owner(key) == Owner::Program && Slot::of(key).is_none() && super::pairs::is_safe_key(key)
}

impl<'a> Facts<'a> {
    /// Looks at a span.
    pub(super) fn gather(span: &'a SpanRecord) -> Self {
        let mut facts = Self {
            span,
            counts: Counts::default(),
            values: [None; SLOTS],
            slots: [0; REMEMBERED],
            has_own: false,
            has_dialect: false,
        };
        for (index, (key, value)) in span.attributes.iter().enumerate() {
            if let Some(slot) = Slot::of(key) {
                if let Some(place) = facts.slots.get_mut(index) {
                    *place = slot as u8 + 1;
                }
                if let Some(place) = facts.values.get_mut(slot as usize) {
                    *place = Some(value);
                }
            } else {
                match owner(key) {
                    Owner::Conventions => {}
                    Owner::Dialect => facts.has_dialect = true,
                    Owner::Program => facts.has_own = true,
                }
            }
        }
        if !facts.sums_up() {
            facts.counts = Counts::of(&facts);
        }
        facts
    }

    /// How the attribute at `index` is sent under its own `key`; `None` where that is not known by name.
    pub(super) fn sent(&self, index: usize, key: &str) -> Option<Sent> {
        match self.slots.get(index) {
            Some(slot) => Slot::sent(usize::from(*slot).checked_sub(1)?),
            None => Slot::of(key).and_then(|slot| Slot::sent(slot as usize)),
        }
    }

    /// The attribute of a slot.
    pub(super) fn value(&self, slot: Slot) -> Option<&'a Value> {
        self.values.get(slot as usize).copied().flatten()
    }

    /// The attribute of a slot, if it is a text.
    pub(super) fn text(&self, slot: Slot) -> Option<&'a str> {
        self.value(slot).and_then(Value::as_str)
    }

    /// The attribute of a slot, if it is a count.
    pub(super) fn count(&self, slot: Slot) -> Option<u64> {
        self.value(slot).and_then(Value::as_count)
    }

    /// The attribute of a slot, if it is a number.
    pub(super) fn number(&self, slot: Slot) -> Option<f64> {
        self.value(slot).and_then(Value::as_f64)
    }

    /// Whether the tokens and the cost of the span are also its children's: backends would count them twice.
    pub(super) fn sums_up(&self) -> bool {
        matches!(self.span.kind, ObservationKind::Agent | ObservationKind::Workflow)
    }

    /// The provider, also under the name that the attribute had before.
    pub(super) fn provider(&self) -> Option<&'a str> {
        self.text(Slot::Provider).or_else(|| self.text(Slot::System))
    }

    /// The model that answered, else the one that was asked for.
    pub(super) fn model(&self) -> Option<&'a str> {
        self.text(Slot::ResponseModel).or_else(|| self.text(Slot::RequestModel))
    }

    /// The service tier that was served, else the one that was asked for.
    pub(super) fn service_tier(&self) -> Option<&'a str> {
        [Slot::OpenAiServiceTier, Slot::ServiceTier, Slot::OpenAiRequestTier, Slot::RequestTier]
            .into_iter()
            .find_map(|slot| self.text(slot))
    }

    /// The cost, where there is one that is not also its children's.
    pub(super) fn dollars(&self) -> Option<Dollars> {
        if self.sums_up() {
            return None;
        }
        let exact = || match self.value(Slot::CostPico) {
            Some(Value::Int(pico)) => Some(llmtrace::Usd::from_pico(*pico).to_f64()),
            _ => None,
        };
        let finite = |dollars: &f64| dollars.is_finite();
        let total = self.number(Slot::Cost).or_else(exact).filter(finite)?;
        let share = |slot| self.number(slot).filter(finite);
        Some(Dollars { total, input: share(Slot::CostInput), output: share(Slot::CostOutput) })
    }

    /// The labels.
    pub(super) fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let tags = match self.value(Slot::Tags) {
            Some(Value::Array(tags)) => tags.as_slice(),
            _ => &[],
        };
        tags.iter().filter_map(Value::as_str)
    }

    /// The attributes that the program chose, where their keys are safe.
    pub(super) fn own(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let all = self.has_own.then(|| self.span.attributes.iter());
        all.into_iter().flatten().filter(|(key, _)| is_own(key))
    }

    /// Whether an attribute of the span may be named as a dialect names one.
    pub(super) fn has_dialect(&self) -> bool {
        self.has_dialect
    }

    /// Why generation stopped, by choice.
    pub(super) fn finish_reason(&self, choice: usize) -> Option<&'a str> {
        match self.value(Slot::FinishReasons) {
            Some(Value::Array(reasons)) => reasons.get(choice).or(reasons.last()).and_then(Value::as_str),
            _ => None,
        }
    }

    /// What the conventions put after the operation in a span's name.
    pub(super) fn target(&self) -> Option<&'a str> {
        self.text(match self.span.kind {
            ObservationKind::Tool => Slot::ToolName,
            ObservationKind::Agent => Slot::AgentName,
            ObservationKind::Workflow => Slot::WorkflowName,
            ObservationKind::Retriever => Slot::DataSource,
            _ => Slot::RequestModel,
        })
    }

    /// The operation: the one that is stated, else that of the kind.
    pub(super) fn operation(&self) -> Option<&'a str> {
        self.text(Slot::Operation).or_else(|| self.span.kind.operation_name())
    }

    /// The kind, where no operation tells it.
    pub(super) fn untold_kind(&self) -> Option<&'static str> {
        let told = self.operation().and_then(ObservationKind::from_operation_name).unwrap_or_default();
        (told != self.span.kind).then(|| self.span.kind.as_str())
    }
}
