use serde_json::json;

use super::*;

#[test]
fn names_read_back_and_a_wrong_one_says_what_is_right() {
    for api in Api::ALL {
        assert_eq!(api.as_str().parse::<Api>().as_ref(), Ok(api));
        assert_eq!(api.shape().api, *api);
    }
    let error = "openai".parse::<Api>().unwrap_err().to_string();
    assert!(error.starts_with("unknown API \"openai\": expected one of "), "{error}");
    assert!(error.contains("openai_chat"), "{error}");
}

#[test]
fn ordinary_json_is_no_call() {
    let bodies = [
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
        json!({"model": "x"}),
        json!({"messages": 3}),
        json!({"model": "x", "messages": []}),
        json!({"model": "x", "messages": [{"role": "user"}]}),
        json!({"model": "x", "messages": [{"from": "me", "content": "hi"}]}),
        json!({"messages": [{"role": "user", "content": "hi"}]}),
        json!({"model": "Tesla S", "input": "left pedal"}),
        json!({"model": "x", "input": [{"speed": 3}]}),
        json!({"choices": []}),
        json!({"choices": ["a", "b"], "model": "x"}),
        json!({"choices": [{"text": "a"}], "model": "x"}),
        json!({"type": "message", "content": "hello", "role": "assistant"}),
        json!({"object": "list", "data": [{"id": 1}]}),
        json!({"object": "response"}),
        json!({"output": [1, 2], "status": "completed"}),
        json!({"output": [{"type": "x"}], "status": "completed"}),
        json!({"model": "x", "usage": 3}),
        json!({"model": "x", "usage": {"input_tokens": 1, "output_tokens": 2}}),
        json!({"usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
        json!({"error": "no"}),
        json!({"error": {"message": "no"}}),
        json!({"error": null, "type": "x"}),
    ];
    for body in bodies {
        assert_eq!(read_request(&body), None, "{body}");
        assert_eq!(read_response(&body), None, "{body}");
    }
}

#[test]
fn bodies_reduced_to_model_and_usage_are_told_apart() {
    let check = |usage: Value, api| {
        let exchange = read_response(&json!({"model": "m", "usage": usage})).unwrap();
        assert_eq!(exchange.api, Some(api), "{usage}");
    };
    check(json!({"prompt_tokens": 1, "completion_tokens": 2}), Api::OpenAiChat);
    check(json!({"prompt_tokens": 1, "total_tokens": 1}), Api::OpenAiEmbeddings);
    check(json!({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}), Api::OpenAiResponses);
    check(
        json!({"input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 2}),
        Api::AnthropicMessages,
    );
}

#[test]
fn a_body_whose_answers_were_left_out_keeps_its_counts() {
    let check = |body: Value, api, input| {
        let exchange = read_response(&body).unwrap();
        assert_eq!((exchange.api, exchange.usage.input_tokens), (Some(api), Some(input)), "{body}");
    };
    let counts = json!({"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9});
    for choices in [json!([]), Value::Null] {
        let body = json!({"object": "chat.completion", "model": "m", "choices": choices, "usage": counts});
        check(body, Api::OpenAiChat, 7);
    }
    let counts = json!({"prompt_tokens": 7, "total_tokens": 7});
    check(json!({"object": "list", "model": "m", "data": [], "usage": counts}), Api::OpenAiEmbeddings, 7);
    let chunk = json!({"object": "chat.completion.chunk", "model": "m", "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    assert_eq!(read_response(&chunk), None);
}

#[test]
fn error_bodies_are_recognised() {
    let check = |body: Value, api: Option<Api>, kind: Option<&str>, code: Option<&str>, message: &str| {
        let exchange = read_response(&body).unwrap();
        let error = exchange.error.unwrap();
        assert_eq!(exchange.api, api);
        assert_eq!((error.kind.as_deref(), error.code.as_deref(), &*error.message), (kind, code, message));
    };
    check(
        json!({"error": {"message": "bad key", "type": "invalid_request_error", "param": null, "code": "invalid_api_key"}}),
        None,
        Some("invalid_request_error"),
        Some("invalid_api_key"),
        "bad key",
    );
    check(json!({"error": {"message": "busy", "code": 429}}), None, None, Some("429"), "busy");
    check(
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}),
        Some(Api::AnthropicMessages),
        Some("overloaded_error"),
        None,
        "busy",
    );
}
