//! Amazon Bedrock `InvokeModel`: the bodies of the model families
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>).
//!
//! Anthropic's messages, Nova and models that speak `OpenAI`'s chat are read as those APIs are; the others, which
//! answer with text or vectors, are read here. The counts of a stream stand in its last chunk, under one name for
//! all families.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::bedrock_converse::{self as converse, PROVIDER, inclusive};
use super::fold::{Fold, child};
use super::json::{
    count, float_parameter, has, has_any, int_parameter, list, message_of, object, stop_parameter, text,
};
use super::{Api, Exchange, Shape, anthropic_messages, openai_chat};
use crate::{Message, Part, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::BedrockInvoke, is_request, is_response, is_item, read_request, read_response, fold };

/// What the last chunk of a stream states, whatever the family.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Where families that answer with text put it.
const TEXTS: [&str; 4] = ["outputText", "generation", "completion", "text"];

/// Where they say why they stopped.
const REASONS: [&str; 4] = ["completionReason", "stop_reason", "finish_reason", "finishReason"];

/// Lists that hold one text each.
const LISTS: [&str; 5] = ["results", "outputs", "generations", "completions", "choices"];

/// Counts beside the text.
const COUNTS: [&str; 4] =
    ["inputTextTokenCount", "totalOutputTextTokenCount", "prompt_token_count", "generation_token_count"];

/// Whose shape a body has.
#[derive(Clone, Copy)]
enum Family {
    Anthropic,
    Converse,
    Chat,
    Embeddings,
    Text,
}

impl Family {
    fn of_response(body: &Value) -> Self {
        if (anthropic_messages::SHAPE.is_response)(body) {
            Self::Anthropic
        } else if object(body, "output").is_some() {
            Self::Converse
        } else if list(body, "choices").iter().any(|choice| object(choice, "message").is_some()) {
            Self::Chat
        } else if has_any(body, &["embedding", "embeddings", "embeddingsByType"]) {
            Self::Embeddings
        } else {
            Self::Text
        }
    }

    fn of_request(body: &Value) -> Self {
        let messages = list(body, "messages");
        let is_block = |block: &Value| !has(block, "type") && !block.is_string();
        if has(body, "anthropic_version") && !messages.is_empty() {
            Self::Anthropic
        } else if messages.iter().any(|message| list(message, "content").iter().any(is_block)) {
            Self::Converse
        } else if !messages.is_empty() {
            Self::Chat
        } else if has_any(body, &["normalize", "dimensions", "embeddingTypes", "embeddingConfig", "texts"]) {
            Self::Embeddings
        } else {
            Self::Text
        }
    }
}

fn is_request(body: &Value) -> bool {
    let is_anthropic =
        || text(body, "anthropic_version").is_some_and(|version| version.starts_with("bedrock-"));
    let is_titan = || {
        body.get("inputText").is_some_and(Value::is_string)
            && has_any(
                body,
                &["textGenerationConfig", "normalize", "dimensions", "embeddingTypes", "embeddingConfig"],
            )
    };
    let is_prompt = || {
        text(body, "prompt").is_some()
            && has_any(body, &["max_tokens_to_sample", "max_gen_len"])
            && !has(body, "model")
    };
    let is_nova = || text(body, "schemaVersion") == Some("messages-v1") && has(body, "messages");
    is_anthropic() || is_titan() || is_prompt() || is_nova()
}

fn is_response(body: &Value) -> bool {
    let is_titan = || {
        let results = list(body, "results");
        has(body, "inputTextTokenCount")
            && (has_any(body, &["embedding", "embeddingsByType"])
                || !results.is_empty() && results.iter().all(|result| has(result, "outputText")))
    };
    // What those APIs claim for themselves is theirs where no API is named: they stand before this one.
    let others =
        [anthropic_messages::SHAPE.is_response, converse::is_response, openai_chat::SHAPE.is_response];
    is_titan() || is_text(body) || others.iter().any(|is_response| is_response(body))
}

/// Whether a whole body, or a chunk, is of a family that answers with text.
fn is_text(body: &Value) -> bool {
    let is_there = |key: &str| body.get(key).is_some_and(Value::is_string);
    let is_titan = || is_there("outputText") && has_any(body, &["index", "inputTextTokenCount"]);
    let is_llama = || is_there("generation") && body.get("generation_token_count").is_some();
    // With a model, it is Anthropic's own endpoint for completions.
    let is_completion = || {
        let states = |key: &str| body.get(key).is_some();
        is_there("completion") && states("stop_reason") && states("stop") && !has(body, "model")
    };
    let is_mistral = || {
        let outputs = list(body, "outputs");
        let is_output = |output: &Value| text_of(output).is_some() && output.get("stop_reason").is_some();
        !outputs.is_empty() && outputs.iter().all(is_output)
    };
    is_titan() || is_llama() || is_completion() || is_mistral()
}

fn is_item(item: &Value) -> bool {
    // As with whole responses.
    let others = [anthropic_messages::SHAPE.is_item, converse::is_item, openai_chat::SHAPE.is_item];
    is_text(item) || has(item, METRICS) || others.iter().any(|is_item| is_item(item))
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    match Family::of_request(body) {
        Family::Anthropic => (anthropic_messages::SHAPE.read_request)(body, exchange),
        Family::Converse => converse::read_request(body, exchange),
        Family::Chat => (openai_chat::SHAPE.read_request)(body, exchange),
        family => read_prompt(body, family, exchange),
    }
    exchange.provider = Some(Cow::Borrowed(PROVIDER));
}

fn read_prompt(body: &Value, family: Family, exchange: &mut Exchange) {
    let is_embedding = matches!(family, Family::Embeddings);
    exchange.operation = Some(if is_embedding { "embeddings" } else { "text_completion" });
    let texts = list(body, "texts").iter().filter_map(Value::as_str);
    let prompt = ["inputText", "prompt", "message"].iter().find_map(|key| text(body, key));
    let parts: Vec<Part> = prompt.into_iter().chain(texts).map(Part::text).collect();
    exchange.input = message_of(Role::User, parts);
    let parameters = &mut exchange.parameters;
    for config in [Some(body), object(body, "textGenerationConfig")].into_iter().flatten() {
        float_parameter(parameters, semconv::REQUEST_TEMPERATURE, config, "temperature");
        for key in ["topP", "top_p", "p"] {
            float_parameter(parameters, semconv::REQUEST_TOP_P, config, key);
        }
        for key in ["topK", "top_k", "k"] {
            int_parameter(parameters, semconv::REQUEST_TOP_K, config, key);
        }
        for key in ["maxTokenCount", "max_tokens", "max_tokens_to_sample", "max_gen_len", "maxTokens"] {
            int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, config, key);
        }
        for key in ["stopSequences", "stop_sequences", "stop"] {
            stop_parameter(parameters, config, key);
        }
    }
    int_parameter(parameters, semconv::EMBEDDINGS_DIMENSION_COUNT, body, "dimensions");
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    match Family::of_response(body) {
        Family::Anthropic => (anthropic_messages::SHAPE.read_response)(body, exchange),
        Family::Converse => converse::read_response(body, exchange),
        Family::Chat => read_chat(body, exchange),
        Family::Embeddings => read_embeddings(body, exchange),
        Family::Text => read_text(body, exchange),
    }
    exchange.provider = Some(Cow::Borrowed(PROVIDER));
    if let Some(metrics) = object(body, METRICS)
        && !matches!(exchange.usage.status, UsageStatus::Complete | UsageStatus::Invalid)
    {
        exchange.usage = inclusive(
            count(metrics, "inputTokenCount"),
            count(metrics, "outputTokenCount"),
            count(metrics, "cacheReadInputTokenCount"),
            count(metrics, "cacheWriteInputTokenCount"),
        )
        .checked();
    }
}

/// Reads a chat completion; Mistral's models state their reasons under a name of their own.
fn read_chat(body: &Value, exchange: &mut Exchange) {
    (openai_chat::SHAPE.read_response)(body, exchange);
    if exchange.finish_reasons.is_empty() {
        for (choice, message) in list(body, "choices").iter().zip(&mut exchange.output) {
            if let Some(reason) = text(choice, "stop_reason") {
                message.finish_reason = Some(finish_word(reason).to_owned());
                exchange.finish_reasons.push(reason.to_owned());
            }
        }
    }
}

fn read_embeddings(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some("embeddings");
    let vector = body.get("embedding").or_else(|| {
        let first = body.get("embeddings")?.get(0)?;
        Some(first.get("embedding").unwrap_or(first))
    });
    if let Some(vector) = vector.and_then(Value::as_array).filter(|vector| !vector.is_empty()) {
        exchange.attributes.set(semconv::EMBEDDINGS_DIMENSION_COUNT, vector.len());
    }
    if let Some(input) = count(body, "inputTextTokenCount") {
        exchange.usage =
            Usage { status: UsageStatus::Complete, input_tokens: Some(input), ..Usage::default() };
    }
}

fn read_text(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some("text_completion");
    exchange.response_id = text(body, "id").or_else(|| text(body, "response_id")).map(str::to_owned);
    let results = LISTS.iter().map(|key| list(body, key)).find(|list| !list.is_empty());
    for result in results.unwrap_or(std::slice::from_ref(body)) {
        let mut message =
            Message::new(Role::Assistant, text_of(result).map(Part::text).into_iter().collect());
        if let Some(reason) = reason_of(result) {
            message.finish_reason = Some(finish_word(reason).to_owned());
            exchange.finish_reasons.push(reason.to_owned());
        }
        if !message.parts.is_empty() || message.finish_reason.is_some() {
            exchange.output.push(message);
        }
    }
    let first = |keys: &[&str]| keys.iter().find_map(|key| count(body, key));
    let each = list(body, "results").iter().filter_map(|result| count(result, "tokenCount"));
    let written = each.reduce(u64::saturating_add);
    let input = first(&["inputTextTokenCount", "prompt_token_count"]);
    let output = first(&["totalOutputTextTokenCount", "generation_token_count"]).or(written);
    exchange.usage = inclusive(input, output, None, None);
}

fn text_of(result: &Value) -> Option<&str> {
    // Jurassic wraps its text once more.
    let result = object(result, "data").unwrap_or(result);
    TEXTS.iter().find_map(|key| result.get(key)?.as_str())
}

fn reason_of(result: &Value) -> Option<&str> {
    let wrapped = || text(object(result, "finishReason")?, "reason");
    REASONS.iter().find_map(|key| text(result, key)).or_else(wrapped)
}

fn finish_word(reason: &str) -> &str {
    match reason {
        "FINISH" | "COMPLETE" | "stop" | "endoftext" | "STOP_CRITERIA_MET" => "stop",
        "LENGTH" | "MAX_TOKENS" | "length" => "length",
        "CONTENT_FILTERED" | "ERROR_TOXIC" => "content_filter",
        "ERROR" => "error",
        "tool_calls" => "tool_call",
        other => converse::finish_word(other),
    }
}

fn fold(item: &Value, fold: &mut Fold) {
    if (anthropic_messages::SHAPE.is_item)(item) {
        (anthropic_messages::SHAPE.fold)(item, fold);
    } else if converse::is_item(item) {
        converse::fold(item, fold);
    } else if (openai_chat::SHAPE.is_item)(item) {
        (openai_chat::SHAPE.fold)(item, fold);
    } else {
        fold_text(item, fold);
    }
    if let Some(metrics) = object(item, METRICS) {
        fold.room.overlay(child(&mut fold.body, METRICS), metrics);
        fold.ended = true;
    }
}

/// Lays a chunk of text over `{"outputs": [{"text": .., "stop_reason": ..}]}` with the counts beside it.
fn fold_text(item: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    room.set(body, "id", item);
    for key in COUNTS {
        room.set(body, key, item);
    }
    *ended |= has(item, "totalOutputTextTokenCount");
    let results = LISTS.iter().map(|key| list(item, key)).find(|list| !list.is_empty());
    for (index, result) in results.unwrap_or(std::slice::from_ref(item)).iter().enumerate() {
        if text_of(result).is_none() && reason_of(result).is_none() {
            continue;
        }
        let Some(place) = room.at(child(body, "outputs"), index as u64) else { continue };
        if let Some(piece) = text_of(result) {
            room.append(child(place, "text"), piece);
            *content |= !piece.is_empty();
        }
        if let Some(reason) = reason_of(result) {
            let reason = Map::from_iter([("stop_reason".to_owned(), reason.into())]).into();
            room.set(place, "stop_reason", &reason);
            *ended = true;
        }
    }
}

#[cfg(test)]
mod tests;
