//! LangSmith (<https://docs.langchain.com/langsmith/trace-with-opentelemetry>, "Supported OpenTelemetry attribute and event mapping").

use llmtrace::ObservationKind;

use super::object::Object;
use crate::jsonl::encode;
use crate::otlp::facts::Facts;
use crate::otlp::facts::slot::Slot;
use crate::otlp::pairs::Pairs;
use crate::otlp::wire::Wire;

/// Writes the dialect.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    out.text("langsmith.span.kind", span_kind(span.span.kind));
    if span.tags().next().is_some() {
        out.written("langsmith.span.tags", 64, |out| {
            for (index, tag) in span.tags().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                // A comma separates.
                out.extend(tag.bytes().map(|byte| if byte == b',' { b' ' } else { byte }));
            }
        });
    }
    out.text("langsmith.metadata.thread_id", span.text(Slot::Session));
    out.text("langsmith.metadata.user_id", span.text(Slot::User));
    let counts = &span.counts;
    details(
        "gen_ai.usage.input_token_details",
        [
            ("cache_read", counts.cache_read),
            ("cache_creation", counts.cache_write),
            ("audio", counts.input_audio),
        ],
        out,
    );
    details(
        "gen_ai.usage.output_token_details",
        [("reasoning", counts.reasoning), ("audio", counts.output_audio), ("", None)],
        out,
    );
    for (key, value) in span.own().filter(|(key, _)| !matches!(*key, "thread_id" | "user_id")) {
        out.joined(&[&"langsmith.metadata.", &key], |out, key| out.value(key, Some(value)));
    }
}

fn span_kind(kind: ObservationKind) -> &'static str {
    match kind {
        ObservationKind::Generation => "llm",
        ObservationKind::Embedding => "embedding",
        ObservationKind::Tool => "tool",
        ObservationKind::Retriever | ObservationKind::Reranker => "retriever",
        _ => "chain",
    }
}

/// A JSON object of the counts that are known.
fn details<W: Wire>(key: &str, counts: [(&str, Option<u64>); 3], out: &mut Pairs<'_, W>) {
    let known = || counts.iter().filter_map(|(name, count)| Some((*name, (*count)?)));
    if known().next().is_none() {
        return;
    }
    out.written(key, 64, |out| {
        let mut object = Object::begin(out);
        known().for_each(|(name, count)| encode::int(count.into(), object.member(name)));
        object.end();
    });
}
