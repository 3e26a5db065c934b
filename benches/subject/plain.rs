//! Plain `tracing` spans, without a subscriber or with one that keeps nothing.

use std::hint::black_box;

use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Span, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Delivery, Nowhere, Sink, Subject, Work};
use crate::Result;
use crate::workload::{Call, POLLS};

/// No subscriber.
pub(super) const NONE: Subject = Subject { name: "none", start: no_subscriber, call, hold };

/// The registry that every `tracing_subscriber` stack rests on.
pub(super) const REGISTRY: Subject = Subject { name: "registry", start: registry, call, hold };

/// The registry below a level filter.
pub(super) const INFO_ONLY: Subject = Subject { name: "info-only", start: info_only, call, hold };

#[expect(clippy::unnecessary_wraps, reason = "it stands in a table")]
fn no_subscriber(_: Sink) -> Result<Box<dyn Delivery>> {
    Ok(Box::new(Nowhere))
}

fn registry(_: Sink) -> Result<Box<dyn Delivery>> {
    tracing::subscriber::set_global_default(tracing_subscriber::registry())?;
    Ok(Box::new(Nowhere))
}

fn info_only(_: Sink) -> Result<Box<dyn Delivery>> {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(LevelFilter::INFO))?;
    Ok(Box::new(Nowhere))
}

/// The call as fields of a span: 5 when it is created, 10 when they are known.
pub(super) fn call(call: &Call) {
    let root = info_span!("answer");
    let _in_root = root.enter();
    let span = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "openai",
        gen_ai.request.model = call.request_model.as_str(),
        gen_ai.request.temperature = 0.7,
        gen_ai.request.max_tokens = 1024,
        gen_ai.input.messages = Empty,
        gen_ai.output.messages = Empty,
        gen_ai.response.id = Empty,
        gen_ai.response.model = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.response.time_to_first_chunk = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
        gen_ai.usage.reasoning.output_tokens = Empty,
    );
    span.record("gen_ai.input.messages", call.prompt.as_str());
    poll(&span);
    span.record("gen_ai.output.messages", call.completion.as_str());
    span.record("gen_ai.response.id", call.response_id.as_str());
    span.record("gen_ai.response.model", call.response_model.as_str());
    span.record("gen_ai.response.finish_reasons", r#"["stop"]"#);
    span.record("gen_ai.response.time_to_first_chunk", 0.25);
    span.record("gen_ai.usage.input_tokens", call.input_tokens);
    span.record("gen_ai.usage.output_tokens", call.output_tokens);
    span.record("gen_ai.usage.cache_read.input_tokens", call.cache_read_tokens);
    span.record("gen_ai.usage.reasoning.output_tokens", call.reasoning_tokens);
}

/// Enters and leaves the span as often as its future is polled.
pub(super) fn poll(span: &Span) {
    for _ in 0..POLLS {
        span.in_scope(|| black_box(()));
    }
}

/// See [`Subject::hold`].
pub(super) fn hold(work: &mut Work<'_>) {
    let span = info_span!("chat", gen_ai.request.model = "gpt-4o-mini");
    work(&|| span.in_scope(|| black_box(())));
}
