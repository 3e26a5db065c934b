//! `OpenInference`'s kind, input and output (<https://github.com/Arize-ai/openinference>, `spec/semantic_conventions.md`),
//! which MLflow reads too.

use llmtrace::{Message, ObservationKind, Value};

use crate::otlp::facts::Facts;
use crate::otlp::facts::slot::Slot;
use crate::otlp::messages::{self, Plain};
use crate::otlp::pairs::Pairs;
use crate::otlp::wire::Wire;

const TEXT: &str = "text/plain";
const JSON: &str = "application/json";

/// Writes the dialect.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    out.text("openinference.span.kind", span_kind(span.span.kind));
    let (input, output) = (INPUT, OUTPUT);
    match span.span.kind {
        ObservationKind::Tool => {
            recorded(input, span.value(Slot::ToolArguments), out);
            recorded(output, span.value(Slot::ToolResult), out);
            return;
        }
        ObservationKind::Retriever if span.span.input.is_empty() => {
            recorded(input, span.value(Slot::Query), out);
        }
        _ => {
            let instructs = span.value(Slot::Instructions).is_some();
            let size = messages::size(&span.span.input);
            said(input, &span.span.input, instructs, size, out, |out| {
                messages::input_with_instructions(span, out);
            });
        }
    }
    if span.span.kind == ObservationKind::Retriever && span.span.output.is_empty() {
        recorded(output, span.value(Slot::Documents), out);
    } else {
        let size = messages::size(&span.span.output);
        said(output, &span.span.output, false, size, out, |out| messages::output(span, out));
    }
}

/// The keys of a value and of its media type.
type Keys = [&'static str; 2];

const INPUT: Keys = ["input.value", "input.mime_type"];
const OUTPUT: Keys = ["output.value", "output.mime_type"];

fn span_kind(kind: ObservationKind) -> &'static str {
    match kind {
        ObservationKind::Generation => "LLM",
        ObservationKind::Embedding => "EMBEDDING",
        ObservationKind::Agent => "AGENT",
        ObservationKind::Tool => "TOOL",
        ObservationKind::Retriever => "RETRIEVER",
        ObservationKind::Reranker => "RERANKER",
        ObservationKind::Evaluator => "EVALUATOR",
        ObservationKind::Guardrail => "GUARDRAIL",
        _ => "CHAIN",
    }
}

/// An attribute of the span: a text as it is, else JSON.
fn recorded<W: Wire>([key, media_type]: Keys, value: Option<&Value>, out: &mut Pairs<'_, W>) {
    let Some(value) = value else { return };
    out.value(key, Some(value));
    let is_json = value.as_str().is_none_or(|text| text.starts_with(['{', '[']));
    out.text(media_type, if is_json { JSON } else { TEXT });
}

/// Messages: the bare text or value where that is all, else JSON.
fn said<W: Wire>(
    [key, media_type]: Keys,
    messages: &[Message],
    has_more: bool,
    size: usize,
    out: &mut Pairs<'_, W>,
    write: impl FnOnce(&mut Vec<u8>),
) {
    match Plain::of(messages).filter(|_| !has_more) {
        Some(Plain::Text(text)) => {
            out.text(key, text);
            out.text(media_type, TEXT);
        }
        Some(Plain::Json(json)) => {
            out.json(key, json);
            out.text(media_type, JSON);
        }
        None if messages.is_empty() => {}
        None => {
            out.written(key, size, write);
            out.text(media_type, JSON);
        }
    }
}
