//! The generate endpoints of Hugging Face's Text Generation Inference
//! (<https://huggingface.github.io/text-generation-inference/>).

use std::borrow::Cow;

use serde_json::Value;

use super::fold::{Fold, child};
use super::json::{
    count, has, has_any, int_parameter, list, object, owned, stop_parameter, stream_parameter, text,
};
use super::{Api, Exchange, Shape, openai};
use crate::{Message, Part, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::TgiGenerate, is_request, is_response, is_item, read_request, read_response, fold };

const OPERATION: &str = "text_completion";

const PROVIDER: &str = "tgi";

/// Parameters that ask for text; other tasks have inputs and parameters too.
const OWN_PARAMETERS: [&str; 6] = [
    "max_new_tokens",
    "do_sample",
    "return_full_text",
    "repetition_penalty",
    "decoder_input_details",
    "typical_p",
];

fn is_request(body: &Value) -> bool {
    body.get("inputs").is_some_and(Value::is_string)
        && object(body, "parameters").is_some_and(|parameters| has_any(parameters, &OWN_PARAMETERS))
}

fn is_response(body: &Value) -> bool {
    let body = first(body);
    body.get("generated_text").is_some_and(Value::is_string) && details(body).is_some()
}

fn is_item(item: &Value) -> bool {
    object(item, "token").is_some_and(|token| {
        token.get("text").is_some_and(Value::is_string) && token.get("special").is_some_and(Value::is_boolean)
    })
}

/// One endpoint answers with a list of one.
fn first(body: &Value) -> &Value {
    body.as_array().and_then(|answers| answers.first()).unwrap_or(body)
}

fn details(body: &Value) -> Option<&Value> {
    object(body, "details").filter(|details| count(details, "generated_tokens").is_some())
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    exchange.input.extend(text(body, "inputs").map(Message::user));
    let parameters = &mut exchange.parameters;
    if let Some(asked) = object(body, "parameters") {
        openai::sampling(parameters, asked);
        int_parameter(parameters, semconv::REQUEST_MAX_TOKENS, asked, "max_new_tokens");
        int_parameter(parameters, semconv::REQUEST_SEED, asked, "seed");
        stop_parameter(parameters, asked, "stop");
        if object(asked, "grammar").is_some_and(|grammar| text(grammar, "type") == Some("json")) {
            parameters.set(semconv::OUTPUT_TYPE, "json");
        }
    }
    stream_parameter(parameters, body);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    let body = first(body);
    exchange.operation = Some(OPERATION);
    if let (Some(error), Some(kind)) = (&mut exchange.error, owned(body, "error_type")) {
        error.kind.get_or_insert(kind);
    }
    let stated = details(body);
    if let Some(details) = stated {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
        exchange.usage = usage(details);
    }
    let reason = stated.and_then(|details| text(details, "finish_reason"));
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    if let Some(content) = body.get("generated_text").and_then(Value::as_str) {
        let parts = if content.is_empty() { Vec::new() } else { vec![Part::text(content)] };
        let mut message = Message::new(Role::Assistant, parts);
        message.finish_reason = reason.map(|reason| openai::finish_word(reason).to_owned());
        exchange.output = vec![message];
    }
}

/// The input is stated as a length in streams, and otherwise only as the prompt's tokens, where they were asked for.
fn usage(details: &Value) -> Usage {
    let prefill = list(details, "prefill").len() as u64;
    let input_tokens = ["input_length", "prompt_tokens"]
        .into_iter()
        .find_map(|key| count(details, key))
        .or((prefill > 0).then_some(prefill));
    let status = if input_tokens.is_some() { UsageStatus::Complete } else { UsageStatus::Partial };
    Usage { status, input_tokens, output_tokens: count(details, "generated_tokens"), ..Usage::default() }
}

fn fold(item: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    room.set(body, "error_type", item);
    if let Some(token) = object(item, "token") {
        let is_special = token.get("special").and_then(Value::as_bool) == Some(true);
        if let Some(piece) = text(token, "text").filter(|_| !is_special) {
            room.append(child(body, "generated_text"), piece);
            *content = true;
        }
    }
    // The last item repeats the whole text.
    if has(item, "generated_text") {
        room.set(body, "generated_text", item);
        *ended = true;
    }
    if let Some(details) = object(item, "details") {
        room.overlay(child(body, "details"), details);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{StreamAssembler, read_request, read_response};
    use super::*;

    #[test]
    fn a_call_is_read() {
        let mut call = read_request(&json!({
            "inputs": "What is deep learning?",
            "parameters": {"max_new_tokens": 20, "temperature": 0.5, "top_k": 10, "stop": ["x"], "seed": null},
        }))
        .unwrap();
        assert_eq!(call.input, [Message::user("What is deep learning?")]);
        assert_eq!(call.parameters.get(semconv::REQUEST_MAX_TOKENS), Some(&crate::Value::Int(20)));
        let response = read_response(&json!({
            "generated_text": " A branch",
            "details": {"finish_reason": "length", "generated_tokens": 20, "seed": null, "prefill": [], "tokens": []},
        }));
        call.merge(response.unwrap());
        assert_eq!((call.api, call.operation), (Some(Api::TgiGenerate), Some("text_completion")));
        assert_eq!(call.provider.as_deref(), Some("tgi"));
        assert_eq!(call.output, [Message::assistant(" A branch").with_finish_reason("length")]);
    }

    #[test]
    fn the_input_is_counted_only_where_it_is_stated() {
        let check = |details: Value, status, input: Option<u64>| {
            let body = json!([{"generated_text": "a", "details": details}]);
            let usage = read_response(&body).unwrap().usage;
            assert_eq!((usage.status, usage.input_tokens, usage.output_tokens), (status, input, Some(2)));
        };
        check(json!({"generated_tokens": 2, "prefill": []}), UsageStatus::Partial, None);
        check(
            json!({"generated_tokens": 2, "prefill": [{"id": 1}, {"id": 2}]}),
            UsageStatus::Complete,
            Some(2),
        );
        check(json!({"generated_tokens": 2, "input_length": 7}), UsageStatus::Complete, Some(7));
        assert_eq!(read_response(&json!({"generated_text": "a"})), None);
        assert_eq!(read_request(&json!({"inputs": "a", "parameters": {"candidate_labels": ["b"]}})), None);
    }

    #[test]
    fn a_stream_is_put_together() {
        let token = |text: &str, special: bool| {
            json!({"index": 1, "generated_text": null, "details": null,
            "token": {"id": 5, "text": text, "logprob": -0.1, "special": special}})
        };
        let mut last = token("</s>", true);
        let mut stream = StreamAssembler::detect();
        stream.push(format!("data:{}\n\ndata:{}\n\n", token("Hel", false), token("lo", false)));
        let cut = stream.clone().finish();
        assert_eq!((cut.output[0].text().as_str(), cut.usage.status), ("Hello", UsageStatus::Interrupted));
        last["generated_text"] = json!("Hello");
        last["details"] = json!({"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 4});
        let exchange = stream.push(format!("data:{last}\n\n")).finish();
        assert_eq!(exchange.output, [Message::assistant("Hello").with_finish_reason("stop")]);
        assert_eq!(exchange.usage, Usage::new(4, 3));
    }

    #[test]
    fn an_error_has_its_kind() {
        let body = json!({"error": "Model is overloaded", "error_type": "overloaded"});
        let error = super::super::read_response_as(Api::TgiGenerate, &body).error.unwrap();
        assert_eq!((error.kind.as_deref(), &*error.message), (Some("overloaded"), "Model is overloaded"));
    }
}
