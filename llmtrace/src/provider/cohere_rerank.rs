//! Cohere rerank (<https://docs.cohere.com/reference/rerank>).

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::cohere_chat::{PROVIDER, billed};
use super::json::{count, has, has_any, list, message_of, object, owned, text};
use super::{Api, Exchange, Shape, fold};
use crate::{Part, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::CohereRerank,
    is_request,
    is_response,
    is_item: fold::no_item,
    read_request,
    read_response,
    fold: fold::whole,
};

const OPERATION: &str = "rerank";

fn is_request(body: &Value) -> bool {
    text(body, "model").is_some() && text(body, "query").is_some() && !list(body, "documents").is_empty()
}

fn is_response(body: &Value) -> bool {
    let results = list(body, "results");
    let is_billed = || billed(body).is_some_and(|units| has(units, "search_units"));
    let is_scored = |result: &Value| {
        count(result, "index").is_some() && result.get("relevance_score").is_some_and(Value::is_number)
    };
    let is_results =
        || !results.is_empty() && results.iter().all(is_scored) && object(body, "meta").is_some();
    is_results() || is_billed() && !has_any(body, &["message", "text", "embeddings"])
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    let mut parts: Vec<Part> = text(body, "query").map(Part::text).into_iter().collect();
    let document = |document: &Value| Part::Other(json!({"type": "document", "document": document}));
    parts.extend(list(body, "documents").iter().map(document));
    exchange.input = message_of(Role::User, parts);
    if let Some(query) = text(body, "query") {
        exchange.parameters.set(semconv::RETRIEVAL_QUERY_TEXT, query);
    }
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_id = owned(body, "id");
    exchange.response_model = owned(body, "model");
    if let Some(units) = billed(body) {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
        exchange.usage = Usage { rerank_searches: count(units, "search_units"), ..Usage::default() };
        if !exchange.usage.is_empty() {
            exchange.usage.status = UsageStatus::Complete;
        }
    }
    let results = list(body, "results");
    if !results.is_empty() {
        let documents = results.iter().map(scored).collect();
        exchange.attributes.set(semconv::RETRIEVAL_DOCUMENTS, crate::Value::Json(documents));
    }
}

/// A result in the conventions' shape: its place among the documents that were sent is its id.
fn scored(result: &Value) -> Value {
    let mut document = Map::new();
    if let Some(index) = count(result, "index") {
        document.insert("id".to_owned(), index.to_string().into());
    }
    for (key, name) in [("relevance_score", "score"), ("document", "document")] {
        if let Some(value) = result.get(key).filter(|value| !value.is_null()) {
            document.insert(name.to_owned(), value.clone());
        }
    }
    document.into()
}

#[cfg(test)]
mod tests {
    use super::super::{read_request, read_response};
    use super::*;
    use crate::Message;

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "model": "rerank-v3.5", "query": "capital", "documents": ["Paris", {"text": "Lyon"}], "top_n": 1,
        }))
        .unwrap();
        let document = |document: Value| Part::Other(json!({"type": "document", "document": document}));
        let parts = vec![Part::text("capital"), document(json!("Paris")), document(json!({"text": "Lyon"}))];
        assert_eq!(call.input, [Message::new(Role::User, parts)]);
        assert_eq!(call.parameters.get_str(semconv::RETRIEVAL_QUERY_TEXT), Some("capital"));
        let response = read_response(&json!({
            "id": "r1",
            "results": [{"index": 0, "relevance_score": 0.98}, {"index": 1, "relevance_score": 0, "document": {"text": "Lyon"}}],
            "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.operation), (Some(Api::CohereRerank), Some("rerank")));
        assert_eq!(call.provider.as_deref(), Some("cohere"));
        let expected = Usage { status: UsageStatus::Complete, rerank_searches: Some(1), ..Usage::default() };
        assert_eq!(call.usage, expected);
        let documents =
            json!([{"id": "0", "score": 0.98}, {"id": "1", "score": 0, "document": {"text": "Lyon"}}]);
        assert_eq!(call.attributes.get(semconv::RETRIEVAL_DOCUMENTS), Some(&crate::Value::Json(documents)));
        assert!(call.output.is_empty());
    }

    #[test]
    fn other_lists_of_results_are_not_taken() {
        let check = |body: Value| assert_eq!(read_response(&body), None, "{body}");
        check(json!({"results": [{"index": 0, "relevance_score": 0.5}]}));
        check(json!({"results": [{"title": "x"}], "meta": {"page": 1}}));
        check(json!({"results": [], "meta": {"page": 1}}));
        assert_eq!(read_request(&json!({"query": "x", "documents": ["a"]})), None);
    }

    #[test]
    fn searches_that_are_not_stated_are_not_counted() {
        let body = json!({"id": "r", "results": [{"index": 0, "relevance_score": 0.5}], "meta": {}});
        assert_eq!(read_response(&body).unwrap().usage, Usage::default());
    }
}
