//! What went into a span and what came out of it.

use llmtrace::{SpanRecord, Value, semconv};
use maud::{Markup, html};

use super::chat::conversation;
use super::facts::shown;
use super::{json, usage};
use crate::pages::components::text::{copy_of, cut, line};

/// Parameters of a request, under the names that people know.
const PARAMETERS: [(&str, &str); 18] = [
    (semconv::REQUEST_MODEL, "model"),
    (semconv::REQUEST_TEMPERATURE, "temperature"),
    (semconv::REQUEST_MAX_TOKENS, "max tokens"),
    (semconv::REQUEST_TOP_P, "top p"),
    (semconv::REQUEST_TOP_K, "top k"),
    (semconv::REQUEST_FREQUENCY_PENALTY, "frequency penalty"),
    (semconv::REQUEST_PRESENCE_PENALTY, "presence penalty"),
    (semconv::REQUEST_STOP_SEQUENCES, "stop"),
    (semconv::REQUEST_SEED, "seed"),
    (semconv::REQUEST_CHOICE_COUNT, "choices"),
    (semconv::REQUEST_STREAM, "stream"),
    (semconv::REQUEST_REASONING_LEVEL, "reasoning"),
    (semconv::REQUEST_THINKING, "thinking"),
    (semconv::REQUEST_THINKING_TOKENS, "thinking tokens"),
    (semconv::OPENAI_REQUEST_SERVICE_TIER, "tier"),
    (semconv::REQUEST_SERVICE_TIER, "tier"),
    (semconv::OUTPUT_TYPE, "output"),
    (semconv::EMBEDDINGS_DIMENSION_COUNT, "dimensions"),
];

/// Characters of a parameter that are shown.
const MAX_PARAMETER: usize = 80;

/// Tool definitions that are named.
const MAX_TOOLS: usize = 64;

/// The tab.
pub(super) fn messages(span: &SpanRecord, whole: &str) -> Markup {
    let block = |title, key, id| stated(span, title, key, id, whole);
    html! {
        (usage::usage(span))
        (parameters(span))
        (tools(span))
        (block("Arguments", semconv::TOOL_CALL_ARGUMENTS, "tool-arguments"))
        (block("Result", semconv::TOOL_CALL_RESULT, "tool-result"))
        (block("Query", semconv::RETRIEVAL_QUERY_TEXT, "query"))
        (block("Documents", semconv::RETRIEVAL_DOCUMENTS, "documents"))
        @if span.attributes.get(semconv::TOOL_CALL_ARGUMENTS).is_none() && span.input.is_empty() {
            (block("Arguments of the function", semconv::ARGUMENTS, "arguments"))
        }
        @if !span.input.is_empty() {
            section.chat { h3 { "Input" } (conversation("in", &span.input, whole)) }
        }
        @if !span.output.is_empty() {
            section.chat { h3 { "Output" } (conversation("out", &span.output, whole)) }
        }
        @if span.input.is_empty() && span.output.is_empty() && span.kind.is_model_call() { (nothing(span)) }
    }
}

/// Why there are no messages.
fn nothing(span: &SpanRecord) -> Markup {
    let omitted = span.attributes.get(semconv::CONTENT_OMITTED).is_some();
    html! {
        p.muted {
            @if omitted { "The traced program leaves out messages." } @else { "No messages came with this call." }
        }
    }
}

/// The parameters of the request on one line.
fn parameters(span: &SpanRecord) -> Markup {
    let known = PARAMETERS.iter().filter_map(|(key, name)| Some((name, span.attributes.get(key)?)));
    let known: Vec<_> = known.collect();
    let prompt = span.attributes.get_str(semconv::PROMPT_NAME);
    html! {
        @if !known.is_empty() || prompt.is_some() {
            p.parameters {
                @if let Some(prompt) = prompt {
                    span { span.muted { "prompt " } (cut(&line(prompt), MAX_PARAMETER))
                        @if let Some(version) = span.attributes.get(semconv::PROMPT_VERSION) { " v" (shown(version)) } }
                }
                @for (name, value) in known {
                    span { span.muted { (name) " " } (cut(&line(&shown(value)), MAX_PARAMETER)) }
                }
            }
        }
    }
}

/// The tools that the model was offered, by name; their definitions fold out.
fn tools(span: &SpanRecord) -> Markup {
    let Some(value) = span.attributes.get(semconv::TOOL_DEFINITIONS) else { return html! {} };
    let definitions = as_json(value);
    let list = definitions.as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<_> = list.iter().take(MAX_TOOLS).filter_map(tool_name).map(line).collect();
    html! {
        details.fold {
            summary { (list.len()) " tools" @if !names.is_empty() { span.preview { (names.join(", ")) } } }
            pre.json { code { (json::bounded(&json::pretty(&definitions), "").0) } }
        }
    }
}

/// The name of a tool, flat or below `function`.
fn tool_name(definition: &serde_json::Value) -> Option<&str> {
    let name = definition.get("name").or_else(|| definition.get("function")?.get("name"));
    name.and_then(serde_json::Value::as_str)
}

/// A block of one attribute, where the span has it.
fn stated(span: &SpanRecord, title: &str, key: &str, id: &str, whole: &str) -> Markup {
    html! {
        @if let Some(value) = span.attributes.get(key) {
            section.block {
                h3 { (title) (copy_of(id, "text")) }
                div id=(id) { (json::value(&as_json(value), whole)) }
            }
        }
    }
}

/// An attribute as JSON: text that is JSON is read.
pub(super) fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Str(text) => {
            json::structured(text).unwrap_or_else(|| serde_json::Value::String(text.to_string()))
        }
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}
