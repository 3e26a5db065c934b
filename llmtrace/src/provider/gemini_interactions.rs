//! Google's Interactions (<https://ai.google.dev/api/interactions-api>).

use serde_json::{Value, json};

use super::fold::{Fold, Room, child};
use super::gemini::{AUDIO, IMAGE, Modality, Stated, TEXT, VIDEO, by_modality, model_name};
use super::json::{
    count, float_parameter, has, has_any, int_parameter, list, object, owned, stop_parameter,
    stream_parameter, text, text_parameter,
};
use super::{Api, Exchange, Shape, gemini_steps, openai};
use crate::{Attributes, Part, Usage, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::GeminiInteractions,
    is_request,
    is_response,
    is_item,
    read_request,
    read_response,
    fold,
};

const OPERATION: &str = "chat";

/// Fields that these requests have and those of `OpenAI`'s Responses do not.
const OWN_FIELDS: [&str; 8] = [
    "agent",
    "agent_config",
    "generation_config",
    "previous_interaction_id",
    "response_modalities",
    "safety_settings",
    "system_instruction",
    "webhook_config",
];

/// Fields that requests of `OpenAI`'s Responses have and these do not.
const FOREIGN_FIELDS: [&str; 12] = [
    "conversation",
    "include",
    "instructions",
    "max_output_tokens",
    "messages",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "temperature",
    "text",
    "truncation",
];

fn is_request(body: &Value) -> bool {
    let is_input = |input: &Value| match input {
        Value::String(_) => true,
        Value::Array(parts) => !parts.is_empty() && parts.iter().all(is_known),
        input => is_known(input),
    };
    let is_gemini = text(body, "model").is_some_and(|model| model.starts_with("gemini-"));
    body.get("input").is_some_and(is_input)
        && (text(body, "model").is_some() || text(body, "agent").is_some())
        && !has_any(body, &FOREIGN_FIELDS)
        && (has_any(body, &OWN_FIELDS) || is_gemini)
}

/// Whether an element of the input is a step, a content or a turn of these requests.
fn is_known(part: &Value) -> bool {
    text(part, "type").map_or_else(
        || text(part, "role").is_some(),
        |kind| !kind.starts_with("input_") && kind != "message" && !kind.ends_with("_output"),
    )
}

fn is_response(body: &Value) -> bool {
    let is_counted =
        || object(body, "usage").is_some_and(|usage| count(usage, "total_input_tokens").is_some());
    text(body, "object") == Some("interaction") && text(body, "status").is_some()
        || is_counted() && !has(body, "event_type")
}

fn is_item(item: &Value) -> bool {
    text(item, "event_type").is_some_and(|event| {
        let is_of_interaction = object(item, "interaction").is_some() || has(item, "interaction_id");
        event.starts_with("interaction.") && is_of_interaction
            || event.starts_with("step.") && count(item, "index").is_some()
    })
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = text(body, "model").map(model_name);
    exchange.input = gemini_steps::input(body.get("input").unwrap_or(&Value::Null));
    exchange.system = text(body, "system_instruction").map(Part::text).into_iter().collect();
    exchange.tools = tools(list(body, "tools"));
    let parameters = &mut exchange.parameters;
    if let Some(config) = object(body, "generation_config") {
        generation(parameters, config);
    }
    if object(body, "response_format").is_some() {
        parameters.set(semconv::OUTPUT_TYPE, "json");
    }
    text_parameter(parameters, semconv::AGENT_NAME, body, "agent");
    text_parameter(parameters, semconv::REQUEST_PREVIOUS_RESPONSE_ID, body, "previous_interaction_id");
    text_parameter(parameters, semconv::REQUEST_SERVICE_TIER, body, "service_tier");
    stream_parameter(parameters, body);
}

fn generation(parameters: &mut Attributes, config: &Value) {
    float_parameter(parameters, semconv::REQUEST_TEMPERATURE, config, "temperature");
    float_parameter(parameters, semconv::REQUEST_TOP_P, config, "top_p");
    int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, config, "max_output_tokens");
    int_parameter(parameters, semconv::REQUEST_SEED, config, "seed");
    stop_parameter(parameters, config, "stop_sequences");
    text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, config, "thinking_level");
}

/// Functions in the conventions' shape; other tools as they are.
fn tools(tools: &[Value]) -> Option<Value> {
    let definition = |tool: &Value| match text(tool, "type") {
        Some("function") => openai::function_definition(tool, "parameters"),
        _ => openai::provided_tool(tool),
    };
    (!tools.is_empty()).then(|| tools.iter().map(definition).collect())
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_id = owned(body, "id");
    exchange.response_model = text(body, "model").map(model_name);
    exchange.service_tier = owned(body, "service_tier");
    if let Some(stated) = object(body, "usage") {
        exchange.usage = usage(stated);
    }
    let status = text(body, "status").filter(|status| !matches!(*status, "in_progress" | "queued"));
    exchange.finish_reasons.extend(status.map(str::to_owned));
    let steps = list(body, "steps");
    if !steps.is_empty() {
        let mut message = gemini_steps::output(steps);
        message.finish_reason = status.map(|status| finish_word(status).to_owned());
        exchange.output = vec![message];
    }
}

fn finish_word(status: &str) -> &str {
    match status {
        "completed" => "stop",
        "incomplete" | "budget_exceeded" | "requires_continuation" => "length",
        "requires_action" => "tool_call",
        "failed" => "error",
        other => other,
    }
}

/// The counts of a `usage`: thoughts stand beside the output, as the stated total shows.
fn usage(stated: &Value) -> Usage {
    let counts = Stated {
        prompt: count(stated, "total_input_tokens"),
        tools: count(stated, "total_tool_use_tokens"),
        answer: count(stated, "total_output_tokens"),
        thoughts: count(stated, "total_thought_tokens"),
        total: count(stated, "total_tokens"),
    };
    let by = |lists: &[&str], modality: Modality| by_modality(stated, lists, modality, "tokens");
    let input = ["input_tokens_by_modality", "tool_use_tokens_by_modality"];
    let cached = ["cached_tokens_by_modality"];
    let output = ["output_tokens_by_modality"];
    let of_search = |row: &&Value| text(row, "type") == Some("google_search");
    let searches = list(stated, "grounding_tool_count").iter().filter(of_search);
    Usage {
        cache_read_tokens: count(stated, "total_cached_tokens"),
        input_text_tokens: by(&input, TEXT),
        input_audio_tokens: by(&input, AUDIO),
        input_image_tokens: by(&input, IMAGE),
        input_video_tokens: by(&input, VIDEO),
        cache_read_text_tokens: by(&cached, TEXT),
        cache_read_audio_tokens: by(&cached, AUDIO),
        cache_read_image_tokens: by(&cached, IMAGE),
        cache_read_video_tokens: by(&cached, VIDEO),
        output_text_tokens: by(&output, TEXT),
        output_audio_tokens: by(&output, AUDIO),
        output_image_tokens: by(&output, IMAGE),
        web_searches: searches.filter_map(|row| count(row, "count")).reduce(u64::saturating_add),
        ..counts.usage()
    }
    .checked()
}

fn fold(event: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    match text(event, "event_type") {
        Some("step.start") => {
            let started = event.get("step").unwrap_or(&Value::Null);
            if let Some(step) = step(body, event, room) {
                room.overlay(step, started);
            }
            *content |= text(started, "type") == Some("function_call");
        }
        Some("step.delta") => {
            let delta = event.get("delta").unwrap_or(&Value::Null);
            if let Some(step) = step(body, event, room) {
                *content |= fold_delta(step, delta, room);
            }
        }
        Some("step.stop") => room.set(body, "usage", event),
        Some(kind) if kind.starts_with("interaction.") => {
            room.set(body, "status", event);
            room.set(body, "usage", event);
            if let Some(interaction) = object(event, "interaction") {
                for key in ["id", "object", "status", "model", "service_tier", "usage"] {
                    room.set(body, key, interaction);
                }
                // The steps that came one by one are all there is, where the closing event leaves them out.
                if !list(interaction, "steps").is_empty() {
                    room.set(body, "steps", interaction);
                }
            }
            *ended |= kind == "interaction.completed";
        }
        _ => {}
    }
}

fn step<'a>(body: &'a mut Value, event: &Value, room: &mut Room) -> Option<&'a mut Value> {
    room.at(child(body, "steps"), count(event, "index").unwrap_or_default())
}

/// Lays a delta over a step and says whether it is content.
fn fold_delta(step: &mut Value, delta: &Value, room: &mut Room) -> bool {
    let (kind, list, piece) = match text(delta, "type") {
        Some("text") => ("model_output", "content", delta),
        Some("thought_summary") => ("thought", "summary", delta.get("content").unwrap_or(&Value::Null)),
        Some("arguments_delta") => {
            room.append(child(step, "partial_arguments"), text(delta, "arguments").unwrap_or_default());
            return true;
        }
        Some("image" | "audio" | "video" | "document") => {
            if let Some(copy) = room.copy(delta) {
                room.push(child(step, "content"), copy);
            }
            return true;
        }
        Some("thought_signature") | None => return false,
        Some(_) => {
            let kind = step.get("type").cloned();
            room.overlay(step, delta);
            *child(step, "type") = kind.unwrap_or_default();
            return false;
        }
    };
    let Some(piece) = text(piece, "text") else { return false };
    if !has(step, "type") {
        *child(step, "type") = kind.into();
    }
    let parts = child(step, list);
    let is_text = |part: &&mut Value| part.get("type").is_some_and(|kind| kind == "text");
    let last = parts.as_array_mut().and_then(|parts| parts.last_mut()).filter(is_text);
    let part = match last {
        Some(part) => Some(part),
        None => room.push(parts, json!({"type": "text"})),
    };
    if let Some(part) = part {
        room.append(child(part, "text"), piece);
    }
    true
}

#[cfg(test)]
mod tests;
