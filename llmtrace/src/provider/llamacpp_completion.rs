//! The completion endpoint of llama.cpp's own server, and the timings that the server adds to `OpenAI`'s shapes
//! (<https://github.com/ggml-org/llama.cpp/tree/master/tools/server>).

use std::borrow::Cow;

use serde_json::Value;

use super::fold::{Fold, child};
use super::json::{
    count, has, has_any, int_parameter, message_of, object, owned, stop_parameter, stream_parameter, text,
    text_parts,
};
use super::{Api, Exchange, Shape, openai};
use crate::{Message, Part, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape = Shape {
    api: Api::LlamaCppCompletion,
    is_request,
    is_response,
    is_item,
    read_request,
    read_response,
    fold,
};

const OPERATION: &str = "text_completion";

const PROVIDER: &str = "llama.cpp";

/// Fields that these requests have and other requests with a prompt do not.
const OWN_REQUEST_FIELDS: [&str; 6] =
    ["n_predict", "cache_prompt", "id_slot", "n_probs", "n_keep", "mirostat"];

/// Fields of which a response and the items of its stream have at least one.
const OWN_FIELDS: [&str; 6] =
    ["tokens_predicted", "tokens_evaluated", "timings", "generation_settings", "id_slot", "slot_id"];

/// Where the server states how long it took, in milliseconds.
const DURATIONS: [(&str, &str); 2] =
    [("prompt_ms", semconv::SERVER_INPUT_SECONDS), ("predicted_ms", semconv::SERVER_OUTPUT_SECONDS)];

fn is_request(body: &Value) -> bool {
    has(body, "prompt") && has_any(body, &OWN_REQUEST_FIELDS)
}

fn is_response(body: &Value) -> bool {
    is_item(body) && is_stopped(body)
}

fn is_item(item: &Value) -> bool {
    item.get("content").is_some_and(Value::is_string)
        && item.get("stop").is_some_and(Value::is_boolean)
        && has_any(item, &OWN_FIELDS)
}

fn is_stopped(body: &Value) -> bool {
    body.get("stop").and_then(Value::as_bool) == Some(true)
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.input = message_of(Role::User, text_parts(body.get("prompt")));
    let parameters = &mut exchange.parameters;
    openai::sampling(parameters, body);
    // Below zero there is no bound.
    if let Some(most) = count(body, "n_predict") {
        parameters.set(semconv::REQUEST_MAX_TOKENS, most);
    }
    int_parameter(parameters, semconv::REQUEST_SEED, body, "seed");
    stop_parameter(parameters, body, "stop");
    if object(body, "json_schema").is_some() {
        parameters.set(semconv::OUTPUT_TYPE, "json");
    }
    stream_parameter(parameters, body);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.response_model = owned(body, "model");
    if has_any(body, &OWN_FIELDS) {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
    }
    // What is evaluated counts the whole prompt, with what was in the cache.
    let mut usage = Usage {
        input_tokens: count(body, "tokens_evaluated"),
        output_tokens: count(body, "tokens_predicted"),
        ..Usage::default()
    };
    usage.status = usage.stated_status();
    exchange.usage = usage;
    read_timings(body, exchange);
    let reason = stop_reason(body);
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    if let Some(content) = body.get("content").and_then(Value::as_str) {
        let parts = if content.is_empty() { Vec::new() } else { vec![Part::text(content)] };
        let mut message = Message::new(Role::Assistant, parts);
        message.finish_reason = reason.map(|reason| finish_word(reason).to_owned());
        exchange.output = vec![message];
    }
}

/// Reads the timings that the server adds to its own shape and to `OpenAI`'s: durations, and the counts that the
/// usage does not state. Other bodies have none.
pub(super) fn read_timings(body: &Value, exchange: &mut Exchange) {
    let Some(timings) = object(body, "timings").filter(|timings| has(timings, "predicted_n")) else { return };
    exchange.provider = Some(Cow::Borrowed(PROVIDER));
    for (key, name) in DURATIONS {
        if let Some(millis) = timings.get(key).and_then(Value::as_f64).filter(|millis| *millis >= 0.0) {
            exchange.attributes.set(name, millis / 1e3);
        }
    }
    let cached = count(timings, "cache_n");
    let usage = &mut exchange.usage;
    if usage.input_tokens.is_none() && usage.output_tokens.is_none() {
        let evaluated = count(timings, "prompt_n");
        usage.input_tokens = evaluated.map(|evaluated| evaluated.saturating_add(cached.unwrap_or(0)));
        usage.output_tokens = count(timings, "predicted_n");
        usage.status = usage.stated_status();
        if cached.is_none() && usage.status == UsageStatus::Complete {
            // Older servers do not say how much of the prompt they had in their cache.
            usage.status = UsageStatus::Partial;
        }
    }
    usage.cache_read_tokens = usage.cache_read_tokens.or(cached);
    exchange.usage = std::mem::take(usage).checked();
}

/// Why it stopped; older servers say it with one flag for each reason.
fn stop_reason(body: &Value) -> Option<&str> {
    let is = |key: &str| body.get(key).and_then(Value::as_bool) == Some(true);
    text(body, "stop_type").filter(|reason| *reason != "none").or_else(|| {
        let flags = [("stopped_eos", "eos"), ("stopped_word", "word"), ("stopped_limit", "limit")];
        flags.into_iter().find(|(flag, _)| is(flag)).map(|(_, reason)| reason)
    })
}

fn finish_word(reason: &str) -> &str {
    match reason {
        "eos" | "word" => "stop",
        "limit" => "length",
        other => other,
    }
}

fn fold(item: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    if let Some(piece) = item.get("content").and_then(Value::as_str) {
        room.append(child(body, "content"), piece);
        *content |= !piece.is_empty();
    }
    let fields = ["model", "stop_type", "stopped_eos", "stopped_word", "stopped_limit"];
    for key in fields.into_iter().chain(["tokens_predicted", "tokens_evaluated", "timings"]) {
        room.set(body, key, item);
    }
    *ended |= is_stopped(item);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{StreamAssembler, read_request, read_response};
    use super::*;

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "prompt": "Building a website", "n_predict": 128, "temperature": 0.8, "cache_prompt": true, "stop": ["x"],
        }))
        .unwrap();
        assert_eq!(call.input, [Message::user("Building a website")]);
        assert_eq!(call.parameters.get(semconv::REQUEST_MAX_TOKENS), Some(&crate::Value::Int(128)));
        let response = read_response(&json!({
            "index": 0, "content": " is easy", "stop": true, "model": "gpt-3.5-turbo", "stop_type": "limit",
            "tokens_predicted": 128, "tokens_evaluated": 9, "tokens_cached": 136, "truncated": false,
            "timings": {"cache_n": 4, "prompt_n": 5, "prompt_ms": 12.5, "predicted_n": 128, "predicted_ms": 1500.0},
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.operation), (Some(Api::LlamaCppCompletion), Some("text_completion")));
        assert_eq!(call.provider.as_deref(), Some("llama.cpp"));
        assert_eq!(call.usage, Usage::new(9, 128).with_cache_read(4));
        assert_eq!(call.output, [Message::assistant(" is easy").with_finish_reason("length")]);
        assert_eq!(call.finish_reasons, ["limit"]);
        assert_eq!(call.attributes.get(semconv::SERVER_OUTPUT_SECONDS), Some(&crate::Value::Float(1.5)));
    }

    #[test]
    fn older_servers_say_less() {
        let check = |body: Value, reason: Option<&str>, expected: Usage| {
            let exchange = super::super::read_response_as(Api::LlamaCppCompletion, &body);
            assert_eq!(exchange.finish_reasons.first().map(String::as_str), reason, "{body}");
            assert_eq!(exchange.usage, expected, "{body}");
        };
        check(
            json!({"content": "a", "stop": true, "stopped_eos": true, "tokens_evaluated": 3, "tokens_predicted": 1}),
            Some("eos"),
            Usage::new(3, 1),
        );
        check(
            json!({"content": "a", "stop": true, "stopped_eos": false, "stopped_limit": true, "stop_type": "none",
                "timings": {"prompt_n": 3, "predicted_n": 1}}),
            Some("limit"),
            Usage { status: UsageStatus::Partial, ..Usage::new(3, 1) },
        );
        check(json!({"content": "a", "stop": true}), None, Usage::default());
    }

    #[test]
    fn a_stream_is_put_together() {
        let mut stream = StreamAssembler::detect();
        stream.push("data: {\"index\":0,\"content\":\"Hel\",\"stop\":false,\"id_slot\":0,\"tokens_predicted\":1,\"tokens_evaluated\":4}\n\n");
        stream.push("data: {\"index\":0,\"content\":\"lo\",\"stop\":false,\"id_slot\":0,\"tokens_predicted\":2,\"tokens_evaluated\":4}\n\n");
        let cut = stream.clone().finish().usage;
        assert_eq!(cut, Usage { status: UsageStatus::Interrupted, ..Usage::new(4, 2) });
        stream.push("data: {\"content\":\"\",\"stop\":true,\"stop_type\":\"eos\",\"tokens_predicted\":3,\"tokens_evaluated\":4}\n\n");
        let exchange = stream.finish();
        assert_eq!(exchange.output, [Message::assistant("Hello").with_finish_reason("stop")]);
        assert_eq!(exchange.usage, Usage::new(4, 3));
    }

    #[test]
    fn timings_beside_a_usage_say_what_was_cached() {
        let check = |usage: Value, timings: Value, expected: Usage| {
            let body = json!({"id": "c", "object": "chat.completion", "model": "gpt-3.5-turbo", "usage": usage, "timings": timings,
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}]});
            let exchange = read_response(&body).unwrap();
            assert_eq!(exchange.provider.as_deref(), Some("llama.cpp"));
            assert_eq!(exchange.usage, expected, "{body}");
        };
        let timings = json!({"cache_n": 6, "prompt_n": 4, "predicted_n": 2});
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 2}),
            timings.clone(),
            Usage::new(10, 2).with_cache_read(6),
        );
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 5}}),
            timings.clone(),
            Usage::new(10, 2).with_cache_read(5),
        );
        check(json!(null), timings, Usage::new(10, 2).with_cache_read(6));
        check(
            json!(null),
            json!({"prompt_n": 4, "predicted_n": 2}),
            Usage { status: UsageStatus::Partial, ..Usage::new(4, 2) },
        );
    }
}
