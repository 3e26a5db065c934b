//! Pydantic AI and Pydantic Logfire (<https://ai.pydantic.dev/logfire/>), and neighbours that add to the conventions.

use llmtrace::{ObservationKind, semconv};

use super::draft::{As, Draft, Name};
use super::said;

const NAMES: &[Name] = &[
    ("operation.cost", semconv::USAGE_COST, As::Number),
    ("gen_ai.usage.details.reasoning_tokens", semconv::USAGE_REASONING_TOKENS, As::Count),
    ("gen_ai.usage.details.cached_tokens", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("gen_ai.usage.details.cache_read_tokens", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("gen_ai.usage.details.cache_read_input_tokens", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("gen_ai.usage.details.cache_write_tokens", semconv::USAGE_CACHE_WRITE_TOKENS, As::Count),
    ("gen_ai.usage.details.cache_creation_input_tokens", semconv::USAGE_CACHE_WRITE_TOKENS, As::Count),
    ("agent_name", semconv::AGENT_NAME, As::Text),
    ("lmnr.association.properties.session_id", semconv::CONVERSATION_ID, As::Text),
    ("lmnr.association.properties.user_id", semconv::USER_ID, As::Text),
    ("lmnr.association.properties.tags", semconv::TAGS, As::Texts),
    ("opik.tags", semconv::TAGS, As::Texts),
];

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    draft.rename(NAMES);
    if draft.received.has_below("logfire.") || draft.received.has_below("pydantic_ai.") {
        if draft.known(semconv::TOOL_NAME).is_some() {
            draft.offer_kind(ObservationKind::Tool);
        }
        said::input(draft, "tool_arguments");
        said::output(draft, "tool_response");
        said::input(draft, "pydantic_ai.all_messages");
        said::output(draft, "final_result");
    }
}
