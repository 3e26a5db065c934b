//! Google's embeddings: `embedContent` and `batchEmbedContents` of the Gemini API
//! (<https://ai.google.dev/api/embeddings>), `predict` of Vertex AI
//! (<https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>).

use std::borrow::Cow;

use serde_json::Value;

use super::gemini::{VERTEX, count_of, field, model_name, object_of, usage};
use super::json::{has_any, list, message_of, object, text};
use super::{Api, Exchange, Shape, fold, gemini_parts};
use crate::{Part, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::GeminiEmbed,
    is_request,
    is_response,
    is_item: fold::no_item,
    read_request,
    read_response,
    fold: fold::whole,
};

const OPERATION: &str = "embeddings";

fn is_request(body: &Value) -> bool {
    let has_parts = |request: &Value| {
        object(request, "content").is_some_and(|content| !list(content, "parts").is_empty())
            && !has_any(request, &["role", "candidates", "contents"])
    };
    let is_text = |instance: &Value| text(instance, "content").is_some();
    let all =
        |requests: &[Value], is: &dyn Fn(&Value) -> bool| !requests.is_empty() && requests.iter().all(is);
    has_parts(body) || all(list(body, "requests"), &has_parts) || all(list(body, "instances"), &is_text)
}

fn is_response(body: &Value) -> bool {
    let has_values = |embedding: &Value| !list(embedding, "values").is_empty();
    let all = |embeddings: &[Value], is: &dyn Fn(&Value) -> bool| {
        !embeddings.is_empty() && embeddings.iter().all(is)
    };
    let is_reduced = || {
        object_of(body, "usageMetadata").is_some_and(|usage| {
            count_of(usage, "promptTokenCount").is_some() && field(usage, "promptTokenDetails").is_some()
        })
    };
    object(body, "embedding").is_some_and(has_values)
        || all(list(body, "embeddings"), &has_values)
        || all(list(body, "predictions"), &|row| object(row, "embeddings").is_some_and(has_values))
        || !has_any(body, &["candidates", "embedding", "embeddings", "predictions"]) && is_reduced()
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    let requests = list(body, "requests");
    let model = text(body, "model").or_else(|| text(requests.first()?, "model"));
    exchange.request_model = model.map(model_name);
    let contents = requests.iter().filter_map(|request| request.get("content")).chain(body.get("content"));
    let instances = list(body, "instances").iter().filter_map(|instance| text(instance, "content"));
    let parts: Vec<Part> = contents.flat_map(gemini_parts::parts).chain(instances.map(Part::text)).collect();
    exchange.input = message_of(Role::User, parts);
    let config = ["embedContentConfig", "config", "parameters"].iter().find_map(|key| object_of(body, key));
    let places = [Some(body), config, requests.first()];
    let dimensions = places.into_iter().flatten().find_map(|at| count_of(at, "outputDimensionality"));
    if let Some(dimensions) = dimensions {
        exchange.parameters.set(semconv::EMBEDDINGS_DIMENSION_COUNT, dimensions);
    }
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    let predictions: Vec<&Value> =
        list(body, "predictions").iter().filter_map(|row| object(row, "embeddings")).collect();
    if !predictions.is_empty() {
        exchange.provider = Some(Cow::Borrowed(VERTEX));
    }
    let single = object(body, "embedding");
    let vectors: Vec<&Value> =
        predictions.into_iter().chain(list(body, "embeddings")).chain(single).collect();
    exchange.usage = match object_of(body, "usageMetadata") {
        Some(stated) => usage(stated),
        None => Usage { input_tokens: tokens(&vectors), ..Usage::default() },
    };
    if exchange.usage.input_tokens.is_some() && exchange.usage.status != UsageStatus::Invalid {
        exchange.usage.status = UsageStatus::Complete;
    }
    let dimensions = vectors.first().map_or(0, |vector| list(vector, "values").len());
    if dimensions > 0 {
        exchange.attributes.set(semconv::EMBEDDINGS_DIMENSION_COUNT, dimensions);
    }
}

/// The tokens of all texts together, where each states its own.
fn tokens(vectors: &[&Value]) -> Option<u64> {
    let stated = vectors.iter().map(|vector| count_of(object(vector, "statistics")?, "tokenCount"));
    stated.reduce(|sum, tokens| Some(sum?.saturating_add(tokens?)))?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{read_request, read_response};
    use super::*;
    use crate::{Message, Value as Attribute};

    fn embedded(tokens: u64) -> Usage {
        Usage { status: UsageStatus::Complete, input_tokens: Some(tokens), ..Usage::default() }
    }

    #[test]
    fn requests_are_read() {
        let check = |body: Value, model: Option<&str>, texts: &[&str], dimensions: Option<i128>| {
            let call = read_request(&body).unwrap();
            assert_eq!(call.api, Some(Api::GeminiEmbed), "{body}");
            assert_eq!(call.request_model.as_deref(), model, "{body}");
            let parts: Vec<Part> = texts.iter().copied().map(Part::text).collect();
            assert_eq!(call.input, [Message::new(Role::User, parts)], "{body}");
            let read = call.parameters.get(semconv::EMBEDDINGS_DIMENSION_COUNT);
            assert_eq!(read, dimensions.map(Attribute::Int).as_ref(), "{body}");
        };
        check(
            json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8}),
            Some("gemini-embedding-001"),
            &["a"],
            Some(8),
        );
        check(
            json!({"requests": [
                {"model": "models/e", "content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING"},
                {"model": "models/e", "content": {"parts": [{"text": "b"}]}},
            ]}),
            Some("e"),
            &["a", "b"],
            None,
        );
        check(
            json!({"instances": [{"content": "a", "task_type": "RETRIEVAL_QUERY"}], "parameters": {"outputDimensionality": 8}}),
            None,
            &["a"],
            Some(8),
        );
        assert_eq!(read_request(&json!({"instances": [{"prompt": "a cat"}]})), None);
        assert_eq!(read_request(&json!({"content": "a"})), None);
    }

    #[test]
    fn responses_are_read() {
        let check = |body: Value, usage: Usage, provider: Option<&str>, dimensions: Option<i128>| {
            let call = read_response(&body).unwrap();
            assert_eq!((call.api, call.operation), (Some(Api::GeminiEmbed), Some("embeddings")), "{body}");
            assert_eq!(call.usage, usage, "{body}");
            assert_eq!(call.provider.as_deref(), provider, "{body}");
            let read = call.attributes.get(semconv::EMBEDDINGS_DIMENSION_COUNT);
            assert_eq!(read, dimensions.map(Attribute::Int).as_ref(), "{body}");
        };
        check(json!({"embedding": {"values": [0.1, 0.2]}}), Usage::default(), None, Some(2));
        check(
            json!({"embeddings": [{"values": [0.1]}, {"values": [0.2]}], "usageMetadata": {"promptTokenCount": 4,
                "promptTokenDetails": [{"modality": "TEXT", "tokenCount": 4}]}}),
            Usage { input_text_tokens: Some(4), ..embedded(4) },
            None,
            Some(1),
        );
        check(
            json!({"usageMetadata": {"promptTokenCount": 4, "promptTokenDetails": [{"modality": "TEXT", "tokenCount": 4}]}}),
            Usage { input_text_tokens: Some(4), ..embedded(4) },
            None,
            None,
        );
        let vector = |tokens: Value| json!({"embeddings": {"values": [0.1], "statistics": {"truncated": false, "token_count": tokens}}});
        check(
            json!({"predictions": [vector(json!(3)), vector(json!(4.0))], "metadata": {"billableCharacterCount": 20}}),
            embedded(7),
            Some("gcp.vertex_ai"),
            Some(1),
        );
        // A count that one text does not state is no count of all.
        check(
            json!({"predictions": [vector(json!(3)), vector(Value::Null)]}),
            Usage::default(),
            Some("gcp.vertex_ai"),
            Some(1),
        );
        assert_eq!(read_response(&json!({"predictions": [{"bytesBase64Encoded": "AA=="}]})), None);
        assert_eq!(
            read_response(
                &json!({"totalTokens": 31, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 31}]})
            ),
            None
        );
    }
}
