//! `OpenInference` (<https://github.com/Arize-ai/openinference>, `spec/semantic_conventions.md`), which Arize Phoenix and Arize
//! read.

mod flatten;
pub(in crate::otlp) mod vendor;

use llmtrace::{ObservationKind, Value};

use super::object::Object;
use super::parameters;
use crate::jsonl::encode;
use crate::otlp::facts::Facts;
use crate::otlp::facts::slot::Slot;
use crate::otlp::pairs::Pairs;
use crate::otlp::wire::Wire;

/// Writes the dialect.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    match span.span.kind {
        ObservationKind::Generation => generation(span, out),
        ObservationKind::Embedding => {
            out.text("embedding.model_name", span.model());
            flatten::embedded(&span.span.input, out);
        }
        ObservationKind::Reranker => {
            out.text("reranker.model_name", span.model());
            out.value("reranker.query", span.value(Slot::Query));
            out.value("reranker.top_k", span.value(Slot::TopK));
            flatten::documents("reranker.output_documents.", span.value(Slot::Documents), out);
        }
        ObservationKind::Tool => {
            out.text("tool.name", span.text(Slot::ToolName));
            out.text("tool.id", span.text(Slot::ToolCallId));
            out.text("tool.description", span.text(Slot::ToolDescription));
            out.value("tool.parameters", span.value(Slot::ToolArguments));
        }
        ObservationKind::Retriever => {
            flatten::documents("retrieval.documents.", span.value(Slot::Documents), out);
        }
        _ => {}
    }
    out.text("agent.name", span.text(Slot::AgentName));
    counts(span, out);
    out.value("tag.tags", span.value(Slot::Tags));
    if span.own().next().is_some() {
        out.written("metadata", 64, |out| {
            let mut object = Object::begin(out);
            span.own().for_each(|(key, value)| encode::value(value, 1, object.member(key)));
            object.end();
        });
    }
    flatten::annotations(&span.span.scores, out);
}

fn generation<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    out.text("llm.system", span.provider().map(vendor::system));
    out.text("llm.provider", span.provider().map(vendor::provider));
    out.text("llm.model_name", span.model());
    out.text("llm.request.model_name", span.text(Slot::RequestModel));
    out.text("llm.response.model_name", span.text(Slot::ResponseModel));
    if parameters::is_known(span) {
        out.written("llm.invocation_parameters", 64, |out| parameters::write(span, out));
    }
    out.text("llm.finish_reason", span.finish_reason(0));
    flatten::messages("llm.input_messages.", span.value(Slot::Instructions), &span.span.input, out);
    flatten::messages("llm.output_messages.", None, &span.span.output, out);
    if let Some(Value::Json(serde_json::Value::Array(tools))) = span.value(Slot::Tools) {
        flatten::tools(tools, out);
    }
}

/// Tokens, totals inclusive, and the cost in US dollars.
fn counts<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    let counts = &span.counts;
    out.count("llm.token_count.prompt", counts.input);
    out.count("llm.token_count.completion", counts.output);
    out.count("llm.token_count.total", counts.total());
    out.count("llm.token_count.prompt_details.cache_read", counts.cache_read);
    out.count("llm.token_count.prompt_details.cache_write", counts.cache_write);
    out.count("llm.token_count.prompt_details.audio", counts.input_audio);
    out.count("llm.token_count.completion_details.reasoning", counts.reasoning);
    out.count("llm.token_count.completion_details.audio", counts.output_audio);
    if let Some(dollars) = span.dollars() {
        out.float("llm.cost.prompt", dollars.input);
        out.float("llm.cost.completion", dollars.output);
        out.float("llm.cost.total", Some(dollars.total));
    }
}
