//! What `llmtrace` itself sent: the names of other conventions beside ours say nothing new.

use llmtrace::{Attributes, Resource, Value, semconv};

use super::draft::Draft;
use super::{metadata, parameters};
use crate::otlp::facts::{self, Facts};
use crate::otlp::pairs::Pairs;
use crate::otlp::profile::{self, Dialect, Profile};
use crate::otlp::read::received::Received;
use crate::otlp::wire::{Field, Mark, Wire};

/// The parameters of a call, as one JSON object.
const PARAMETERS: [&str; 2] = ["langfuse.observation.model.parameters", "llm.invocation_parameters"];

/// Takes out whatever would be written again of the record.
pub(super) fn read(draft: &mut Draft<'_>) {
    let is_dialect = |key: &str| facts::is_of_a_dialect(key);
    for key in PARAMETERS {
        parameters::read(draft, key);
    }
    metadata::read(draft, "metadata");
    total(draft);
    if !draft.received.left().any(|(key, _)| is_dialect(key)) {
        return;
    }
    let said = draft.received.left().filter(|(key, _)| !is_dialect(key));
    let mut attributes: Attributes = said.map(|(key, value)| (key.to_owned(), value.clone())).collect();
    for (key, value) in draft.added.iter() {
        attributes.set(key.to_owned(), value.clone());
    }
    let kind = std::mem::replace(&mut draft.record.kind, draft.kind.unwrap_or_default());
    std::mem::swap(&mut draft.record.attributes, &mut attributes);
    let mut again = Again(&mut draft.received);
    let mut key = String::new();
    let mut pairs = Pairs::new(&mut again, LIST, &mut key);
    profile::write(DIALECTS, &Facts::gather(&draft.record), &mut pairs);
    std::mem::swap(&mut draft.record.attributes, &mut attributes);
    draft.record.kind = kind;
}

/// A total that is the sum of its parts says nothing.
fn total(draft: &mut Draft<'_>) {
    let count = |key| draft.known(key).and_then(Value::as_count);
    let sum = count(semconv::USAGE_INPUT_TOKENS)
        .zip(count(semconv::USAGE_OUTPUT_TOKENS))
        .map(|(input, output)| input.saturating_add(output));
    if sum.is_some() && sum == count(semconv::USAGE_TOTAL_TOKENS) {
        draft.received.take(semconv::USAGE_TOTAL_TOKENS);
        draft.added.remove(semconv::USAGE_TOTAL_TOKENS);
    }
}

/// Takes out of a resource what would be written again of it.
pub(super) fn read_resource(attributes: &mut Attributes) {
    let mut resource = Resource::default();
    resource.attributes = attributes.clone();
    resource.attributes.remove(profile::langfuse::ENVIRONMENT);
    let pairs = attributes.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    let mut received = Received::new(pairs);
    let mut again = Again(&mut received);
    let mut key = String::new();
    profile::write_resource(Profile::All, &resource, &mut Pairs::new(&mut again, LIST, &mut key));
    if received.get(profile::langfuse::ENVIRONMENT).is_none() {
        attributes.remove(profile::langfuse::ENVIRONMENT);
    }
}

/// What is written beside the conventions' names.
const DIALECTS: &[Dialect] = &[
    Dialect::Compat,
    Dialect::Langfuse,
    Dialect::InputOutput,
    Dialect::OpenInference,
    Dialect::MlFlow,
    Dialect::LangSmith,
];

const LIST: Field = Field::new(9, "");

/// Takes out of what came what would be written, instead of writing it.
struct Again<'r>(&'r mut Received);

impl Again<'_> {
    fn written(&mut self, key: &str, is_same: impl FnOnce(&Value) -> bool) {
        if facts::is_of_a_dialect(key) && self.0.get(key).is_some_and(is_same) {
            self.0.take(key);
        }
    }
}

impl Wire for Again<'_> {
    fn open(&mut self, _: Field, _: usize) -> Mark {
        Mark::NONE
    }

    fn close(&mut self, _: Mark) {}

    fn open_list(&mut self, _: Field) {}

    fn close_list(&mut self) {}

    fn open_item(&mut self, _: Field, _: usize) -> Mark {
        Mark::NONE
    }

    fn id<const N: usize>(&mut self, _: Field, _: &[u8; N]) {}

    fn text(&mut self, _: Field, _: &str) {}

    fn nanos(&mut self, _: Field, _: u64) {}

    fn count(&mut self, _: Field, _: u64) {}

    fn bits(&mut self, _: Field, _: u32) {}

    fn number(&mut self, _: Field, _: u32) {}

    fn pair_text(&mut self, _: Field, key: &str, value: &str) {
        self.written(key, |came| came.as_str() == Some(value));
    }

    fn pair_int(&mut self, _: Field, key: &str, value: i64) {
        self.written(key, |came| *came == Value::from(value));
    }

    fn pair_float(&mut self, _: Field, key: &str, value: f64) {
        self.written(key, |came| *came == Value::from(value));
    }

    fn pair_bool(&mut self, _: Field, key: &str, value: bool) {
        self.written(key, |came| *came == Value::from(value));
    }

    fn pair_written(&mut self, _: Field, key: &str, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.written(key, |came| {
            let mut text = Vec::with_capacity(hint);
            write(&mut text);
            came.as_str().is_some_and(|came| came.as_bytes() == text)
        });
    }

    fn pair_list(&mut self, _: Field, key: &str, items: &[Value]) {
        // As both encodings have them: integers beyond 64 bits and floats that are not finite are texts.
        let is_same = |(came, item): (&Value, &Value)| match item {
            Value::Int(int) if i64::try_from(*int).is_err() => came.as_str() == Some(&int.to_string()),
            Value::Float(float) if !float.is_finite() => came.as_str() == Some(&float.to_string()),
            item => came == item,
        };
        self.written(key, |came| {
            matches!(came, Value::Array(came) if came.len() == items.len() && came.iter().zip(items).all(is_same))
        });
    }
}
