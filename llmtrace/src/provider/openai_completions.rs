//! `OpenAI` text completions, the API before chat, which many servers still speak
//! (<https://platform.openai.com/docs/api-reference/completions>).

use serde_json::Value;

use super::fold::{Fold, child};
use super::json::{
    count, has, has_any, int_parameter, list, message_of, object, owned, stop_parameter, stream_parameter,
    text, text_parts,
};
use super::openai_chat::read_choices;
use super::{Api, Exchange, Shape, openai};
use crate::{Message, Part, Role, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::OpenAiCompletions,
    is_request,
    is_response,
    is_item: is_response,
    read_request,
    read_response,
    fold,
};

const OPERATION: &str = "text_completion";

/// Fields of which a request has at least one: a model and a prompt alone may ask for a picture.
const USUAL_FIELDS: [&str; 12] = [
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "stream",
    "logprobs",
    "echo",
    "suffix",
    "best_of",
    "frequency_penalty",
    "presence_penalty",
];

/// Fields of requests for pictures and films, and of other APIs that take a prompt.
const FOREIGN_FIELDS: [&str; 17] = [
    "size",
    "quality",
    "style",
    "background",
    "image",
    "images",
    "partial_images",
    "width",
    "height",
    "aspect_ratio",
    "seconds",
    "duration",
    "output_format",
    "messages",
    "input",
    "voice",
    "max_tokens_to_sample",
];

fn is_request(body: &Value) -> bool {
    let is_tokens = |list: &Value| list.as_array().is_some_and(|tokens| tokens.iter().all(Value::is_u64));
    let is_prompt = match body.get("prompt") {
        Some(Value::String(_)) => true,
        Some(Value::Array(prompts)) => {
            !prompts.is_empty()
                && prompts.iter().all(|prompt| prompt.is_string() || prompt.is_u64() || is_tokens(prompt))
        }
        _ => false,
    };
    is_prompt
        && text(body, "model").is_some()
        && has_any(body, &USUAL_FIELDS)
        && !has_any(body, &FOREIGN_FIELDS)
        && text(body, "response_format").is_none()
}

/// The items of a stream have the shape of a whole response.
fn is_response(body: &Value) -> bool {
    let Some(choices) = body.get("choices").and_then(Value::as_array) else { return false };
    let is_choice = |choice: &Value| choice.get("text").is_some_and(Value::is_string);
    let is_named = matches!(text(body, "object"), Some("text_completion" | "text.completion"));
    let is_told = || {
        !choices.is_empty()
            && choices.iter().all(|choice| choice.get("finish_reason").is_some())
            && text(body, "id").is_some()
            && text(body, "model").is_some()
    };
    choices.iter().all(is_choice) && (is_named || is_told())
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.input = message_of(Role::User, text_parts(body.get("prompt")));
    let parameters = &mut exchange.parameters;
    openai::sampling(parameters, body);
    int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, body, "max_tokens");
    int_parameter(parameters, semconv::REQUEST_SEED, body, "seed");
    openai::choice_count(parameters, body);
    stop_parameter(parameters, body, "stop");
    if let Some(kind) = object(body, "response_format").and_then(openai::output_type) {
        parameters.set(semconv::OUTPUT_TYPE, kind);
    }
    stream_parameter(parameters, body);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    read_choices(body, exchange, |choice| {
        Message::new(Role::Assistant, text(choice, "text").map(Part::text).into_iter().collect())
    });
}

fn fold(chunk: &Value, fold: &mut Fold) {
    let Fold { body, content, room, .. } = fold;
    for key in ["id", "object", "model", "system_fingerprint", "provider", "timings"] {
        room.set(body, key, chunk);
    }
    let usage = object(chunk, "usage");
    if let Some(usage) = usage {
        room.overlay(child(body, "usage"), usage);
    }
    for choice in list(chunk, "choices") {
        let index = count(choice, "index").unwrap_or_default();
        let Some(whole) = room.at(child(body, "choices"), index) else { continue };
        room.set(whole, "finish_reason", choice);
        if let Some(text) = text(choice, "text") {
            room.append(child(whole, "text"), text);
            *content = true;
        }
    }
    // Where the closing mark cannot be seen, the finish reasons are the end, or the usage after them.
    let choices = list(body, "choices");
    let are_finished = choices.iter().all(|choice| has(choice, "finish_reason"));
    let may_end = usage.is_some() || !fold.framed && !choices.is_empty();
    fold.ended = are_finished && (fold.ended || may_end);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{StreamAssembler, read_request, read_response};
    use super::*;
    use crate::{Usage, UsageStatus, Value as Attribute};

    #[test]
    fn requests_are_told_from_those_for_pictures() {
        let check = |body: Value, api: Option<Api>| {
            assert_eq!(read_request(&body).and_then(|exchange| exchange.api), api, "{body}");
        };
        let completions = Some(Api::OpenAiCompletions);
        check(json!({"model": "gpt-3.5-turbo-instruct", "prompt": "Say", "max_tokens": 5}), completions);
        check(json!({"model": "m", "prompt": ["a", "b"], "temperature": 0}), completions);
        check(json!({"model": "m", "prompt": [1, 2], "stream": true}), completions);
        check(json!({"model": "m", "prompt": [[1, 2], [3]], "stream": true}), completions);
        check(json!({"model": "gpt-image-1", "prompt": "a cat"}), Some(Api::OpenAiImages));
        let picture = json!({"model": "dall-e-3", "prompt": "a cat", "size": "1024x1024", "stream": true});
        check(picture, Some(Api::OpenAiImages));
        check(
            json!({"model": "claude-2", "prompt": "Human: hi", "max_tokens_to_sample": 5, "stream": true}),
            None,
        );
        check(json!({"model": "m", "prompt": [], "stream": true}), None);
        check(json!({"model": "m", "prompt": {"text": "a"}, "stream": true}), None);
        check(json!({"prompt": "a", "stream": true}), None);
    }

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "model": "davinci-002", "prompt": ["a", "b"], "max_tokens": 3, "n": 2, "stop": ["x"], "seed": 1,
        }))
        .unwrap();
        assert_eq!(call.input, [Message::new(Role::User, vec![Part::text("a"), Part::text("b")])]);
        let expected: crate::Attributes = [
            (semconv::REQUEST_MAX_TOKENS, Attribute::Int(3)),
            (semconv::REQUEST_SEED, Attribute::Int(1)),
            (semconv::REQUEST_CHOICE_COUNT, Attribute::Int(2)),
            (semconv::REQUEST_STOP_SEQUENCES, Attribute::from(["x"])),
        ]
        .into_iter()
        .collect();
        assert_eq!(call.parameters, expected);
        let response = read_response(&json!({
            "id": "cmpl-1", "object": "text_completion", "model": "davinci-002",
            "choices": [
                {"index": 0, "text": "c", "logprobs": null, "finish_reason": "length"},
                {"index": 1, "text": "d", "logprobs": null, "finish_reason": "eos_token"},
            ],
            "usage": {"prompt_tokens": 2, "completion_tokens": 6, "total_tokens": 8},
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.operation), (Some(Api::OpenAiCompletions), Some("text_completion")));
        assert_eq!(call.finish_reasons, ["length", "eos_token"]);
        assert_eq!(call.output[1], Message::assistant("d").with_finish_reason("stop"));
        assert_eq!(call.usage, Usage { total_tokens: Some(8), ..Usage::new(2, 6) });
    }

    #[test]
    fn bodies_are_told_by_their_texts() {
        let check = |body: Value, is_known: bool| {
            let api = read_response(&body).and_then(|exchange| exchange.api);
            assert_eq!(api == Some(Api::OpenAiCompletions), is_known, "{body}");
        };
        check(json!({"id": "o1", "object": "text.completion", "choices": [{"text": "a"}]}), true);
        check(json!({"id": "o1", "model": "m", "choices": [{"text": "a", "finish_reason": null}]}), true);
        check(json!({"model": "m", "choices": [{"text": "a", "finish_reason": null}]}), false);
        check(json!({"id": "o1", "model": "m", "choices": [{"text": "a"}]}), false);
        check(json!({"id": "o1", "model": "m", "choices": []}), false);
    }

    #[test]
    fn a_stream_is_put_together_and_its_end_told() {
        let chunk = |text: &str, reason: Value| {
            json!({"id": "cmpl-1", "object": "text_completion", "model": "m",
            "choices": [{"index": 0, "text": text, "finish_reason": reason}]})
        };
        let check = |chunks: &[Value], done: bool, status| {
            let mut stream = StreamAssembler::detect();
            for chunk in chunks {
                stream.push(format!("data: {chunk}\n\n"));
            }
            if done {
                stream.push("data: [DONE]\n\n");
            }
            let exchange = stream.finish();
            assert_eq!(exchange.api, Some(Api::OpenAiCompletions));
            assert_eq!(exchange.output[0].text(), "Hello");
            assert_eq!(exchange.usage.status, status, "{chunks:?}");
        };
        let texts = [chunk("Hel", json!(null)), chunk("lo", json!("stop"))];
        let usage = json!({"id": "cmpl-1", "object": "text_completion", "choices": [],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
        check(&texts, true, UsageStatus::Missing);
        check(&texts, false, UsageStatus::Interrupted);
        let with_usage = [texts[0].clone(), texts[1].clone(), usage];
        check(&with_usage, false, UsageStatus::Complete);
        check(&with_usage, true, UsageStatus::Complete);
    }
}
