//! MLflow (<https://mlflow.org/docs/latest/genai/tracing/>, `mlflow/tracing/constant.py`), whose SDK writes every value as JSON.

use llmtrace::{ObservationKind, Value, semconv};
use serde_json::Value as Json;

use super::draft::{As, Draft, Name};
use super::{cost, metadata, said, usage};

const KINDS: [(&str, ObservationKind); 13] = [
    ("LLM", ObservationKind::Generation),
    ("CHAT_MODEL", ObservationKind::Generation),
    ("EMBEDDING", ObservationKind::Embedding),
    ("AGENT", ObservationKind::Agent),
    ("TOOL", ObservationKind::Tool),
    ("CHAIN", ObservationKind::Workflow),
    ("WORKFLOW", ObservationKind::Workflow),
    ("RETRIEVER", ObservationKind::Retriever),
    ("RERANKER", ObservationKind::Reranker),
    ("EVALUATOR", ObservationKind::Evaluator),
    ("GUARDRAIL", ObservationKind::Guardrail),
    ("PARSER", ObservationKind::Span),
    ("UNKNOWN", ObservationKind::Span),
];

const NAMES: &[Name] = &[
    ("mlflow.llm.model", semconv::REQUEST_MODEL, As::Text),
    ("mlflow.llm.provider", semconv::PROVIDER_NAME, As::Text),
    ("mlflow.trace.session", semconv::CONVERSATION_ID, As::Text),
    ("mlflow.trace.user", semconv::USER_ID, As::Text),
    ("mlflow.chat.tools", semconv::TOOL_DEFINITIONS, As::Json),
];

/// Texts, which come in quotes.
const QUOTED: [&str; 7] = [
    TYPE,
    "mlflow.llm.model",
    "mlflow.llm.provider",
    "mlflow.trace.session",
    "mlflow.trace.user",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
];

const TYPE: &str = "mlflow.spanType";

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    if !draft.received.has_below("mlflow.") {
        return;
    }
    for key in QUOTED {
        metadata::unquote(draft, key);
    }
    let stated = draft.received.text(TYPE);
    let kind = KINDS.iter().find(|(name, _)| stated == Some(name)).map(|(_, kind)| *kind);
    if let Some(kind) = kind {
        draft.offer_kind(kind);
        if draft.kind == Some(kind) {
            draft.received.take(TYPE);
        }
    }
    draft.rename(NAMES);
    object(draft, "mlflow.chat.tokenUsage", usage::object);
    object(draft, "mlflow.llm.cost", |draft, json| {
        cost::object(draft, json, ["total_cost", "input_cost", "output_cost"])
    });
    said::input(draft, "mlflow.spanInputs");
    said::output(draft, "mlflow.spanOutputs");
}

/// Reads the JSON object that stands under `key`. It is taken out where all of it is said.
pub(super) fn object(draft: &mut Draft<'_>, key: &str, read: fn(&mut Draft<'_>, &Json) -> bool) {
    let Some(value) = draft.received.take(key) else { return };
    let json = draft.read_as(&value, As::Json);
    let is_said = matches!(&json, Some(Value::Json(json)) if read(draft, json));
    if !is_said {
        draft.received.put(key, value);
    }
}
