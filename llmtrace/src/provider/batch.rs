//! Lines of batch files: requests and answers of other APIs, each with an id of its own.

use serde_json::Value;

use super::json::{has, object, text};

/// The body within a line of a batch's input: that of `OpenAI`
/// (<https://platform.openai.com/docs/guides/batch>), which Mistral, Groq and others have too, or that of Anthropic
/// (<https://docs.anthropic.com/en/docs/build-with-claude/batch-processing>).
pub(super) fn request(line: &Value) -> Option<&Value> {
    text(line, "custom_id")?;
    object(line, "params").or_else(|| object(line, "body"))
}

/// The body within a line of a batch's output: the answer, or the error in its place.
pub(super) fn response(line: &Value) -> Option<&Value> {
    text(line, "custom_id")?;
    if let Some(result) = object(line, "result") {
        return match text(result, "type")? {
            "succeeded" => object(result, "message"),
            "errored" => object(result, "error"),
            _ => None,
        };
    }
    let answer = object(line, "response").and_then(|response| object(response, "body"));
    answer.or_else(|| has(line, "error").then_some(line))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Api, ApiError, read_request, read_response, read_response_as};
    use super::*;
    use crate::{Usage, semconv};

    #[test]
    fn a_line_of_a_batch_is_the_call_within() {
        let check = |line: Value, api: Option<Api>, usage: Usage, error: Option<&str>| {
            let exchange = read_response(&line).unwrap_or_else(|| panic!("not read: {line}"));
            assert_eq!((exchange.api, &exchange.usage), (api, &usage), "{line}");
            assert_eq!(exchange.error.as_ref().map(|error| &*error.message), error, "{line}");
            assert_eq!(exchange.attributes.get_str(semconv::PROCESSING), Some("batch"), "{line}");
        };
        let chat = json!({"id": "c", "object": "chat.completion", "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2}});
        let openai = |response: Value, error: Value| json!({"id": "batch_req_1", "custom_id": "1", "response": response, "error": error});
        let answered = openai(json!({"status_code": 200, "request_id": "r", "body": chat}), json!(null));
        check(answered.clone(), Some(Api::OpenAiChat), Usage::new(3, 2), None);
        let refused = json!({"error": {"message": "no", "type": "invalid_request_error"}});
        check(
            openai(json!({"status_code": 400, "body": refused}), json!(null)),
            None,
            Usage::default(),
            Some("no"),
        );
        check(
            openai(json!(null), json!({"code": "batch_expired", "message": "late"})),
            None,
            Usage::default(),
            Some("late"),
        );
        let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 2, "service_tier": "batch"}});
        let anthropic = |result: Value| json!({"custom_id": "1", "result": result});
        check(
            anthropic(json!({"type": "succeeded", "message": message})),
            Some(Api::AnthropicMessages),
            Usage::new(3, 2),
            None,
        );
        let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}});
        check(
            anthropic(json!({"type": "errored", "error": error})),
            Some(Api::AnthropicMessages),
            Usage::default(),
            Some("no"),
        );
        assert_eq!(read_response(&anthropic(json!({"type": "expired"}))), None);
        assert_eq!(read_response(&json!({"custom_id": "1", "result": {"type": "ok"}})), None);
        let named = read_response_as(Api::OpenAiChat, &answered);
        assert_eq!(Some(named), read_response(&answered));
    }

    #[test]
    fn a_batch_may_be_read_as_its_api_says() {
        let line = json!({"custom_id": "1", "result": {"type": "canceled"}});
        let read = read_response_as(Api::AnthropicMessages, &line);
        assert_eq!((read.usage, read.error), (Usage::default(), None::<ApiError>));
    }

    #[test]
    fn requests_in_a_batch_are_read() {
        let messages = json!([{"role": "user", "content": "hi"}]);
        let check = |line: Value, api: Api| {
            let read = read_request(&line).unwrap_or_else(|| panic!("not read: {line}"));
            assert_eq!((read.api, read.input.len()), (Some(api), 1), "{line}");
            assert_eq!(read.attributes.get_str(semconv::PROCESSING), Some("batch"));
        };
        check(
            json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions",
                "body": {"model": "gpt-4o-mini", "messages": messages}}),
            Api::OpenAiChat,
        );
        check(
            json!({"custom_id": "1", "params": {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": messages}}),
            Api::AnthropicMessages,
        );
    }
}
