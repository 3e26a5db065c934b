//! What a span took and gave, as one attribute that says either of any kind of span.

use llmtrace::provider::{self, Exchange};
use llmtrace::{Message, ObservationKind, Role, Value, semconv};
use serde_json::Value as Json;

use super::draft::{As, Draft};
use super::{messages, parameters};

/// Reads what a span took from the attribute `key`. It is taken out where that is now said.
pub(super) fn input(draft: &mut Draft<'_>, key: &str) {
    let Some(value) = draft.received.take(key) else { return };
    let is_said = match draft.kind {
        Some(ObservationKind::Tool) => offer_json(draft, semconv::TOOL_CALL_ARGUMENTS, &value),
        Some(ObservationKind::Retriever) if is_text(&value) => {
            draft.offer(semconv::RETRIEVAL_QUERY_TEXT, value.clone())
        }
        _ => messages(draft, &value, &Role::User),
    };
    if !is_said {
        draft.received.put(key, value);
    }
}

/// Reads what a span gave from the attribute `key`. It is taken out where that is now said.
pub(super) fn output(draft: &mut Draft<'_>, key: &str) {
    let Some(value) = draft.received.take(key) else { return };
    let is_said = match draft.kind {
        Some(ObservationKind::Tool) => offer_json(draft, semconv::TOOL_CALL_RESULT, &value),
        Some(ObservationKind::Retriever | ObservationKind::Reranker) if !is_text(&value) => {
            offer_json(draft, semconv::RETRIEVAL_DOCUMENTS, &value)
        }
        _ => messages(draft, &value, &Role::Assistant),
    };
    if !is_said {
        draft.received.put(key, value);
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim_start().starts_with(['{', '[']))
}

/// JSON where it is that, else the text.
fn offer_json(draft: &mut Draft<'_>, key: &'static str, value: &Value) -> bool {
    let json = draft.read_as(value, As::Json).unwrap_or_else(|| value.clone());
    draft.offer(key, json)
}

/// Messages, or a provider's request or response, of which no more than messages is understood: it stays where it says
/// more.
fn messages(draft: &mut Draft<'_>, value: &Value, role: &Role) -> bool {
    if draft.kind.is_some_and(ObservationKind::is_model_call)
        && let Some(Value::Json(json @ Json::Object(_))) = draft.read_as(value, As::Json)
    {
        let read = if *role == Role::User { provider::read_request } else { provider::read_response };
        if let Some(exchange) = read(&json) {
            place(draft, exchange);
            return is_plain(draft, &json, role);
        }
    }
    let Some(messages) = messages::of_value(value, role.clone(), draft.room) else { return false };
    if *role == Role::User { draft.offer_input(messages) } else { draft.offer_output(messages) }
}

/// Whether a provider's request or response says nothing but what the record now says.
fn is_plain(draft: &mut Draft<'_>, json: &Json, role: &Role) -> bool {
    const RESPONSE: [&str; 8] =
        ["id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"];
    const CHOICE: [&str; 4] = ["index", "message", "finish_reason", "logprobs"];
    let Some(members) = json.as_object() else { return false };
    let only = |json: &Json, names: &[&str]| {
        json.as_object().is_some_and(|members| {
            members.iter().all(|(name, value)| value.is_null() || names.contains(&name.as_str()))
        })
    };
    if *role == Role::User {
        let is_known = members.iter().all(|(name, value)| match name.as_str() {
            "messages" | "tools" | "stream_options" => true,
            name => parameters::member(draft, name, value.clone()),
        });
        return is_known && messages::of_json(json).is_some_and(|messages| draft.offer_input(messages));
    }
    let choices = members.get("choices").and_then(Json::as_array);
    let is_known = only(json, &RESPONSE)
        && choices.is_some_and(|choices| {
            choices
                .iter()
                .all(|choice| only(choice, &CHOICE) && choice.get("logprobs").is_none_or(Json::is_null))
        });
    let read = provider::read_response(json).map(|exchange| exchange.output);
    is_known && read.is_some_and(|messages| draft.offer_output(messages))
}

/// Says what a provider's request or response says, where nothing else does.
fn place(draft: &mut Draft<'_>, exchange: Exchange) {
    let texts = [
        (semconv::REQUEST_MODEL, exchange.request_model),
        (semconv::RESPONSE_MODEL, exchange.response_model),
        (semconv::RESPONSE_ID, exchange.response_id),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            draft.offer(key, text);
        }
    }
    if let Some(tools) = exchange.tools {
        draft.offer(semconv::TOOL_DEFINITIONS, Value::Json(tools));
    }
    if !exchange.finish_reasons.is_empty() {
        draft.offer(semconv::RESPONSE_FINISH_REASONS, exchange.finish_reasons);
    }
    for (key, value) in exchange.parameters.iter() {
        draft.offer(key.to_owned(), value.clone());
    }
    let counts = [semconv::USAGE_INPUT_TOKENS, semconv::USAGE_OUTPUT_TOKENS, semconv::USAGE_TOTAL_TOKENS];
    if counts.iter().all(|key| draft.known(key).is_none()) {
        let [input, output, total] = counts;
        let usage = exchange.usage;
        for (key, count) in [
            (input, usage.input_tokens),
            (output, usage.output_tokens),
            (total, usage.total_tokens),
            (semconv::USAGE_CACHE_READ_TOKENS, usage.cache_read_tokens),
            (semconv::USAGE_CACHE_WRITE_TOKENS, usage.cache_write_tokens),
            (semconv::USAGE_REASONING_TOKENS, usage.reasoning_tokens),
        ] {
            if let Some(count) = count {
                draft.offer(key, count);
            }
        }
    }
    if draft.record.input.is_empty() {
        if !exchange.system.is_empty() {
            draft.record.input.push(Message::new(Role::System, exchange.system));
        }
        draft.record.input.extend(exchange.input);
    }
    if draft.record.output.is_empty() {
        draft.record.output = exchange.output;
    }
}
