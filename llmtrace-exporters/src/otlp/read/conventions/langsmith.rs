//! LangSmith (<https://docs.langchain.com/langsmith/trace-with-opentelemetry>) and the counts that its SDK adds.

use llmtrace::{ObservationKind, Value, semconv};
use serde_json::Value as Json;

use super::draft::{As, Draft, Name};
use super::metadata;
use super::mlflow::object;

const KINDS: [(&str, ObservationKind); 7] = [
    ("llm", ObservationKind::Generation),
    ("embedding", ObservationKind::Embedding),
    ("tool", ObservationKind::Tool),
    ("retriever", ObservationKind::Retriever),
    ("chain", ObservationKind::Workflow),
    ("prompt", ObservationKind::Span),
    ("parser", ObservationKind::Span),
];

const NAMES: &[Name] = &[
    ("langsmith.span.tags", semconv::TAGS, As::Texts),
    ("langsmith.metadata.thread_id", semconv::CONVERSATION_ID, As::Text),
    ("langsmith.metadata.session_id", semconv::CONVERSATION_ID, As::Text),
    ("langsmith.metadata.conversation_id", semconv::CONVERSATION_ID, As::Text),
    ("langsmith.metadata.user_id", semconv::USER_ID, As::Text),
    ("langsmith.metadata.ls_provider", semconv::PROVIDER_NAME, As::Text),
    ("langsmith.metadata.ls_model_name", semconv::REQUEST_MODEL, As::Text),
];

const KIND: &str = "langsmith.span.kind";

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    let stated = draft.received.text(KIND).map(str::to_ascii_lowercase);
    let kind = KINDS.iter().find(|(name, _)| stated.as_deref() == Some(name)).map(|(_, kind)| *kind);
    if let Some(kind) = kind {
        draft.offer_kind(kind);
        if draft.kind == Some(kind) {
            draft.received.take(KIND);
        }
    }
    draft.rename(NAMES);
    metadata::read_below(draft, "langsmith.metadata.");
    object(draft, "gen_ai.usage.input_token_details", |draft, json| details(draft, json, &INPUT));
    object(draft, "gen_ai.usage.output_token_details", |draft, json| details(draft, json, &OUTPUT));
}

const INPUT: [(&str, &str); 3] = [
    ("cache_read", semconv::USAGE_CACHE_READ_TOKENS),
    ("cache_creation", semconv::USAGE_CACHE_WRITE_TOKENS),
    ("audio", semconv::USAGE_INPUT_AUDIO_TOKENS),
];

const OUTPUT: [(&str, &str); 2] =
    [("reasoning", semconv::USAGE_REASONING_TOKENS), ("audio", semconv::USAGE_OUTPUT_AUDIO_TOKENS)];

fn details(draft: &mut Draft<'_>, json: &Json, names: &[(&str, &'static str)]) -> bool {
    let Some(members) = json.as_object() else { return false };
    members.iter().all(|(name, value)| {
        let ours = names.iter().find(|(known, _)| known == name);
        let count = Value::from(value.clone()).as_count();
        matches!((ours, count), (Some((_, ours)), Some(count)) if draft.offer(*ours, count))
    })
}
