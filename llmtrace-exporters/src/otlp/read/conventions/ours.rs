//! What `llmtrace` itself sent: the names of other conventions beside ours say nothing new.

use llmtrace::{Attributes, Resource, Value, semconv};

use super::draft::Draft;
use super::{metadata, parameters};
use crate::otlp::facts::{self, Facts};
use crate::otlp::pairs::Pairs;
use crate::otlp::profile::{self, Profile};
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
    let mut again = Again::default();
    let mut key = String::new();
    let mut pairs = Pairs::new(&mut again, LIST, &mut key);
    profile::write(Profile::All.dialects(), &Facts::gather(&draft.record), &mut pairs);
    for (key, value) in again.0 {
        if is_dialect(&key) && draft.received.get(&key) == Some(&value) {
            draft.received.take(&key);
        }
    }
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
    let mut again = Again::default();
    let mut key = String::new();
    profile::write_resource(Profile::All, &resource, &mut Pairs::new(&mut again, LIST, &mut key));
    for (key, value) in again.0 {
        if attributes.get(&key) == Some(&value) {
            attributes.remove(&key);
        }
    }
}

const LIST: Field = Field::new(9, "");

/// The attributes that would be written, instead of their bytes.
#[derive(Default)]
struct Again(Vec<(String, Value)>);

impl Again {
    fn push(&mut self, key: &str, value: Value) {
        self.0.push((key.to_owned(), value));
    }
}

impl Wire for Again {
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
        self.push(key, value.into());
    }

    fn pair_int(&mut self, _: Field, key: &str, value: i64) {
        self.push(key, value.into());
    }

    fn pair_float(&mut self, _: Field, key: &str, value: f64) {
        self.push(key, value.into());
    }

    fn pair_bool(&mut self, _: Field, key: &str, value: bool) {
        self.push(key, value.into());
    }

    fn pair_written(&mut self, _: Field, key: &str, hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let mut text = Vec::with_capacity(hint);
        write(&mut text);
        self.push(key, String::from_utf8_lossy(&text).into_owned().into());
    }

    fn pair_list(&mut self, _: Field, key: &str, items: &[Value]) {
        // As both encodings have them: integers beyond 64 bits and floats that are not finite are texts.
        let item = |item: &Value| match item {
            Value::Int(int) if i64::try_from(*int).is_err() => int.to_string().into(),
            Value::Float(float) if !float.is_finite() => float.to_string().into(),
            item => item.clone(),
        };
        self.push(key, Value::Array(items.iter().map(item).collect()));
    }
}
