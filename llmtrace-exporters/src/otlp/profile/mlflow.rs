//! MLflow (<https://mlflow.org/docs/latest/genai/tracing/opentelemetry/ingest/>; 3.18, `mlflow/tracing/otel/translation`).

use crate::jsonl::encode;
use crate::otlp::facts::Facts;
use crate::otlp::pairs::{self, Pairs};
use crate::otlp::wire::Wire;

/// Writes the dialect.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    if let Some(dollars) = span.dollars() {
        let shares = [
            ("input_cost", dollars.input),
            ("output_cost", dollars.output),
            ("total_cost", Some(dollars.total)),
        ];
        out.written("mlflow.llm.cost", 64, |out| {
            let known = shares.into_iter().filter_map(|(name, share)| Some((name, share?)));
            for (index, (name, share)) in known.enumerate() {
                out.push(if index == 0 { b'{' } else { b',' });
                encode::string(name, out);
                out.push(b':');
                encode::float(share, out);
            }
            out.push(b'}');
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
