//! Reading the fields of spans and events.

use std::fmt::Debug;

use tracing::field::{Field, Visit};

use super::plan::{FieldPlan, Plan, Sort};
use crate::content;
use crate::keys::KeyId;
use crate::log::Scalar;
use crate::recorder::Recorder;

/// Writes a span's fields to its log.
pub(crate) struct SpanVisitor<'a, 'r> {
    pub(crate) plan: &'static Plan,
    pub(crate) recorder: &'a mut Recorder<'r>,
    pub(crate) debug: OnDebug,
}

/// What a visitor does with values that only have `Debug`: to format one is to run code of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDebug {
    Format,
    /// Leave it, and say that it was met.
    Leave,
    Met,
}

impl SpanVisitor<'_, '_> {
    /// The key of a field that is written as it is.
    #[inline]
    fn plain(&self, field: &Field) -> Option<KeyId> {
        self.plan.field(field).filter(|plan| plan.sort == Sort::Plain).map(|plan| plan.key)
    }

    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        if let Some(plan) = self.plan.field(field) {
            match plan.sort {
                Sort::Identity(identity) => self.recorder.identity_field(identity, &value),
                sort => self.recorder.field(plan.key, sort == Sort::Content, value),
            }
        }
    }
}

impl Visit for SpanVisitor<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match self.plain(field) {
            Some(key) => self.recorder.plain_text(key, value),
            None => self.scalar(field, Scalar::Str(value)),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match self.plain(field) {
            Some(key) => self.recorder.plain_int(key, value),
            None => self.scalar(field, Scalar::Int(value)),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match (self.plain(field), i64::try_from(value)) {
            (Some(key), Ok(value)) => self.recorder.plain_int(key, value),
            _ => self.scalar(field, int(i128::from(value))),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.scalar(field, int(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i128::try_from(value) {
            Ok(value) => self.scalar(field, int(value)),
            Err(_) => self.scalar(field, Scalar::Str(&value.to_string())),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.scalar(field, Scalar::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scalar(field, Scalar::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.debug != OnDebug::Format {
            self.debug = OnDebug::Met;
            return;
        }
        if let Some(plan) = self.plan.field(field) {
            match plan.sort {
                Sort::Identity(identity) => {
                    self.recorder.identity_field(identity, &format_args!("{value:?}"));
                }
                sort => self.recorder.debug_field(plan.key, sort == Sort::Content, value),
            }
        }
    }
}

fn int(value: i128) -> Scalar<'static> {
    i64::try_from(value).map_or(Scalar::Wide(value), Scalar::Int)
}

/// Writes an event's fields: what is about the LLM to the span, the rest to the event, the message apart.
pub(crate) struct EventVisitor<'a, 's, 'e> {
    pub(crate) plan: &'static Plan,
    pub(crate) span: &'a mut Recorder<'s>,
    pub(crate) event: &'a mut Recorder<'e>,
    pub(crate) message: Option<String>,
}

/// Longest message of an event that is kept, in bytes.
const MAX_MESSAGE_BYTES: usize = 4 * 1024;

impl EventVisitor<'_, '_, '_> {
    fn place(&mut self, field: &Field, write: impl FnOnce(&mut Recorder<'_>, &FieldPlan)) {
        match self.plan.field(field) {
            Some(plan) if plan.is_llm => write(self.span, plan),
            Some(plan) => write(self.event, plan),
            None => {}
        }
    }

    fn scalar(&mut self, field: &Field, value: Scalar<'_>) {
        self.place(field, |recorder, plan| recorder.field(plan.key, plan.sort == Sort::Content, value));
    }

    fn message(&mut self, field: &Field, text: impl FnOnce() -> String) -> bool {
        let is_message = self.plan.field(field).is_some_and(|plan| plan.is_message);
        if is_message {
            let mut text = text();
            text.truncate(content::cut(&text, MAX_MESSAGE_BYTES).len());
            self.message = Some(text);
        }
        is_message
    }
}

impl Visit for EventVisitor<'_, '_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if !self.message(field, || value.to_owned()) {
            self.scalar(field, Scalar::Str(value));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scalar(field, Scalar::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.scalar(field, int(i128::from(value)));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.scalar(field, int(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.scalar(field, Scalar::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scalar(field, Scalar::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if !self.message(field, || format!("{value:?}")) {
            self.place(field, |recorder, plan| {
                recorder.debug_field(plan.key, plan.sort == Sort::Content, value);
            });
        }
    }
}
