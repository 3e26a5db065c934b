//! `OpenAI` images (<https://platform.openai.com/docs/api-reference/images>).

use serde_json::{Value, json};

use super::fold::{Fold, child};
use super::json::{has, has_any, list, media, message_of, object, owned, stream_parameter, text};
use super::openai_responses::USAGE;
use super::openai_served::read_common;
use super::{Api, Exchange, Shape, openai};
use crate::{Message, Part, Role, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::OpenAiImages, is_request, is_response, is_item, read_request, read_response, fold };

const OPERATION: &str = "generate_content";

/// Fields that, beside a `prompt`, only requests for pictures have.
const OWN_FIELDS: [&str; 8] = [
    "size",
    "quality",
    "output_format",
    "background",
    "moderation",
    "partial_images",
    "style",
    "aspect_ratio",
];

/// What the names of models that draw have in them.
const MODELS: [&str; 4] = ["dall-e", "gpt-image", "chatgpt-image", "-image"];

fn is_request(body: &Value) -> bool {
    let draws = |model: &str| MODELS.iter().any(|word| model.contains(word));
    text(body, "prompt").is_some()
        && !has_any(body, &["messages", "input", "max_tokens", "contents", "seconds", "duration"])
        && text(body, "model")
            .is_some_and(|model| draws(model) || has_any(body, &OWN_FIELDS) && !model.contains("sora"))
}

fn is_response(body: &Value) -> bool {
    let is_picture = |item: &Value| text(item, "b64_json").or_else(|| text(item, "url")).is_some();
    let data = list(body, "data");
    // A body reduced to model and usage: the split of the input is this API's.
    let is_reduced = || {
        !has_any(body, &["data", "choices", "output", "content"])
            && text(body, "model").is_some()
            && body.get("usage").and_then(|usage| object(usage, "input_tokens_details")).is_some_and(
                |details| {
                    has(details, "image_tokens")
                        && has(details, "text_tokens")
                        && !has(details, "cached_tokens")
                },
            )
    };
    !data.is_empty() && data.iter().all(is_picture) && has_any(body, &["created", "usage"]) || is_reduced()
}

fn is_item(item: &Value) -> bool {
    matches!(
        text(item, "type"),
        Some(
            "image_generation.partial_image"
                | "image_generation.completed"
                | "image_edit.partial_image"
                | "image_edit.completed"
        )
    )
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    let mut parts: Vec<Part> = text(body, "prompt").map(Part::text).into_iter().collect();
    let address =
        |image: &Value| image.as_str().or_else(|| text(image, "image_url")).map(|url| media(url, "image"));
    match body.get("image").or_else(|| body.get("images")) {
        Some(Value::Array(images)) => parts.extend(images.iter().filter_map(address)),
        Some(image) => parts.extend(address(image)),
        None => {}
    }
    exchange.input = message_of(Role::User, parts);
    let parameters = &mut exchange.parameters;
    parameters.set(semconv::OUTPUT_TYPE, "image");
    openai::choice_count(parameters, body);
    stream_parameter(parameters, body);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    read_common(body, exchange);
    exchange.attributes.set(semconv::OUTPUT_TYPE, "image");
    if let Some(usage) = body.get("usage") {
        exchange.usage = openai::usage(usage, &USAGE);
    }
    let mime_type = text(body, "output_format").map(|format| format!("image/{format}"));
    let picture = |item: &Value| {
        let mime_type =
            text(item, "output_format").map(|format| format!("image/{format}")).or_else(|| mime_type.clone());
        let shown = match text(item, "b64_json") {
            Some(data) => Some(Part::Blob { mime_type, modality: "image".into(), content: data.to_owned() }),
            None => text(item, "url").map(|url| media(url, "image")),
        };
        let prompt = text(item, "revised_prompt");
        let prompt = prompt.map(|prompt| Part::Other(json!({"type": "revised_prompt", "content": prompt})));
        Message::new(Role::Assistant, shown.into_iter().chain(prompt).collect())
    };
    exchange.output = list(body, "data").iter().map(picture).collect();
}

fn fold(event: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    *content = true;
    // The pictures on the way are sketches of the one that ends the stream.
    if !text(event, "type").is_some_and(|kind| kind.ends_with(".completed")) {
        return;
    }
    if let Some(usage) = object(event, "usage") {
        room.overlay(child(body, "usage"), usage);
    }
    room.set(body, "output_format", event);
    if let Some(picture) = room.push(child(body, "data"), json!({})) {
        room.set(picture, "b64_json", event);
    }
    *ended = true;
}

#[cfg(test)]
mod tests {
    use super::super::{StreamAssembler, read_request, read_response};
    use super::*;
    use crate::{Usage, UsageStatus, Value as Attribute};

    fn usage() -> Value {
        json!({"total_tokens": 150, "input_tokens": 50, "output_tokens": 100,
            "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
            "output_tokens_details": {"text_tokens": 5, "image_tokens": 95}})
    }

    fn counted() -> Usage {
        Usage {
            total_tokens: Some(150),
            input_text_tokens: Some(10),
            input_image_tokens: Some(40),
            output_text_tokens: Some(5),
            output_image_tokens: Some(95),
            ..Usage::new(50, 100)
        }
    }

    fn blob(content: &str) -> Part {
        Part::Blob { mime_type: Some("image/png".into()), modality: "image".into(), content: content.into() }
    }

    #[test]
    fn requests_are_told_from_those_of_completions() {
        let check = |body: Value, expected: bool| {
            let api = read_request(&body).and_then(|exchange| exchange.api);
            assert_eq!(api == Some(Api::OpenAiImages), expected, "{body}: {api:?}");
        };
        check(json!({"model": "gpt-image-1", "prompt": "a cat"}), true);
        check(json!({"model": "flux", "prompt": "a cat", "size": "1024x1024"}), true);
        check(json!({"model": "gpt-3.5-turbo-instruct", "prompt": "a cat"}), false);
        check(json!({"model": "gpt-3.5-turbo-instruct", "prompt": "a cat", "max_tokens": 3}), false);
        check(json!({"prompt": "a cat", "size": "1024x1024"}), false);
        check(json!({"model": "sora-2", "prompt": "a cat", "size": "1280x720"}), false);
        check(json!({"model": "film", "prompt": "a cat", "size": "1280x720", "seconds": 4}), false);
    }

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "model": "gpt-image-1", "prompt": "a cat", "n": 2, "image": ["data:image/png;base64,AAAA"],
        }))
        .unwrap();
        assert_eq!(call.input, [Message::new(Role::User, vec![Part::text("a cat"), blob("AAAA")])]);
        assert_eq!(call.parameters.get(semconv::REQUEST_CHOICE_COUNT), Some(&Attribute::Int(2)));
        let response = read_response(&json!({
            "created": 1, "output_format": "png", "usage": usage(),
            "data": [{"b64_json": "AAAA"}, {"url": "https://a.b/c.png", "revised_prompt": "a small cat"}],
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.usage), (Some(Api::OpenAiImages), counted()));
        let drawn = Part::Uri { mime_type: None, modality: "image".into(), uri: "https://a.b/c.png".into() };
        let prompt = Part::Other(json!({"type": "revised_prompt", "content": "a small cat"}));
        let expected =
            [vec![blob("AAAA")], vec![drawn, prompt]].map(|parts| Message::new(Role::Assistant, parts));
        assert_eq!(call.output, expected);
        assert_eq!(call.attributes.get_str(semconv::OUTPUT_TYPE), Some("image"));
    }

    #[test]
    fn bodies_reduced_to_their_usage_are_told() {
        let reduced = read_response(&json!({"model": "gpt-image-1", "usage": usage()})).unwrap();
        assert_eq!((reduced.api, reduced.usage), (Some(Api::OpenAiImages), counted()));
        let responses = json!({"model": "gpt-5", "usage": {"input_tokens": 1, "output_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0}}});
        assert_eq!(read_response(&responses).unwrap().api, Some(Api::OpenAiResponses));
    }

    #[test]
    fn a_stream_ends_with_the_whole_picture() {
        let partial =
            json!({"type": "image_generation.partial_image", "b64_json": "AA==", "partial_image_index": 0});
        let mut stream = StreamAssembler::detect();
        stream.push_event(&partial);
        assert!(stream.has_content());
        let cut = stream.finish();
        assert_eq!((cut.usage.status, cut.output.len()), (UsageStatus::Interrupted, 0));
        let whole = stream
            .push_event(&partial)
            .push_event(&json!({"type": "image_generation.completed", "b64_json": "AAAA", "output_format": "png", "usage": usage()}))
            .finish();
        assert_eq!((whole.api, whole.usage), (Some(Api::OpenAiImages), counted()));
        assert_eq!(whole.output, [Message::new(Role::Assistant, vec![blob("AAAA")])]);
    }
}
