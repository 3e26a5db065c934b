//! Langfuse (<https://langfuse.com/integrations/native/opentelemetry>, "Property Mapping"; server 4.16,
//! `packages/shared/src/server/otel`).
//!
//! What it reads from the conventions is left to them: name, model, messages, status. Usage and cost are sent in its own
//! form, because that overrides all its guesses.

use llmtrace::{ObservationKind, Resource, Status, Timestamp, Value, semconv};

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
            for (index, (name, count)) in buckets.iter().enumerate() {
                member(index == 0, name, out);
                encode::int(count.into(), out);
            }
            out.push(b'}');
        });
    }
    if let Some(dollars) = span.dollars() {
        out.written("langfuse.observation.cost_details", 64, |out| {
            let shares =
                [("input", dollars.input), ("output", dollars.output), ("total", Some(dollars.total))];
            let known = shares.into_iter().filter_map(|(name, share)| Some((name, share?)));
            for (index, (name, share)) in known.enumerate() {
                member(index == 0, name, out);
                encode::float(share, out);
            }
            out.push(b'}');
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
        (span.span.kind, span.text(Slot::PromptName), prompt_version(span))
    {
        out.text("langfuse.observation.prompt.name", name);
        out.count("langfuse.observation.prompt.version", Some(version));
    }
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

/// The environment as Langfuse can take it, where the stated one would become `default`: lower case, `a-z 0-9 - _`,
/// at most 40 characters.
pub(super) fn write_resource<W: Wire>(resource: &Resource, out: &mut Pairs<'_, W>) {
    let key = "langfuse.environment";
    let Some(stated) = resource.attributes.get_str(semconv::DEPLOYMENT_ENVIRONMENT_NAME) else { return };
    let is_plain = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_');
    if resource.attributes.get(key).is_some() || (stated.len() <= 40 && stated.chars().all(is_plain)) {
        return;
    }
    out.written(key, 40, |out| {
        let letters = stated.chars().take(40).map(|letter| letter.to_ascii_lowercase());
        out.extend(
            letters.map(|letter| if letter.is_ascii() && is_plain(letter) { letter as u8 } else { b'-' }),
        );
    });
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

fn member(is_first: bool, name: &str, out: &mut Vec<u8>) {
    out.push(if is_first { b'{' } else { b',' });
    encode::string(name, out);
    out.push(b':');
}

/// When the first content of a stream came.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
fn first_content(span: &Facts<'_>) -> Option<Timestamp> {
    let seconds = span.number(Slot::FirstChunk).filter(|seconds| seconds.is_finite() && *seconds >= 0.0)?;
    let nanos = (seconds * 1e9) as u64;
    Some(Timestamp::from_unix_nanos(span.span.start.unix_nanos().saturating_add(nanos)))
}

fn prompt_version(span: &Facts<'_>) -> Option<u64> {
    span.count(Slot::PromptVersion)
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
