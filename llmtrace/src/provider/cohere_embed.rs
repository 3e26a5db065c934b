//! Cohere embed (<https://docs.cohere.com/reference/embed>).

use std::borrow::Cow;

use serde_json::Value;

use super::cohere_chat::{PROVIDER, billed};
use super::json::{count, has, has_any, int_parameter, list, media, message_of, owned, text};
use super::openai_embeddings::base64_dimensions;
use super::{Api, Exchange, Shape, fold, openai_chat};
use crate::{Part, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::CohereEmbed,
    is_request,
    is_response,
    is_item: fold::no_item,
    read_request,
    read_response,
    fold: fold::whole,
};

const OPERATION: &str = "embeddings";

/// Dimensions that one number of a packed binary vector holds.
const DIMENSIONS_PER_BYTE: usize = 8;

fn is_request(body: &Value) -> bool {
    let is_texts = |key: &str| {
        let texts = list(body, key);
        !texts.is_empty() && texts.iter().all(Value::is_string)
    };
    let is_inputs = || {
        let inputs = list(body, "inputs");
        !inputs.is_empty() && inputs.iter().all(|input| input.get("content").is_some_and(Value::is_array))
    };
    let is_own = has_any(body, &["input_type", "embedding_types", "truncate"])
        || text(body, "model").is_some_and(|model| model.starts_with("embed-"));
    is_own && (is_texts("texts") || is_texts("images") || is_inputs())
}

fn is_response(body: &Value) -> bool {
    let embeddings = body.get("embeddings");
    let is_by_type = || {
        let types = embeddings.and_then(Value::as_object);
        types.is_some_and(|types| !types.is_empty() && types.values().all(Value::is_array))
    };
    let is_floats = || {
        let vectors = embeddings.and_then(Value::as_array);
        vectors.is_some_and(|vectors| !vectors.is_empty() && vectors.iter().all(Value::is_array))
    };
    let is_named = matches!(text(body, "response_type"), Some("embeddings_by_type" | "embeddings_floats"));
    let is_reduced = || {
        text(body, "model").is_some()
            && billed(body)
                .is_some_and(|units| count(units, "input_tokens").is_some() && !has(units, "output_tokens"))
    };
    (is_named || text(body, "id").is_some() && billed(body).is_some()) && (is_by_type() || is_floats())
        || !has_any(body, &["embeddings", "message", "text", "results"]) && is_reduced()
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    let texts = list(body, "texts").iter().filter_map(Value::as_str).map(Part::text);
    let images = list(body, "images").iter().filter_map(Value::as_str).map(|url| media(url, "image"));
    let mut parts: Vec<Part> = texts.chain(images).collect();
    for input in list(body, "inputs") {
        parts.extend(openai_chat::message(input).parts);
    }
    exchange.input = message_of(Role::User, parts);
    let formats: Vec<String> =
        list(body, "embedding_types").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if !formats.is_empty() {
        exchange.parameters.set(semconv::REQUEST_ENCODING_FORMATS, formats);
    }
    int_parameter(&mut exchange.parameters, semconv::EMBEDDINGS_DIMENSION_COUNT, body, "output_dimension");
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_id = owned(body, "id");
    exchange.response_model = owned(body, "model");
    if let Some(units) = billed(body) {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
        exchange.usage = usage(units);
    }
    if let Some(dimensions) = body.get("embeddings").and_then(dimensions) {
        exchange.attributes.set(semconv::EMBEDDINGS_DIMENSION_COUNT, dimensions);
    }
}

/// Tokens of texts and of images are billed apart; the input is both.
fn usage(units: &Value) -> Usage {
    let (texts, images) = (count(units, "input_tokens"), count(units, "image_tokens"));
    let input_tokens = texts.into_iter().chain(images).reduce(u64::saturating_add);
    let status = if input_tokens.is_some() { UsageStatus::Complete } else { UsageStatus::Missing };
    Usage { status, input_tokens, input_image_tokens: images, ..Usage::default() }
}

/// The dimensions of the first vector, whatever it is encoded in.
fn dimensions(embeddings: &Value) -> Option<usize> {
    let length = |vector: &Value| vector.as_array().map(Vec::len).filter(|length| *length > 0);
    if embeddings.is_array() {
        return length(embeddings.as_array()?.first()?);
    }
    let first = |key: &str| list(embeddings, key).first();
    let plain = ["float", "int8", "uint8"].into_iter().find_map(first).and_then(length);
    let packed = || {
        let bytes = ["binary", "ubinary"].into_iter().find_map(first).and_then(length)?;
        Some(bytes * DIMENSIONS_PER_BYTE)
    };
    let base64 = || first("base64")?.as_str().map(base64_dimensions);
    plain.or_else(packed).or_else(base64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{read_request, read_response};
    use super::*;
    use crate::{Message, Value as Attribute};

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "model": "embed-v4.0", "input_type": "search_document", "embedding_types": ["float", "int8"],
            "output_dimension": 256, "texts": ["a", "b"], "images": ["data:image/png;base64,AA"],
            "inputs": [{"content": [{"type": "text", "text": "c"}]}],
        }))
        .unwrap();
        let image = Part::Blob {
            mime_type: Some("image/png".into()),
            modality: "image".into(),
            content: "AA".into(),
        };
        let parts = vec![Part::text("a"), Part::text("b"), image, Part::text("c")];
        assert_eq!(call.input, [Message::new(Role::User, parts)]);
        assert_eq!(
            call.parameters.get(semconv::REQUEST_ENCODING_FORMATS),
            Some(&Attribute::from(["float", "int8"]))
        );
        let response = read_response(&json!({
            "id": "e1", "texts": ["a", "b"], "response_type": "embeddings_by_type",
            "embeddings": {"float": [[0.1, 0.2, 0.3]]},
            "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4, "image_tokens": 258}},
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.operation), (Some(Api::CohereEmbed), Some("embeddings")));
        assert_eq!(call.provider.as_deref(), Some("cohere"));
        let expected = Usage {
            status: UsageStatus::Complete,
            input_tokens: Some(262),
            input_image_tokens: Some(258),
            ..Usage::default()
        };
        assert_eq!(call.usage, expected);
        assert_eq!(call.attributes.get(semconv::EMBEDDINGS_DIMENSION_COUNT), Some(&Attribute::Int(3)));
    }

    #[test]
    fn dimensions_are_counted_in_every_encoding() {
        let check = |embeddings: Value, expected: Option<usize>| {
            assert_eq!(dimensions(&embeddings), expected, "{embeddings}");
        };
        check(json!([[0.1, 0.2]]), Some(2));
        check(json!({"int8": [[1, 2, 3]]}), Some(3));
        check(json!({"ubinary": [[1, 2]]}), Some(16));
        check(json!({"base64": ["AACAPwAAAEA="]}), Some(2));
        check(json!({"float": []}), None);
        check(json!([]), None);
    }

    #[test]
    fn what_is_not_billed_is_not_counted() {
        let check = |meta: Value, status, input| {
            let body =
                json!({"id": "e", "response_type": "embeddings_floats", "embeddings": [[1.0]], "meta": meta});
            let exchange = read_response(&body).unwrap();
            assert_eq!((exchange.usage.status, exchange.usage.input_tokens), (status, input), "{body}");
        };
        check(json!({"billed_units": {"input_tokens": 3}}), UsageStatus::Complete, Some(3));
        check(json!({"billed_units": {"images": 1}}), UsageStatus::Missing, None);
        check(json!(null), UsageStatus::Missing, None);
        assert_eq!(read_response(&json!({"id": "e", "embeddings": [[1.0]]})), None);
        assert_eq!(read_request(&json!({"texts": ["a"]})), None);
    }
}
