//! Ollama's embed endpoint, and the older embeddings endpoint (<https://docs.ollama.com/api/embed>).

use std::borrow::Cow;

use serde_json::Value;

use super::json::{count, has_any, int_parameter, list, message_of, object, owned, text, text_parts};
use super::ollama_chat::{PROVIDER, durations, keep_alive};
use super::{Api, Exchange, Shape, fold};
use crate::{Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::OllamaEmbed,
    is_request,
    is_response,
    is_item: fold::no_item,
    read_request,
    read_response,
    fold: fold::whole,
};

const OPERATION: &str = "embeddings";

/// A request that names nothing of Ollama's own may as well be for its `OpenAI` endpoint.
fn is_request(body: &Value) -> bool {
    let inputs = list(body, "input");
    let is_input = body.get("input").is_some_and(Value::is_string)
        || !inputs.is_empty() && inputs.iter().all(Value::is_string);
    let is_own = object(body, "options").is_some()
        || has_any(body, &["keep_alive"])
        || body.get("truncate").is_some_and(Value::is_boolean);
    text(body, "model").is_some() && is_input && is_own
}

fn is_response(body: &Value) -> bool {
    let vectors = list(body, "embeddings");
    !vectors.is_empty() && vectors.iter().all(Value::is_array) && is_own(body)
}

fn is_own(body: &Value) -> bool {
    text(body, "model").is_some() && has_any(body, &["total_duration", "load_duration", "prompt_eval_count"])
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.input = message_of(Role::User, text_parts(body.get("input").or_else(|| body.get("prompt"))));
    int_parameter(&mut exchange.parameters, semconv::EMBEDDINGS_DIMENSION_COUNT, body, "dimensions");
    keep_alive(&mut exchange.parameters, body);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_model = owned(body, "model");
    if is_own(body) {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
    }
    if let Some(input) = count(body, "prompt_eval_count") {
        exchange.usage =
            Usage { status: UsageStatus::Complete, input_tokens: Some(input), ..Usage::default() };
    }
    durations(&mut exchange.attributes, body);
    // The older endpoint answers with one vector and nothing else.
    let vector = list(body, "embeddings").first().or_else(|| body.get("embedding"));
    let dimensions = vector.and_then(Value::as_array).map_or(0, Vec::len);
    if dimensions > 0 {
        exchange.attributes.set(semconv::EMBEDDINGS_DIMENSION_COUNT, dimensions);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{read_request, read_response, read_response_as};
    use super::*;
    use crate::{Message, Part, Value as Attribute};

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "model": "all-minilm", "input": ["a", "b"], "truncate": true, "dimensions": 2, "keep_alive": "5m",
        }))
        .unwrap();
        assert_eq!(call.input, [Message::new(Role::User, vec![Part::text("a"), Part::text("b")])]);
        assert_eq!(call.parameters.get_str(semconv::REQUEST_KEEP_ALIVE), Some("5m"));
        let response = read_response(&json!({
            "model": "all-minilm", "embeddings": [[0.1, 0.2], [0.3, 0.4]],
            "total_duration": 14_143_917, "load_duration": 1_019_500, "prompt_eval_count": 8,
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.operation), (Some(Api::OllamaEmbed), Some("embeddings")));
        assert_eq!(call.provider.as_deref(), Some("ollama"));
        let expected = Usage { status: UsageStatus::Complete, input_tokens: Some(8), ..Usage::default() };
        assert_eq!(call.usage, expected);
        assert_eq!(call.attributes.get(semconv::EMBEDDINGS_DIMENSION_COUNT), Some(&Attribute::Int(2)));
        assert_eq!(call.attributes.get(semconv::SERVER_LOAD_SECONDS), Some(&Attribute::Float(0.001_019_5)));
    }

    #[test]
    fn the_older_endpoint_is_read_where_it_is_named() {
        let body = json!({"embedding": [0.1, 0.2, 0.3]});
        assert_eq!(read_response(&body), None);
        let response = read_response_as(Api::OllamaEmbed, &body);
        assert_eq!(response.attributes.get(semconv::EMBEDDINGS_DIMENSION_COUNT), Some(&Attribute::Int(3)));
        assert_eq!((response.usage, response.provider), (Usage::default(), None));
    }

    #[test]
    fn other_embeddings_are_left_to_their_apis() {
        let check = |body: Value, api: Option<Api>| {
            assert_eq!(read_request(&body).and_then(|exchange| exchange.api), api, "{body}");
        };
        check(json!({"model": "text-embedding-3-small", "input": "hi"}), Some(Api::OpenAiEmbeddings));
        check(json!({"model": "nomic", "input": "hi", "options": {}}), Some(Api::OllamaEmbed));
        check(json!({"model": "nomic", "input": [1], "options": {}}), None);
        assert_eq!(read_response(&json!({"model": "m", "embeddings": [[1.0]]})), None);
    }
}
