//! Older and neighbouring names of the same facts, which clash with nothing.
//!
//! Who reads them: `gen_ai.system` Opik, LangSmith, Laminar, Weave; `cache_creation` Langfuse, Phoenix, Laminar; totals and
//! details LangSmith; `session.id` Langfuse, Phoenix, MLflow; `lmnr.*` Laminar; `opik.*` Opik.

use crate::otlp::facts::Facts;
use crate::otlp::facts::slot::Slot;
use crate::otlp::pairs::Pairs;
use crate::otlp::wire::Wire;
use llmtrace::semconv;

/// Writes the dialect.
pub(super) fn write<W: Wire>(span: &Facts<'_>, out: &mut Pairs<'_, W>) {
    out.text(semconv::SYSTEM, span.provider());
    out.count(semconv::USAGE_CACHE_CREATION_TOKENS, span.counts.cache_write);
    out.count(semconv::USAGE_TOTAL_TOKENS, span.counts.total());
    out.count("gen_ai.usage.details.reasoning_tokens", span.counts.reasoning);
    if let Some(dollars) = span.dollars() {
        out.float("gen_ai.usage.input_cost", dollars.input);
        out.float("gen_ai.usage.output_cost", dollars.output);
    }
    out.text("session.id", span.text(Slot::Session));
    out.text("lmnr.association.properties.session_id", span.text(Slot::Session));
    out.text("lmnr.association.properties.user_id", span.text(Slot::User));
    out.value("lmnr.association.properties.tags", span.value(Slot::Tags));
    out.value("opik.tags", span.value(Slot::Tags));
}
