//! The `OpenTelemetry` GenAI conventions (<https://github.com/open-telemetry/semantic-conventions>, docs/gen-ai), and
//! `llmtrace.*` for what they have no name for.

use llmtrace::{Status, Value, semconv};

use crate::otlp::facts::Facts;
use crate::otlp::facts::slot::{Sent, Slot};
use crate::otlp::messages;
use crate::otlp::pairs::Pairs;
use crate::otlp::wire::Wire;

/// Writes the span's own attributes in their order, then its messages.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    let sums_up = span.sums_up();
    for (index, (key, value)) in span.span.attributes.iter().enumerate() {
        let Some(sent) = span.sent(index, key) else {
            out.chosen(key, value);
            continue;
        };
        let is_sent = match sent {
            Sent::Plain => true,
            Sent::Once => !sums_up,
            Sent::IfTrue => value.as_bool() == Some(true),
            Sent::IfMany => *value != Value::Int(1),
            Sent::IfNoInput => span.span.input.is_empty(),
            Sent::IfNoOutput => span.span.output.is_empty(),
            Sent::Never => false,
        };
        if is_sent {
            out.own(key, value);
        }
    }
    if span.value(Slot::Operation).is_none() {
        out.text(semconv::OPERATION_NAME, span.operation());
    }
    if span.value(Slot::Provider).is_none() {
        out.text(semconv::PROVIDER_NAME, span.provider());
    }
    out.count(semconv::USAGE_CACHE_WRITE_TOKENS, span.counts.cache_write);
    out.text(semconv::KIND, span.untold_kind());
    if span.span.status == Status::Cancelled {
        out.text(semconv::STATUS, span.span.status.as_str());
    }
    let (input, output) = (&span.span.input, &span.span.output);
    if !input.is_empty() {
        out.written(semconv::INPUT_MESSAGES, messages::size(input), |out| messages::input(input, out));
    }
    if !output.is_empty() {
        out.written(semconv::OUTPUT_MESSAGES, messages::size(output), |out| messages::output(span, out));
    }
}
