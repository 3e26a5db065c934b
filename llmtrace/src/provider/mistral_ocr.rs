//! Mistral OCR (<https://docs.mistral.ai/api/>).

use std::borrow::Cow;

use serde_json::Value;

use super::json::{count, list, media, message_of, object, owned, text};
use super::mistral_chat::PROVIDER;
use super::{Api, Exchange, Shape, fold};
use crate::{Message, Part, Role, Usage, UsageStatus};

pub(super) const SHAPE: Shape = Shape {
    api: Api::MistralOcr,
    is_request,
    is_response,
    is_item: fold::no_item,
    read_request,
    read_response,
    fold: fold::whole,
};

const OPERATION: &str = "ocr";

fn is_request(body: &Value) -> bool {
    let is_document = |document: &Value| {
        matches!(text(document, "type"), Some("document_url" | "image_url" | "file"))
            && part(document).is_some()
    };
    text(body, "model").is_some() && object(body, "document").is_some_and(is_document)
}

fn is_response(body: &Value) -> bool {
    object(body, "usage_info").is_some_and(|usage| count(usage, "pages_processed").is_some())
        && text(body, "model").is_some()
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    let document = body.get("document").and_then(part);
    exchange.input.extend(document.map(|part| Message::new(Role::User, vec![part])));
}

/// The document, by whichever of its addresses it is given.
fn part(document: &Value) -> Option<Part> {
    if let Some(file_id) = owned(document, "file_id") {
        return Some(Part::File { mime_type: None, modality: "document".to_owned(), file_id });
    }
    if let Some(url) = text(document, "document_url") {
        return Some(media(url, "document"));
    }
    let image = document.get("image_url")?;
    image.as_str().or_else(|| text(image, "url")).map(|url| media(url, "image"))
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_model = owned(body, "model");
    if let Some(pages) = body.get("usage_info").and_then(|usage| count(usage, "pages_processed")) {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
        exchange.usage =
            Usage { status: UsageStatus::Complete, document_pages: Some(pages), ..Usage::default() };
    }
    let mut parts = Vec::new();
    for page in list(body, "pages") {
        parts.extend(text(page, "markdown").map(Part::text));
        let images = list(page, "images").iter().filter_map(|image| text(image, "image_base64"));
        parts.extend(images.map(|url| media(url, "image")));
    }
    parts.extend(text(body, "document_annotation").map(Part::text));
    exchange.output = message_of(Role::Assistant, parts);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{read_request, read_response};
    use super::*;

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "model": "mistral-ocr-latest", "document": {"type": "document_url", "document_url": "https://a.b/c.pdf"},
        }))
        .unwrap();
        let uri = Part::Uri { mime_type: None, modality: "document".into(), uri: "https://a.b/c.pdf".into() };
        assert_eq!(call.input, [Message::new(Role::User, vec![uri])]);
        let response = read_response(&json!({
            "model": "mistral-ocr-2505-completion", "document_annotation": null,
            "pages": [
                {"index": 0, "markdown": "# One", "images": [{"id": "i", "image_base64": "data:image/jpeg;base64,AA"}]},
                {"index": 1, "markdown": "Two", "images": []},
            ],
            "usage_info": {"pages_processed": 2, "doc_size_bytes": 3002},
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.operation), (Some(Api::MistralOcr), Some("ocr")));
        assert_eq!(call.provider.as_deref(), Some("mistral_ai"));
        assert_eq!(call.output[0].text(), "# OneTwo");
        assert_eq!(call.output[0].parts.len(), 3);
        let expected = Usage { status: UsageStatus::Complete, document_pages: Some(2), ..Usage::default() };
        assert_eq!(call.usage, expected);
    }

    #[test]
    fn documents_have_several_addresses() {
        let check = |document: Value, expected: Option<Part>| assert_eq!(part(&document), expected);
        let uri = |modality: &str| {
            Some(Part::Uri { mime_type: None, modality: modality.into(), uri: "https://a.b/c".into() })
        };
        check(json!({"type": "image_url", "image_url": "https://a.b/c"}), uri("image"));
        check(json!({"type": "image_url", "image_url": {"url": "https://a.b/c"}}), uri("image"));
        let file = Part::File { mime_type: None, modality: "document".into(), file_id: "f".into() };
        check(json!({"type": "file", "file_id": "f"}), Some(file));
        check(json!({"type": "document_url"}), None);
        assert_eq!(read_request(&json!({"model": "m", "document": {"type": "invoice"}})), None);
        assert_eq!(read_response(&json!({"model": "m", "pages": []})), None);
    }
}
