//! Google's `generateContent` and `streamGenerateContent`, of the Gemini API
//! (<https://ai.google.dev/api/generate-content>) and of Vertex AI.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::gemini::{
    VERTEX, count_of, field, key, list_of, model_name, object_of, provider, service_tier, text_of, usage,
};
use super::json::{count, float_parameter, has, has_any, list, object, stop_parameter, text};
use super::{Api, Exchange, Shape, gemini_fold, gemini_parts, openai};
use crate::content::LEFT_OUT;
use crate::{Attributes, Message, Part, Role, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::GeminiGenerate,
    is_request,
    is_response,
    // Each chunk of a stream is a response.
    is_item: is_response,
    read_request,
    read_response,
    fold: gemini_fold::fold,
};

const OPERATION: &str = "chat";

/// How the numbers of Vertex AI's `FinishReason` are named. Those of the Gemini API are the same up to 5.
const FINISH_REASONS: [&str; 17] = [
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "MODEL_ARMOR",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
    "UNEXPECTED_TOOL_CALL",
    "NO_IMAGE",
];

/// The last number that means the same in both APIs.
const LAST_COMMON_REASON: usize = 5;

fn is_request(body: &Value) -> bool {
    let is_content = |content: &Value| {
        content.as_object().is_some_and(|content| content.get("parts").is_some_and(Value::is_array))
    };
    match body.get("contents") {
        Some(Value::Array(contents)) => !contents.is_empty() && contents.iter().all(is_content),
        // The SDKs take a text, or one content.
        Some(contents) => {
            text(body, "model").is_some() && (is_content(contents) || contents.as_str().is_some())
        }
        None => false,
    }
}

fn is_response(body: &Value) -> bool {
    const NAMES: [&str; 4] = ["usageMetadata", "modelVersion", "responseId", "promptFeedback"];
    let is_named = || NAMES.iter().any(|name| field(body, name).is_some());
    let is_content = |candidate: &Value| {
        object(candidate, "content").is_some_and(|content| has(content, "parts") || has(content, "role"))
    };
    let is_candidate = |candidate: &Value| {
        is_content(candidate)
            && candidate
                .get("content")
                .and_then(|content| content.get("parts"))
                .is_none_or(|parts| parts.is_array() || parts.is_null())
            || finish_reason(candidate, false).is_some()
            || object(candidate, "content").is_some() && is_named()
    };
    let candidates = list(body, "candidates");
    if !candidates.is_empty() {
        return candidates.iter().all(is_candidate) && (is_named() || candidates.iter().all(is_content));
    }
    let is_counted = || {
        object_of(body, "usageMetadata").is_some_and(|usage| {
            count_of(usage, "promptTokenCount").is_some() && field(usage, "promptTokenDetails").is_none()
        })
    };
    !has_any(body, &["choices", "embedding", "embeddings", "predictions"])
        && (block_reason(body).is_some() || is_counted())
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = text(body, "model").map(model_name);
    exchange.input = match body.get("contents") {
        Some(Value::Array(contents)) => {
            contents.iter().map(|content| gemini_parts::message(content, Role::User)).collect()
        }
        Some(content) => vec![gemini_parts::message(content, Role::User)],
        None => Vec::new(),
    };
    // The SDKs take everything else in one `config`.
    let config = object(body, "config");
    let outer = config.unwrap_or(body);
    if let Some(system) = field(outer, "systemInstruction") {
        exchange.system = gemini_parts::parts(system);
    }
    exchange.tools = field(outer, "tools").and_then(tools);
    let parameters = &mut exchange.parameters;
    if let Some(config) = config.or_else(|| object_of(body, "generationConfig")) {
        generation(parameters, config);
    }
    if let Some(tier) = text_of(outer, "serviceTier") {
        parameters.set(semconv::REQUEST_SERVICE_TIER, tier);
    }
}

/// Records a `generationConfig`.
fn generation(parameters: &mut Attributes, config: &Value) {
    let floats = [
        (semconv::REQUEST_TEMPERATURE, "temperature"),
        (semconv::REQUEST_TOP_P, "topP"),
        (semconv::REQUEST_PRESENCE_PENALTY, "presencePenalty"),
        (semconv::REQUEST_FREQUENCY_PENALTY, "frequencyPenalty"),
    ];
    for (name, field) in floats {
        float_parameter(parameters, name, config, key(config, field));
    }
    let counts = [
        (semconv::REQUEST_TOP_K, count_of(config, "topK")),
        (semconv::REQUEST_MAX_TOKENS, count_of(config, "maxOutputTokens")),
        (
            semconv::REQUEST_CHOICE_COUNT,
            count_of(config, "candidateCount").filter(|candidates| *candidates != 1),
        ),
    ];
    for (name, count) in counts {
        if let Some(count) = count {
            parameters.set(name, count);
        }
    }
    if let Some(seed) = config.get("seed").and_then(Value::as_i64) {
        parameters.set(semconv::REQUEST_SEED, seed);
    }
    stop_parameter(parameters, config, key(config, "stopSequences"));
    if let Some(level) = object_of(config, "thinkingConfig").and_then(thinking_level) {
        parameters.set(semconv::REQUEST_REASONING_LEVEL, level);
    }
    if let Some(kind) = output_type(config) {
        parameters.set(semconv::OUTPUT_TYPE, kind);
    }
}

/// The level of thinking; a budget of no tokens switches it off, any other budget names no level.
fn thinking_level(config: &Value) -> Option<String> {
    let none = (count_of(config, "thinkingBudget") == Some(0)).then(|| "none".to_owned());
    text_of(config, "thinkingLevel").map(str::to_ascii_lowercase).or(none)
}

fn output_type(config: &Value) -> Option<&'static str> {
    let modalities = list_of(config, "responseModalities");
    let has_modality = |name: &str| {
        modalities.iter().filter_map(Value::as_str).any(|modality| modality.eq_ignore_ascii_case(name))
    };
    let has_schema = ["responseSchema", "responseJsonSchema"].iter().any(|key| field(config, key).is_some());
    if has_modality("AUDIO") {
        Some("speech")
    } else if has_modality("IMAGE") {
        Some("image")
    } else if has_schema || text_of(config, "responseMimeType") == Some("application/json") {
        Some("json")
    } else {
        has_modality("TEXT").then_some("text")
    }
}

/// Functions flat, in the conventions' shape; other tools as they are, with their name as the type.
fn tools(tools: &Value) -> Option<Value> {
    let tools = tools.as_array().map_or(std::slice::from_ref(tools), Vec::as_slice);
    let mut definitions = Vec::new();
    for tool in tools.iter().filter_map(Value::as_object) {
        for (kind, config) in tool.iter().filter(|(_, config)| !config.is_null()) {
            if matches!(kind.as_str(), "functionDeclarations" | "function_declarations") {
                definitions.extend(config.as_array().into_iter().flatten().map(function));
            } else {
                let fields = [("type".to_owned(), kind.as_str().into()), (kind.clone(), config.clone())];
                definitions.push(openai::provided_tool(&Map::from_iter(fields).into()));
            }
        }
    }
    (!definitions.is_empty()).then_some(Value::Array(definitions))
}

fn function(function: &Value) -> Value {
    let schema =
        if has(function, "parameters") { "parameters" } else { key(function, "parametersJsonSchema") };
    openai::function_definition(function, schema)
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_id = text_of(body, "responseId").map(str::to_owned);
    exchange.response_model = text_of(body, "modelVersion").map(model_name);
    let counts = object_of(body, "usageMetadata").unwrap_or(&Value::Null);
    exchange.usage = usage(counts);
    exchange.service_tier = service_tier(counts);
    exchange.provider = provider(body, counts).map(Cow::Borrowed);
    let is_vertex = exchange.provider.as_deref() == Some(VERTEX);
    let candidates = list(body, "candidates");
    for candidate in candidates {
        let mut message =
            gemini_parts::message(candidate.get("content").unwrap_or(&Value::Null), Role::Assistant);
        if let Some(reason) = finish_reason(candidate, is_vertex) {
            let calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
            message.finish_reason = Some(finish_word(&reason, calls).to_owned());
            exchange.finish_reasons.push(reason.into_owned());
        }
        exchange.output.push(message);
    }
    exchange.usage.web_searches = searches(candidates);
    if let Some(reason) = block_reason(body).filter(|_| candidates.is_empty()) {
        // The prompt was refused: there is no answer, and that is why.
        exchange.attributes.set(semconv::BLOCK_REASON, reason);
        let refusal = Message::new(Role::Assistant, Vec::new()).with_finish_reason("content_filter");
        exchange.output.push(refusal);
    }
}

/// How many searches the answer rests on. Empty queries and repeated ones are not billed
/// (<https://ai.google.dev/gemini-api/docs/google-search>); queries whose texts are left out all count.
fn searches(candidates: &[Value]) -> Option<u64> {
    let mut queries = Vec::new();
    let mut is_stated = false;
    for grounding in candidates.iter().filter_map(|candidate| object_of(candidate, "groundingMetadata")) {
        let stated = list_of(grounding, "webSearchQueries");
        is_stated |= !stated.is_empty();
        for query in stated.iter().filter_map(Value::as_str).filter(|query| !query.trim().is_empty()) {
            if query == LEFT_OUT || !queries.contains(&query) {
                queries.push(query);
            }
        }
    }
    is_stated.then_some(queries.len() as u64)
}

/// Why the prompt was refused.
fn block_reason(body: &Value) -> Option<String> {
    let feedback = object_of(body, "promptFeedback")?;
    let number = count_of(feedback, "blockReason").map(|number| number.to_string());
    text_of(feedback, "blockReason").map(str::to_owned).or(number)
}

fn finish_reason(candidate: &Value, is_vertex: bool) -> Option<Cow<'_, str>> {
    if let Some(reason) = text_of(candidate, "finishReason") {
        return Some(Cow::Borrowed(reason));
    }
    let number = count(candidate, key(candidate, "finishReason"))?;
    let place = usize::try_from(number).ok().filter(|place| is_vertex || *place <= LAST_COMMON_REASON);
    let name = place.and_then(|place| FINISH_REASONS.get(place));
    Some(name.map_or_else(|| Cow::Owned(number.to_string()), |name| Cow::Borrowed(*name)))
}

/// The finish reason in the words of the conventions; a word that has none there stays.
fn finish_word(reason: &str, calls: bool) -> &str {
    match reason {
        "STOP" if calls => "tool_call",
        "STOP" => "stop",
        "MAX_TOKENS" | "CONTINUATION" => "length",
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "ESCALATION"
        | "PUP_LIMITED_DISABLED" => "content_filter",
        "LANGUAGE"
        | "MALFORMED_FUNCTION_CALL"
        | "MALFORMED_RESPONSE"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "IMAGE_OTHER"
        | "NO_IMAGE"
        | "OTHER" => "error",
        other => other,
    }
}

#[cfg(test)]
mod tests;
