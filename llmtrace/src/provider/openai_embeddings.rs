//! `OpenAI` embeddings (<https://platform.openai.com/docs/api-reference/embeddings>).

use serde_json::Value;

use super::json::{count, has, has_any, int_parameter, is_bare, list, message_of, owned, text, text_parts};
use super::openai_chat::USAGE;
use super::openai_served::read_common;
use super::{Api, Exchange, Shape, fold, openai};
use crate::{Role, UsageStatus, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::OpenAiEmbeddings,
    is_request,
    is_response,
    is_item: fold::no_item,
    read_request,
    read_response,
    fold: fold::whole,
};

const OPERATION: &str = "embeddings";

fn is_request(body: &Value) -> bool {
    let Some(model) = text(body, "model") else { return false };
    let is_known = model.contains("embed") || has_any(body, &["encoding_format", "dimensions"]);
    match body.get("input") {
        Some(Value::String(_)) => is_known,
        Some(Value::Array(inputs)) => {
            let is_tokens =
                |input: &Value| input.as_array().is_some_and(|tokens| tokens.iter().all(Value::is_u64));
            is_known
                && !inputs.is_empty()
                && inputs.iter().all(|input| input.is_string() || input.is_u64() || is_tokens(input))
        }
        _ => false,
    }
}

fn is_response(body: &Value) -> bool {
    let data = list(body, "data");
    let is_vector =
        |item: &Value| item.get("embedding").is_some_and(|vector| vector.is_array() || vector.is_string());
    let is_reduced = || {
        is_bare(body, "data")
            && !has_any(body, &["choices", "output", "content"])
            && text(body, "model").is_some()
            && body.get("usage").is_some_and(|usage| {
                count(usage, "prompt_tokens").is_some()
                    && count(usage, "total_tokens").is_some()
                    && !has(usage, "completion_tokens")
            })
    };
    !data.is_empty() && data.iter().all(is_vector) && has_any(body, &["model", "usage"]) || is_reduced()
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.input = message_of(Role::User, text_parts(body.get("input")));
    if let Some(format) = text(body, "encoding_format") {
        exchange.parameters.set(semconv::REQUEST_ENCODING_FORMATS, [format]);
    }
    int_parameter(&mut exchange.parameters, semconv::EMBEDDINGS_DIMENSION_COUNT, body, "dimensions");
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    read_common(body, exchange);
    if let Some(usage) = body.get("usage") {
        exchange.usage = openai::usage(usage, &USAGE);
        exchange.usage.output_tokens = None;
        if exchange.usage.input_tokens.is_some() && exchange.usage.status != UsageStatus::Invalid {
            exchange.usage.status = UsageStatus::Complete;
        }
    }
    let vector = list(body, "data").first().and_then(|item| item.get("embedding"));
    let dimensions = match vector {
        Some(Value::Array(numbers)) => numbers.len(),
        Some(Value::String(base64)) => base64_dimensions(base64),
        _ => 0,
    };
    if dimensions > 0 {
        exchange.attributes.set(semconv::EMBEDDINGS_DIMENSION_COUNT, dimensions);
    }
}

/// The dimensions of a vector of floats that comes as base64.
pub(super) fn base64_dimensions(base64: &str) -> usize {
    /// Bytes of one number.
    const FLOAT_BYTES: usize = 4;
    base64.trim_end_matches('=').len() * 3 / 4 / FLOAT_BYTES
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{read_request, read_response};
    use super::*;
    use crate::{Message, Part};
    use crate::{Usage, Value as Attribute};

    #[test]
    fn requests_are_told_from_those_of_responses() {
        let check = |body: Value, api: Option<Api>| {
            assert_eq!(read_request(&body).and_then(|exchange| exchange.api), api, "{body}");
        };
        check(json!({"model": "text-embedding-3-small", "input": "hi"}), Some(Api::OpenAiEmbeddings));
        check(json!({"model": "m", "input": ["a", "b"], "dimensions": 8}), Some(Api::OpenAiEmbeddings));
        check(json!({"model": "embed", "input": [[1, 2], [3]]}), Some(Api::OpenAiEmbeddings));
        check(json!({"model": "gpt-4o", "input": "hi"}), Some(Api::OpenAiResponses));
        check(json!({"model": "m", "input": ["a", "b"]}), None);
        check(json!({"model": "embed", "input": []}), None);
        check(json!({"model": "gpt-4o-mini-tts", "input": "hi", "voice": "alloy"}), Some(Api::OpenAiAudio));
    }

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "model": "text-embedding-3-small", "input": ["a", "b"], "encoding_format": "float", "dimensions": 2,
        }))
        .unwrap();
        assert_eq!(call.input, [Message::new(Role::User, vec![Part::text("a"), Part::text("b")])]);
        assert_eq!(call.parameters.get(semconv::REQUEST_ENCODING_FORMATS), Some(&Attribute::from(["float"])));
        let response = read_response(&json!({
            "object": "list", "model": "text-embedding-3-small",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
            "usage": {"prompt_tokens": 4, "total_tokens": 4},
        }));
        call.merge(response.unwrap());
        assert_eq!(call.operation, Some("embeddings"));
        assert_eq!(call.attributes.get(semconv::EMBEDDINGS_DIMENSION_COUNT), Some(&Attribute::Int(2)));
        let expected = Usage {
            status: UsageStatus::Complete,
            input_tokens: Some(4),
            total_tokens: Some(4),
            ..Usage::default()
        };
        assert_eq!(call.usage, expected);
        assert!(call.output.is_empty());
    }

    #[test]
    fn the_dimensions_of_a_base64_vector_are_counted() {
        let check = |base64: &str, dimensions: i128| {
            let body = json!({"model": "m", "data": [{"embedding": base64}]});
            let counted =
                read_response(&body).unwrap().attributes.get(semconv::EMBEDDINGS_DIMENSION_COUNT).cloned();
            assert_eq!(counted, Some(Attribute::Int(dimensions)), "{base64}");
        };
        check("AACAPw==", 1);
        check("AACAPwAAAEA=", 2);
        check("AACAPwAAAEAAAEBA", 3);
    }
}
