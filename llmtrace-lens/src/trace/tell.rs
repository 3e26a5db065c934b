//! What a run says on its spans.

use llmtrace::{Message, SpanExt as _, Usage, UsageStatus, semconv};
use serde_json::{Value, json};
use tracing::Span;

use super::artifact::Artifact;
use super::detail::Detail;
use super::names;
use crate::generate::{Choice, Draw, FilterEffect, FilterReport, GeneratedToken, Generation, Sampling, Stop};
use crate::model::Model;

/// Which model does what.
pub(super) fn run(span: &Span, model: &Model, detail: Detail, operation: &str) {
    span.set_attribute(semconv::OTEL_NAME, format!("{operation} {}", model.name()));
    for (name, value) in [
        (semconv::OPERATION_NAME, operation),
        (semconv::PROVIDER_NAME, names::PROVIDER),
        (semconv::REQUEST_MODEL, model.name()),
        (semconv::RESPONSE_MODEL, model.name()),
        (names::DETAIL, detail.as_str()),
        (names::FAMILY, model.config().family.as_str()),
    ] {
        span.set_attribute(name, value);
    }
}

/// What it reads.
pub(super) fn prompt(span: &Span, text: &str) {
    span.record_input(&[Message::user(text)]);
}

/// How an answer is to be written.
pub(super) fn settings(span: &Span, sampling: &Sampling, stop: &Stop) {
    span.set_attribute(semconv::OUTPUT_TYPE, "text");
    span.set_attribute(semconv::REQUEST_MAX_TOKENS, stop.max_tokens);
    if !stop.texts.is_empty() {
        span.set_attribute(semconv::REQUEST_STOP_SEQUENCES, stop.texts.clone());
    }
    if let Draw::Random { seed } = sampling.draw {
        span.set_attribute(semconv::REQUEST_SEED, seed);
    }
    for (name, value) in [
        (semconv::REQUEST_TEMPERATURE, sampling.temperature),
        (semconv::REQUEST_TOP_P, sampling.top_p),
        (names::REQUEST_MIN_P, sampling.min_p),
        (names::REQUEST_REPETITION_PENALTY, sampling.repetition_penalty),
    ] {
        if let Some(value) = value {
            span.set_attribute(name, value);
        }
    }
    if let Some(k) = sampling.top_k {
        span.set_attribute(semconv::REQUEST_TOP_K, k);
    }
}

/// How a token was chosen.
pub(super) fn step(span: &Span, model: &Model, token: &GeneratedToken) {
    let choice = &token.choice;
    for (name, value) in [
        (names::PROBABILITY, choice.model.probability),
        (names::LOG_PROBABILITY, choice.model.log_probability),
        (names::ENTROPY_BITS, choice.model_entropy.bits()),
        (names::FINAL_PROBABILITY, choice.last.probability),
        (names::FINAL_ENTROPY_BITS, choice.final_entropy.bits()),
        (names::FORWARD_SECONDS, token.forward.as_secs_f64()),
        (names::FLOPS, token.flops),
    ] {
        span.set_attribute(name, value);
    }
    span.set_attribute(names::RANK, choice.model.rank);
    memory(span, token.memory.kv_cache_bytes, token.memory.kept_bytes);
    if let Some(report) = &token.pass {
        let blocks = report.blocks.iter().map(|block| block.time.as_secs_f64());
        span.set_attribute(names::LAYER_SECONDS, blocks.collect::<Vec<f64>>());
    }
    if !choice.filters.is_empty() {
        span.set_attribute(names::FILTERS, choice.filters.iter().map(filter).collect::<Value>());
    }
    span.set_attribute(names::PIECE, token.token.spelling.as_str());
    span.set_attribute(names::ALTERNATIVES, alternatives(model, choice));
}

/// Which tokens a filter removed is content; how many is not.
fn filter(report: &FilterReport) -> Value {
    let (filter, left) = (report.filter, report.left);
    match report.effect {
        FilterEffect::Changed { tokens, moved } => {
            json!({"filter": filter, "left": left, "changed": tokens, "moved": moved})
        }
        FilterEffect::Removed { tokens, mass, .. } => {
            json!({"filter": filter, "left": left, "removed": tokens, "mass": mass})
        }
    }
}

fn alternatives(model: &Model, choice: &Choice) -> Value {
    let spelling = |id: u32| model.tokenizer().and_then(|tokenizer| tokenizer.id_to_token(id));
    let one = |other: &crate::generate::Alternative| {
        json!({
            "id": other.token,
            "piece": spelling(other.token),
            "probability": other.model_probability,
            "final_probability": other.final_probability,
        })
    };
    choice.alternatives.iter().map(one).collect()
}

/// What came of a run.
pub(super) fn answer(span: &Span, generation: &Generation) {
    let finish = generation.finish.as_str();
    span.set_attribute(semconv::RESPONSE_FINISH_REASONS, [finish]);
    span.record_usage(Usage::new(generation.prompt.len() as u64, generation.tokens.len() as u64));
    span.record_output(&[Message::assistant(generation.text.as_str()).with_finish_reason(finish)]);
    for (name, value) in [
        (names::MEAN_LOG_PROBABILITY, generation.mean_log_probability()),
        (names::MEAN_ENTROPY_BITS, generation.mean_entropy_bits()),
        (names::FORWARD_SECONDS, generation.forward().as_secs_f64()),
        (names::FLOPS, generation.flops()),
    ] {
        span.set_attribute(name, value);
    }
    let most = generation.memory();
    memory(span, most.kv_cache_bytes, most.kept_bytes);
    let layers = generation.layer_seconds();
    if !layers.is_empty() {
        span.set_attribute(names::LAYER_SECONDS, layers);
    }
    findings(span, generation.findings());
    span.set_attribute(semconv::OTEL_STATUS_CODE, "OK");
}

/// What came of a pass without an answer.
pub(super) fn reading(span: &Span, tokens: usize, found: Vec<String>) {
    span.record_usage(Usage::new(tokens as u64, 0));
    findings(span, found);
    span.set_attribute(semconv::OTEL_STATUS_CODE, "OK");
}

/// How far a run came that failed.
pub(super) fn failure(span: &Span, (read, written): (usize, usize), error: &dyn std::error::Error) {
    if read > 0 {
        let mut usage = Usage::new(read as u64, written as u64);
        usage.status = UsageStatus::Interrupted;
        span.record_usage(usage);
    }
    span.record_error(error);
}

/// Where the tensors of a run are, or why they are nowhere.
pub(super) fn artifact(span: &Span, written: Result<&Artifact, &String>) {
    match written {
        Ok(artifact) => {
            span.set_attribute(names::ARTIFACT_PATH, artifact.path.display().to_string());
            span.set_attribute(names::ARTIFACT_TENSORS, json!(artifact.tensors));
            if artifact.omitted > 0 {
                span.set_attribute(names::ARTIFACT_OMITTED, artifact.omitted);
            }
        }
        Err(problem) => span.set_attribute(names::ARTIFACT_ERROR, problem),
    }
}

fn memory(span: &Span, kv_cache_bytes: usize, kept_bytes: usize) {
    span.set_attribute(names::KV_CACHE_BYTES, kv_cache_bytes);
    if kept_bytes > 0 {
        span.set_attribute(names::KEPT_BYTES, kept_bytes);
    }
}

fn findings(span: &Span, found: Vec<String>) {
    if !found.is_empty() {
        span.set_attribute(names::FINDINGS, found);
    }
}
