//! Langfuse (<https://langfuse.com/integrations/native/opentelemetry>, "Property Mapping"; server 4.16,
//! `packages/shared/src/server/otel`).
//!
//! What it reads from the conventions is left to them: name, model, messages, status. Usage and cost are sent in its own
//! form, because that overrides all its guesses.

use std::borrow::Cow;

use llmtrace::{ObservationKind, Resource, Status, Timestamp, Value, semconv};

use super::object::Object;
use super::parameters;
use crate::jsonl::encode;
use crate::otlp::facts::Facts;
use crate::otlp::facts::slot::Slot;
use crate::otlp::messages::Plain;
use crate::otlp::pairs::Pairs;
use crate::otlp::wire::Wire;

/// Longest text that is repeated as metadata, in bytes.
const MAX_METADATA_BYTES: usize = 1_024;

/// Writes the dialect.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    out.text("langfuse.observation.type", observation_type(span.span.kind));
    let buckets = span.counts.buckets();
    if !buckets.is_empty() {
        out.written("langfuse.observation.usage_details", 100, |out| {
            let mut object = Object::begin(out);
            for (name, count) in buckets.iter() {
                encode::int(count.into(), object.member(name));
            }
            object.end();
        });
    }
    if let Some(dollars) = span.dollars() {
        out.written("langfuse.observation.cost_details", 64, |out| {
            let mut object = Object::begin(out);
            for (name, share) in
                [("input", dollars.input), ("output", dollars.output), ("total", Some(dollars.total))]
            {
                if let Some(share) = share {
                    encode::float(share, object.member(name));
                }
            }
            object.end();
        });
    }
    if let Some(first) = first_content(span) {
        // Microseconds, as its own SDKs write them.
        let text = first.to_rfc3339();
        if let Some(seconds) = text.get(..26) {
            out.written("langfuse.observation.completion_start_time", 27, |out| {
                out.extend_from_slice(seconds);
                out.push(b'Z');
            });
        }
    }
    if span.service_tier().is_some() || span.value(Slot::Speed).is_some() {
        // They select the price; whatever stands here hides `gen_ai.request.*`, so all of them are repeated.
        out.written("langfuse.observation.model.parameters", 64, |out| parameters::write(span, out));
    }
    if let (ObservationKind::Generation, Some(name), Some(version)) =
        (span.span.kind, span.text(Slot::PromptName), span.count(Slot::PromptVersion))
    {
        out.text("langfuse.observation.prompt.name", name);
        out.count("langfuse.observation.prompt.version", Some(version));
    }
    long_id("langfuse.session.id", span.text(Slot::Session), out);
    long_id("langfuse.user.id", span.text(Slot::User), out);
    out.value("langfuse.trace.tags", span.value(Slot::Tags));
    if span.span.status == Status::Cancelled {
        out.text("langfuse.observation.level", "WARNING");
        out.text("langfuse.observation.status_message", span.span.status.as_str());
    }
    input_output(span, out);
    for (key, value) in span.own().filter(|(_, value)| is_short(value)) {
        out.joined(&[&"langfuse.observation.metadata.", &key], |out, key| out.value(key, Some(value)));
    }
}

/// The environment where the stated one would become `default`. The resource keeps the stated one.
pub(super) fn write_resource<W: Wire>(resource: &Resource, out: &mut Pairs<'_, W>) {
    if resource.attributes.get(ENVIRONMENT).is_none()
        && let Some(Cow::Owned(environment)) = environment(resource)
    {
        out.text(ENVIRONMENT, environment.as_str());
    }
}

pub(in crate::otlp) const ENVIRONMENT: &str = "langfuse.environment";

/// Where an environment is stated; the first wins.
const STATED: [&str; 3] = [ENVIRONMENT, semconv::DEPLOYMENT_ENVIRONMENT_NAME, "deployment.environment"];

/// Environments that begin so are Langfuse's own.
const RESERVED: &str = "langfuse";

/// Longest name of an environment, in characters.
const MAX_ENVIRONMENT: usize = 40;

/// The environment in the form that Langfuse takes: `a-z 0-9 - _`, at most 40 characters, not beginning with
/// `langfuse`. Borrowed where it was stated so.
pub(crate) fn environment(resource: &Resource) -> Option<Cow<'_, str>> {
    let stated = STATED.into_iter().find_map(|key| resource.attributes.get_str(key))?;
    let is_plain = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_');
    if stated.is_empty() {
        return None;
    }
    if stated.len() <= MAX_ENVIRONMENT && stated.chars().all(is_plain) && !stated.starts_with(RESERVED) {
        return Some(Cow::Borrowed(stated));
    }
    let letters = stated.chars().map(|letter| letter.to_ascii_lowercase());
    let mut plain: String = letters.map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    if plain.starts_with(RESERVED) {
        plain.insert_str(0, "env-");
    }
    plain.truncate(MAX_ENVIRONMENT);
    Some(Cow::Owned(plain))
}

/// Sessions and users are shorter than this, in characters; Langfuse leaves out others
/// (<https://langfuse.com/docs/observability/features/sessions>).
const ID_CHARS: usize = 200;

/// An id that is too long: its beginning and a checksum, so that what belongs together stays together.
fn long_id<W: Wire>(key: &str, id: Option<&str>, out: &mut Pairs<'_, W>) {
    let Some(id) = id.filter(|id| id.chars().nth(ID_CHARS - 1).is_some()) else { return };
    let beginning: String = id.chars().take(ID_CHARS - 10).collect();
    out.text(key, format!("{beginning}-{:08x}", crc32fast::hash(id.as_bytes())).as_str());
}

fn observation_type(kind: ObservationKind) -> &'static str {
    match kind {
        ObservationKind::Generation => "generation",
        ObservationKind::Embedding => "embedding",
        ObservationKind::Agent => "agent",
        ObservationKind::Tool => "tool",
        ObservationKind::Workflow => "chain",
        // It has no rerankers; they give back documents.
        ObservationKind::Retriever | ObservationKind::Reranker => "retriever",
        ObservationKind::Evaluator => "evaluator",
        ObservationKind::Guardrail => "guardrail",
        _ => "span",
    }
}

/// When the first content of a stream came.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
fn first_content(span: &Facts<'_>) -> Option<Timestamp> {
    let seconds = span.number(Slot::FirstChunk).filter(|seconds| seconds.is_finite() && *seconds >= 0.0)?;
    let nanos = (seconds * 1e9) as u64;
    Some(Timestamp::from_unix_nanos(span.span.start.unix_nanos().saturating_add(nanos)))
}

/// What a function took and gave is shown bare where it is one text or one value; a model's messages are read from the
/// conventions.
fn input_output<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    if span.span.kind.is_model_call() || span.span.kind == ObservationKind::Tool {
        return;
    }
    plain("langfuse.observation.input", Plain::of(&span.span.input), out);
    plain("langfuse.observation.output", Plain::of(&span.span.output), out);
    if span.span.input.is_empty() {
        out.value("langfuse.observation.input", span.value(Slot::Query));
    }
    if span.span.output.is_empty() {
        out.value("langfuse.observation.output", span.value(Slot::Documents));
    }
}

fn plain<W: Wire>(key: &str, plain: Option<Plain<'_>>, out: &mut Pairs<'_, W>) {
    match plain {
        Some(Plain::Text(text)) => out.text(key, text),
        Some(Plain::Json(json)) => out.json(key, json),
        None => {}
    }
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.len() <= MAX_METADATA_BYTES,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => true,
        _ => false,
    }
}
