//! Traceloop's `OpenLLMetry` (<https://github.com/traceloop/openllmetry>, `opentelemetry-semantic-conventions-ai`).

use llmtrace::provider::{self, Api};
use llmtrace::{Message, ObservationKind, Value, semconv};
use serde_json::{Map, Value as Json, json};

use super::draft::{As, Draft, Name};
use super::{metadata, said, tree};

const KINDS: [(&str, ObservationKind); 5] = [
    ("workflow", ObservationKind::Workflow),
    ("task", ObservationKind::Workflow),
    ("agent", ObservationKind::Agent),
    ("tool", ObservationKind::Tool),
    ("unknown", ObservationKind::Span),
];

const REQUESTS: [(&str, ObservationKind); 4] = [
    ("chat", ObservationKind::Generation),
    ("completion", ObservationKind::Generation),
    ("embedding", ObservationKind::Embedding),
    ("rerank", ObservationKind::Reranker),
];

const NAMES: &[Name] = &[
    ("llm.usage.total_tokens", semconv::USAGE_TOTAL_TOKENS, As::Count),
    ("llm.usage.prompt_tokens", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("llm.usage.completion_tokens", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("llm.usage.reasoning_tokens", semconv::USAGE_REASONING_TOKENS, As::Count),
    ("llm.usage.cache_read_input_tokens", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("llm.usage.cache_creation_input_tokens", semconv::USAGE_CACHE_WRITE_TOKENS, As::Count),
    ("llm.is_streaming", semconv::REQUEST_STREAM, As::Any),
    ("gen_ai.is_streaming", semconv::REQUEST_STREAM, As::Any),
    ("llm.top_k", semconv::REQUEST_TOP_K, As::Count),
    ("llm.frequency_penalty", semconv::REQUEST_FREQUENCY_PENALTY, As::Number),
    ("llm.presence_penalty", semconv::REQUEST_PRESENCE_PENALTY, As::Number),
    ("llm.chat.stop_sequences", semconv::REQUEST_STOP_SEQUENCES, As::Texts),
    ("llm.request.reasoning_effort", semconv::REQUEST_REASONING_LEVEL, As::Text),
    ("gen_ai.request.reasoning_effort", semconv::REQUEST_REASONING_LEVEL, As::Text),
    ("llm.response.finish_reason", semconv::RESPONSE_FINISH_REASONS, As::Texts),
    ("gen_ai.response.finish_reason", semconv::RESPONSE_FINISH_REASONS, As::Texts),
    ("llm.response.stop_reason", semconv::RESPONSE_FINISH_REASONS, As::Texts),
    ("traceloop.association.properties.session_id", semconv::CONVERSATION_ID, As::Text),
    ("traceloop.association.properties.user_id", semconv::USER_ID, As::Text),
    ("traceloop.prompt.key", semconv::PROMPT_NAME, As::Text),
    ("traceloop.prompt.version", semconv::PROMPT_VERSION, As::Any),
];

const SPAN_KIND: &str = "traceloop.span.kind";
const REQUEST_TYPE: &str = "llm.request.type";

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    for (key, table) in [(SPAN_KIND, &KINDS[..]), (REQUEST_TYPE, &REQUESTS[..])] {
        let stated = draft.received.text(key);
        let kind = table.iter().find(|(name, _)| stated == Some(name)).map(|(_, kind)| *kind);
        if let Some(kind) = kind {
            draft.offer_kind(kind);
            if draft.kind == Some(kind) {
                draft.received.take(key);
            }
        }
    }
    draft.rename(NAMES);
    name(draft);
    functions(draft);
    conversation(draft);
    metadata::unquote(draft, "traceloop.entity.output");
    said::input(draft, "traceloop.entity.input");
    said::output(draft, "traceloop.entity.output");
    metadata::read_below(draft, "traceloop.association.properties.");
}

/// The name of what a span is of.
fn name(draft: &mut Draft<'_>) {
    let ours = match draft.kind {
        Some(ObservationKind::Tool) => semconv::TOOL_NAME,
        Some(ObservationKind::Agent) => semconv::AGENT_NAME,
        Some(ObservationKind::Workflow) => semconv::WORKFLOW_NAME,
        _ => return,
    };
    draft.rename(&[("traceloop.entity.name", ours, As::Text)]);
}

/// Tools that were offered.
fn functions(draft: &mut Draft<'_>) {
    const PREFIX: &str = "llm.request.functions.";
    let Some(items) = tree::items(draft, PREFIX) else { return };
    let mut definitions = Vec::new();
    for item in &items {
        let mut tool = Map::from_iter([("type".to_owned(), json!("function"))]);
        for name in ["name", "description"] {
            if let Some(text) = tree::text(item, name) {
                tool.insert(name.to_owned(), text.into());
            }
        }
        for name in ["parameters", "input_schema"] {
            if let Some(schema) = tree::text(item, name).and_then(|text| draft.room.parse(text)) {
                tool.insert("parameters".to_owned(), schema);
            }
        }
        definitions.push(Json::Object(tool));
    }
    if draft.offer(semconv::TOOL_DEFINITIONS, Value::Json(Json::Array(definitions))) {
        draft.received.take_below(PREFIX);
    }
}

/// Messages leaf by leaf.
fn conversation(draft: &mut Draft<'_>) {
    const INPUT: &str = "gen_ai.prompt.";
    const OUTPUT: &str = "gen_ai.completion.";
    if let Some(items) = tree::items(draft, INPUT) {
        let messages = messages(draft, &items, "user");
        if draft.offer_input(messages) {
            tree::take(draft, INPUT, LEAVES);
            take_plain(draft, INPUT);
        }
    }
    if let Some(items) = tree::items(draft, OUTPUT) {
        let reasons: Vec<&str> = items.iter().filter_map(|item| tree::text(item, "finish_reason")).collect();
        let mut messages = messages(draft, &items, "assistant");
        for (message, item) in messages.iter_mut().zip(&items) {
            message.finish_reason =
                tree::text(item, "finish_reason").map(|reason| finish_word(reason).to_owned());
        }
        if !reasons.is_empty() {
            draft.offer(semconv::RESPONSE_FINISH_REASONS, reasons);
        }
        if draft.offer_output(messages) {
            tree::take(draft, OUTPUT, LEAVES);
            take_plain(draft, OUTPUT);
        }
    }
}

/// What is read of a message.
const LEAVES: &[&str] =
    &["role", "content", "finish_reason", "reasoning", "tool_call_id", "id", "name", "arguments"];

/// Leaves right below the index.
fn take_plain(draft: &mut Draft<'_>, prefix: &str) {
    for (rest, value) in draft.received.take_below(prefix) {
        let is_known = rest.split_once('.').is_some_and(|(_, leaf)| LEAVES.contains(&leaf));
        if !is_known {
            draft.received.put(&format!("{prefix}{rest}"), value);
        }
    }
}

/// The conventions' word for a reason to stop.
pub(super) fn finish_word(reason: &str) -> &str {
    match reason {
        "tool_calls" | "function_call" | "tool_use" | "tool-calls" => "tool_call",
        "end_turn" | "stop_sequence" | "STOP" => "stop",
        "max_tokens" | "MAX_TOKENS" => "length",
        "content-filter" => "content_filter",
        other => other,
    }
}

/// Messages in the shape of `OpenAI`'s, read as such.
fn messages(draft: &mut Draft<'_>, items: &[Json], role: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    for item in items {
        let mut message = Map::new();
        message.insert("role".to_owned(), tree::text(item, "role").unwrap_or(role).into());
        for name in ["tool_call_id", "reasoning"] {
            if let Some(text) = tree::text(item, name) {
                message.insert(name.to_owned(), text.into());
            }
        }
        if let Some(text) = tree::text(item, "content") {
            let blocks = if text.starts_with("[{") { draft.room.parse(text) } else { None };
            let is_typed = |json: &Json| {
                json.as_array().is_some_and(|blocks| blocks.iter().all(|block| block.get("type").is_some()))
            };
            message.insert("content".to_owned(), blocks.filter(is_typed).unwrap_or_else(|| text.into()));
        }
        let calls = tree::list(item, "tool_calls").into_iter().map(|call| {
            let function = json!({
                "name": tree::text(call, "name").unwrap_or_default(),
                "arguments": call.get("arguments").cloned().unwrap_or_default(),
            });
            json!({"id": tree::text(call, "id"), "type": "function", "function": function})
        });
        let calls: Vec<Json> = calls.collect();
        if !calls.is_empty() {
            message.insert("tool_calls".to_owned(), calls.into());
        }
        messages.push(Json::Object(message));
    }
    provider::read_request_as(Api::OpenAiChat, &json!({ "messages": messages })).input
}
