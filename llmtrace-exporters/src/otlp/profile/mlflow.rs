//! MLflow (<https://mlflow.org/docs/latest/genai/tracing/opentelemetry/ingest/>; 3.18, `mlflow/tracing/otel/translation`).

use super::object::Object;
use crate::jsonl::encode;
use crate::otlp::facts::Facts;
use crate::otlp::pairs::{self, Pairs};
use crate::otlp::wire::Wire;

/// Writes the dialect.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    if let Some(dollars) = span.dollars() {
        out.written("mlflow.llm.cost", 64, |out| {
            let mut object = Object::begin(out);
            for (name, share) in [
                ("input_cost", dollars.input),
                ("output_cost", dollars.output),
                ("total_cost", Some(dollars.total)),
            ] {
                if let Some(share) = share {
                    encode::float(share, object.member(name));
                }
            }
            object.end();
        });
    }
    if span.span.is_local_root() {
        for (index, tag) in span.tags().enumerate() {
            if span.tags().take(index).any(|before| before == tag) {
                continue;
            }
            if pairs::is_safe_key(tag) {
                out.joined(&[&"mlflow.traceTag.", &tag], |out, key| out.text(key, "true"));
            } else {
                out.refuse(1);
            }
        }
    }
}
