//! The Vercel AI SDK (<https://ai-sdk.dev/docs/ai-sdk-core/telemetry>, "Span Details").

use llmtrace::{Message, ObservationKind, Part, Role, Value, semconv};
use serde_json::Value as Json;

use super::draft::{As, Draft, Name, number};
use super::openinference::definition;
use super::traceloop::finish_word;
use super::{metadata, provider, said};

/// Operations by how they end. What is around a call of a model is a loop that may call it several times.
const KINDS: [(&str, ObservationKind); 11] = [
    (".doGenerate", ObservationKind::Generation),
    (".doStream", ObservationKind::Generation),
    (".doEmbed", ObservationKind::Embedding),
    ("ai.generateText", ObservationKind::Agent),
    ("ai.streamText", ObservationKind::Agent),
    ("ai.generateObject", ObservationKind::Agent),
    ("ai.streamObject", ObservationKind::Agent),
    ("ai.embed", ObservationKind::Workflow),
    ("ai.embedMany", ObservationKind::Workflow),
    ("ai.rerank", ObservationKind::Workflow),
    ("ai.toolCall", ObservationKind::Tool),
];

const NAMES: &[Name] = &[
    ("ai.model.id", semconv::REQUEST_MODEL, As::Text),
    ("ai.response.model", semconv::RESPONSE_MODEL, As::Text),
    ("ai.response.id", semconv::RESPONSE_ID, As::Text),
    ("ai.usage.promptTokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("ai.usage.inputTokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("ai.usage.tokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("ai.usage.completionTokens", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("ai.usage.outputTokens", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("ai.usage.totalTokens", semconv::USAGE_TOTAL_TOKENS, As::Count),
    ("ai.usage.cachedInputTokens", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("ai.usage.reasoningTokens", semconv::USAGE_REASONING_TOKENS, As::Count),
    ("ai.toolCall.name", semconv::TOOL_NAME, As::Text),
    ("ai.toolCall.id", semconv::TOOL_CALL_ID, As::Text),
    ("ai.telemetry.metadata.sessionId", semconv::CONVERSATION_ID, As::Text),
    ("ai.telemetry.metadata.userId", semconv::USER_ID, As::Text),
    ("ai.telemetry.metadata.tags", semconv::TAGS, As::Texts),
];

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    if !draft.received.has_below("ai.") {
        return;
    }
    let operation = draft.received.text("ai.operationId").unwrap_or(&draft.record.name);
    let kind = KINDS.iter().find(|(end, _)| operation.ends_with(end)).map(|(_, kind)| *kind);
    if let Some(kind) = kind {
        draft.offer_kind(kind);
    }
    draft.rename(NAMES);
    provider(draft);
    if let Some(milliseconds) = draft.received.get("ai.response.msToFirstChunk").and_then(number)
        && draft.offer(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, milliseconds / 1e3)
    {
        draft.received.take("ai.response.msToFirstChunk");
    }
    tools(draft);
    said::input(draft, "ai.toolCall.args");
    said::output(draft, "ai.toolCall.result");
    said::input(draft, "ai.prompt.messages");
    prompt(draft);
    embedded(draft);
    answer(draft);
    metadata::read_below(draft, "ai.telemetry.metadata.");
}

/// `openai.chat` and the like.
fn provider(draft: &mut Draft<'_>) {
    let Some(stated) = draft.received.text("ai.model.provider") else { return };
    let name = provider::named(stated);
    // Another instrumentation's word for the same stands beside it.
    let is_known = draft.known(semconv::PROVIDER_NAME).is_some();
    if is_known || draft.offer(semconv::PROVIDER_NAME, name) {
        draft.received.take("ai.model.provider");
    }
}

fn tools(draft: &mut Draft<'_>) {
    let Some(Value::Array(items)) = draft.received.get("ai.prompt.tools").cloned() else { return };
    let tools = items.iter().map(|item| draft.room.parse(item.as_str()?).map(definition));
    if let Some(tools) = tools.collect::<Option<Vec<Json>>>()
        && draft.offer(semconv::TOOL_DEFINITIONS, Value::Json(Json::Array(tools)))
    {
        draft.received.take("ai.prompt.tools");
    }
}

/// `{"system": .., "prompt": ..}` or `{"messages": ..}`.
fn prompt(draft: &mut Draft<'_>) {
    let Some(value) = draft.received.take("ai.prompt") else { return };
    let json = draft.read_as(&value, As::Json);
    let Some(Value::Json(Json::Object(members))) = json else {
        return draft.received.put("ai.prompt", value);
    };
    let mut messages = Vec::new();
    if let Some(system) = members.get("system").and_then(Json::as_str) {
        messages.push(Message::system(system));
    }
    match (members.get("prompt"), members.get("messages")) {
        (Some(Json::String(text)), _) => messages.push(Message::user(text.as_str())),
        (Some(list), _) | (None, Some(list)) => {
            messages.extend(super::messages::of_json(list).unwrap_or_default());
        }
        (None, None) => {}
    }
    if messages.is_empty() || !draft.offer_input(messages) {
        draft.received.put("ai.prompt", value);
    }
}

/// Texts that were embedded, each as JSON.
fn embedded(draft: &mut Draft<'_>) {
    for key in ["ai.value", "ai.values"] {
        let texts = match draft.received.get(key) {
            Some(Value::Array(texts)) => texts.as_slice(),
            Some(text) => std::slice::from_ref(text),
            None => continue,
        };
        let text = |value: &Value| serde_json::from_str::<String>(value.as_str()?).ok().map(Part::text);
        if let Some(parts) = texts.iter().map(text).collect::<Option<Vec<_>>>()
            && draft.offer_input(vec![Message::new(Role::User, parts)])
        {
            draft.received.take(key);
        }
    }
}

/// The answer, put together.
fn answer(draft: &mut Draft<'_>) {
    const KEYS: [&str; 4] =
        ["ai.response.reasoning", "ai.response.text", "ai.response.object", "ai.response.toolCalls"];
    let mut parts = Vec::new();
    for (key, part) in KEYS.iter().zip([Part::reasoning as fn(String) -> Part, Part::text, Part::text]) {
        if let Some(text) = draft.received.text(key).filter(|text| !text.is_empty()) {
            parts.push(part(text.to_owned()));
        }
    }
    if let Some(Json::Array(calls)) =
        draft.received.text("ai.response.toolCalls").and_then(|text| draft.room.parse(text))
    {
        parts.extend(calls.iter().map(call));
    }
    let reason = draft.received.text("ai.response.finishReason").map(str::to_owned);
    if let Some(reason) = &reason
        && draft.offer(semconv::RESPONSE_FINISH_REASONS, [reason.clone()])
    {
        draft.received.take("ai.response.finishReason");
    }
    if parts.is_empty() {
        return;
    }
    let mut message = Message::new(Role::Assistant, parts);
    message.finish_reason = reason.map(|reason| finish_word(&reason).to_owned());
    if draft.offer_output(vec![message]) {
        for key in KEYS {
            draft.received.take(key);
        }
    }
}

/// A call of a tool, in the SDK's words of version 4 (`args`, a text) or 5 (`input`).
pub(super) fn call(call: &Json) -> Part {
    let text = |name: &str| call.get(name).and_then(Json::as_str);
    let id = text("toolCallId").map(str::to_owned);
    let name = text("toolName").unwrap_or_default();
    match call.get("input").or_else(|| call.get("args")) {
        Some(Json::String(arguments)) => Part::tool_call(id, name, arguments),
        Some(arguments) => Part::ToolCall { id, name: name.to_owned(), arguments: arguments.clone() },
        None => Part::tool_call(id, name, ""),
    }
}
