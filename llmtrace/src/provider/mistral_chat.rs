//! Mistral chat (<https://docs.mistral.ai/api/>): `OpenAI`'s chat shape, with what Mistral adds.

use std::borrow::Cow;

use serde_json::Value;

use super::json::{count, has_any, int_parameter, list, text};
use super::{Api, Exchange, Shape, openai_chat};
use crate::semconv;

pub(super) const SHAPE: Shape = Shape {
    api: Api::MistralChat,
    is_request,
    is_response,
    is_item,
    read_request,
    read_response,
    fold: openai_chat::SHAPE.fold,
};

pub(super) const PROVIDER: &str = "mistral_ai";

/// Fields that these requests have and `OpenAI`'s do not.
const OWN_FIELDS: [&str; 5] =
    ["random_seed", "safe_prompt", "prompt_mode", "document_image_limit", "document_page_limit"];

/// How the names of Mistral's models begin on Mistral's own platform.
const FAMILIES: [&str; 13] = [
    "mistral-",
    "ministral-",
    "magistral-",
    "codestral-",
    "devstral-",
    "pixtral-",
    "voxtral-",
    "open-mistral-",
    "open-mixtral-",
    "open-codestral-",
    "labs-",
    "ft:mistral-",
    "ft:open-mistral-",
];

/// Hexadecimal digits of a response's id.
const ID_DIGITS: usize = 32;

fn is_request(body: &Value) -> bool {
    let is_own_message = |message: &Value| message.get("prefix").is_some_and(Value::is_boolean);
    // Names that end so are Mistral's aliases; others may be served by anybody.
    let is_alias = text(body, "model").is_some_and(|model| is_family(model) && model.ends_with("-latest"));
    let is_own = is_alias || has_any(body, &OWN_FIELDS) || list(body, "messages").iter().any(is_own_message);
    is_own && (openai_chat::SHAPE.is_request)(body)
}

fn is_response(body: &Value) -> bool {
    is_own(body) && (openai_chat::SHAPE.is_response)(body)
}

fn is_item(item: &Value) -> bool {
    is_own(item) && (openai_chat::SHAPE.is_item)(item)
}

/// Whether Mistral itself answers: its ids are bare hexadecimal digits, and the model is one of its own. `SGLang`
/// has such ids too, and says in every choice what it stopped at.
fn is_own(body: &Value) -> bool {
    let is_id = |id: &str| id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    text(body, "id").is_some_and(is_id)
        && text(body, "model").is_some_and(is_family)
        && !list(body, "choices").iter().any(|choice| choice.get("matched_stop").is_some())
}

fn is_family(model: &str) -> bool {
    FAMILIES.iter().any(|family| model.starts_with(family))
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    (openai_chat::SHAPE.read_request)(body, exchange);
    int_parameter(&mut exchange.parameters, semconv::REQUEST_SEED, body, "random_seed");
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    (openai_chat::SHAPE.read_response)(body, exchange);
    if is_own(body) {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
    }
    if let Some(stated) = body.get("usage") {
        let usage = &mut exchange.usage;
        usage.cache_read_tokens = usage.cache_read_tokens.or_else(|| count(stated, "num_cached_tokens"));
        usage.audio_seconds = count(stated, "prompt_audio_seconds");
        exchange.usage = std::mem::take(usage).checked();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{StreamAssembler, read_request, read_response};
    use super::*;
    use crate::{Part, Usage, UsageStatus, Value as Attribute};

    const ID: &str = "1ecfb2eb89144df48968ae279308e0ee";

    fn body(id: &str, model: &str) -> Value {
        json!({
            "id": id, "object": "chat.completion", "model": model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        })
    }

    #[test]
    fn only_a_body_that_proves_it_is_mistrals() {
        let check = |body: Value, api: Api, provider: Option<&str>| {
            let exchange = read_response(&body).unwrap();
            assert_eq!((exchange.api, exchange.provider.as_deref()), (Some(api), provider), "{body}");
        };
        check(body(ID, "mistral-large-latest"), Api::MistralChat, Some("mistral_ai"));
        check(body(ID, "open-mixtral-8x22b"), Api::MistralChat, Some("mistral_ai"));
        check(body(ID, "llama-3"), Api::OpenAiChat, None);
        check(body(ID, "mistralai/mistral-large"), Api::OpenAiChat, None);
        check(body(&format!("chatcmpl-{ID}"), "mistral-small"), Api::OpenAiChat, None);
        check(body("d3a0f557-9436-48c4-9fb0-19bc65a64334", "mistral-small"), Api::OpenAiChat, None);
        let mut other = body(ID, "mistral-small");
        other["choices"][0]["matched_stop"] = json!(null);
        check(other, Api::OpenAiChat, None);
    }

    #[test]
    fn requests_are_told_by_what_only_mistral_takes() {
        let check = |more: Value, api: Api| {
            let mut body = json!({"model": "mistral-small", "messages": [{"role": "user", "content": "hi"}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(read_request(&body).unwrap().api, Some(api), "{body}");
        };
        check(json!({}), Api::OpenAiChat);
        check(json!({"model": "mistral-large-latest"}), Api::MistralChat);
        check(json!({"model": "gpt-latest"}), Api::OpenAiChat);
        check(json!({"safe_prompt": false}), Api::MistralChat);
        check(json!({"messages": [{"role": "assistant", "content": "A", "prefix": true}]}), Api::MistralChat);
        let request =
            json!({"model": "m", "random_seed": 7, "messages": [{"role": "user", "content": "hi"}]});
        let request = read_request(&request).unwrap();
        assert_eq!(request.parameters.get(semconv::REQUEST_SEED), Some(&Attribute::Int(7)));
    }

    #[test]
    fn what_mistral_adds_is_counted() {
        let check = |usage: Value, expected: Usage| {
            let mut body = body(ID, "voxtral-mini-latest");
            body["usage"] = usage;
            assert_eq!(read_response(&body).unwrap().usage, expected, "{body}");
        };
        check(
            json!({"prompt_tokens": 77, "completion_tokens": 12, "num_cached_tokens": 76}),
            Usage::new(77, 12).with_cache_read(76),
        );
        check(
            json!({"prompt_tokens": 77, "completion_tokens": 12, "num_cached_tokens": 78}),
            Usage { status: UsageStatus::Invalid, ..Usage::new(77, 12).with_cache_read(78) },
        );
        check(
            json!({"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0},
                "num_cached_tokens": 5}),
            Usage::new(9, 1).with_cache_read(0),
        );
        check(
            json!({"prompt_tokens": 9, "completion_tokens": 1, "prompt_audio_seconds": 203}),
            Usage { audio_seconds: Some(203), ..Usage::new(9, 1) },
        );
        check(
            json!({"prompt_tokens": 9, "completion_tokens": 1, "prompt_audio_seconds": {}}),
            Usage::new(9, 1),
        );
    }

    #[test]
    fn a_stream_that_reasons_is_put_together() {
        let chunk = |delta: Value, more: Value| {
            let mut chunk = json!({
                "id": ID, "object": "chat.completion.chunk", "model": "magistral-medium-latest",
                "choices": [{"index": 0, "delta": delta, "finish_reason": null}],
            });
            for (key, value) in more.as_object().unwrap() {
                chunk[key] = value.clone();
            }
            chunk
        };
        let thinking =
            |text| json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]});
        let mut stream = StreamAssembler::detect();
        stream.push_event(&chunk(json!({"role": "assistant", "content": ""}), json!({})));
        assert!(!stream.has_content());
        stream.push_event(&chunk(thinking("Let me "), json!({})));
        stream.push_event(&chunk(thinking("see."), json!({})));
        stream.push_event(&chunk(json!({"content": "Yes"}), json!({})));
        let usage = json!({"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13});
        let mut last = chunk(json!({"content": ""}), json!({"usage": usage}));
        last["choices"][0]["finish_reason"] = json!("model_length");
        let exchange = stream.push_event(&last).finish();
        assert_eq!(exchange.api, Some(Api::MistralChat));
        assert_eq!(exchange.provider.as_deref(), Some("mistral_ai"));
        assert_eq!(exchange.output[0].parts, [Part::reasoning("Let me see."), Part::text("Yes")]);
        assert_eq!(exchange.output[0].finish_reason.as_deref(), Some("length"));
        assert_eq!(exchange.finish_reasons, ["model_length"]);
        assert_eq!(exchange.usage, Usage { total_tokens: Some(13), ..Usage::new(5, 8) });
    }
}
