use serde_json::json;

use super::super::fold::MAX_PART_BYTES;
use super::super::{StreamAssembler, read_request, read_response};
use super::*;
use crate::{Attributes, Usage, UsageStatus, Value as Attribute};

fn other(json: Value) -> Part {
    Part::Other(json)
}

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "gpt-4o", "temperature": 0, "top_p": 0.5, "max_tokens": 5, "max_completion_tokens": 7, "n": 2,
        "seed": 3, "stop": "END", "stream": true, "reasoning_effort": "low", "service_tier": "flex",
        "frequency_penalty": 0.1, "presence_penalty": 0.2, "response_format": {"type": "json_schema"},
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": "hi"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": true}},
            {"type": "web_search"},
            {"type": "custom", "custom": {"name": "g"}},
        ],
    }))
    .unwrap();
    assert_eq!(request.api, Some(Api::OpenAiChat));
    assert_eq!((request.operation, request.provider.as_deref()), (Some("chat"), None));
    assert_eq!(request.request_model.as_deref(), Some("gpt-4o"));
    let mut user = Message::user("hi");
    user.name = Some("ann".into());
    assert_eq!(request.input, [Message::system("Be brief."), user]);
    let tools = json!([
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "web_search", "name": "web_search"},
        {"type": "custom", "name": "g", "custom": {"name": "g"}},
    ]);
    assert_eq!(request.tools, Some(tools));
    let expected: Attributes = [
        (semconv::REQUEST_TEMPERATURE, Attribute::Float(0.0)),
        (semconv::REQUEST_TOP_P, Attribute::Float(0.5)),
        (semconv::REQUEST_FREQUENCY_PENALTY, Attribute::Float(0.1)),
        (semconv::REQUEST_PRESENCE_PENALTY, Attribute::Float(0.2)),
        (semconv::REQUEST_MAX_TOKENS, Attribute::Int(7)),
        (semconv::REQUEST_SEED, Attribute::Int(3)),
        (semconv::REQUEST_CHOICE_COUNT, Attribute::Int(2)),
        (semconv::REQUEST_STOP_SEQUENCES, Attribute::from(["END"])),
        (semconv::REQUEST_REASONING_LEVEL, Attribute::from("low")),
        (semconv::OPENAI_REQUEST_SERVICE_TIER, Attribute::from("flex")),
        (semconv::OUTPUT_TYPE, Attribute::from("json")),
        (semconv::REQUEST_STREAM, Attribute::Bool(true)),
    ]
    .into_iter()
    .collect();
    assert_eq!(request.parameters, expected);
}

#[test]
fn defaults_are_not_recorded() {
    let request = read_request(&json!({
        "model": "m", "n": 1, "stream": false, "seed": null, "stop": [], "messages": [{"role": "user", "content": "hi"}],
    }));
    assert!(request.unwrap().parameters.is_empty());
}

#[test]
fn content_becomes_parts() {
    let check = |json: Value, expected: Vec<Part>| assert_eq!(message(&json).parts, expected, "{json}");
    check(json!({"role": "user", "content": [{"type": "text", "text": "a"}]}), vec![Part::text("a")]);
    check(
        json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]}),
        vec![Part::Blob {
            mime_type: Some("image/png".into()),
            modality: "image".into(),
            content: "AA".into(),
        }],
    );
    check(
        json!({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]}),
        vec![Part::Blob {
            mime_type: Some("audio/wav".into()),
            modality: "audio".into(),
            content: "AA".into(),
        }],
    );
    check(
        json!({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}),
        vec![Part::File { mime_type: None, modality: "document".into(), file_id: "file-1".into() }],
    );
    check(json!({"role": "user", "content": [{"type": "new"}]}), vec![other(json!({"type": "new"}))]);
    check(
        json!({"role": "tool", "tool_call_id": "c", "content": "rain"}),
        vec![Part::ToolCallResponse { id: Some("c".into()), response: json!("rain") }],
    );
    check(
        json!({"role": "assistant", "content": null, "refusal": "no"}),
        vec![other(json!({"type": "refusal", "content": "no"}))],
    );
    check(
        json!({"role": "assistant", "reasoning_content": "hm", "content": "a", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
            {"id": "d", "type": "custom", "custom": {"name": "g", "input": "text"}},
        ]}),
        vec![
            Part::reasoning("hm"),
            Part::text("a"),
            Part::tool_call(Some("c".into()), "f", "{\"x\":1}"),
            Part::tool_call(Some("d".into()), "g", "text"),
        ],
    );
    check(
        json!({"role": "assistant", "function_call": {"name": "f", "arguments": ""}}),
        vec![Part::tool_call(None, "f", "")],
    );
    check(json!(3), vec![]);
}

#[test]
fn a_response_has_one_message_a_choice() {
    let response = read_response(&json!({
        "id": "c", "object": "chat.completion", "model": "m-1", "service_tier": "default", "system_fingerprint": "fp",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": "b"}, "finish_reason": "content_filter"},
            {"index": 2, "message": {"content": "c"}, "finish_reason": "tool_calls"},
        ],
    }))
    .unwrap();
    assert_eq!(response.finish_reasons, ["stop", "content_filter", "tool_calls"]);
    let words: Vec<_> =
        response.output.iter().map(|message| message.finish_reason.as_deref().unwrap()).collect();
    assert_eq!(words, ["stop", "content_filter", "tool_call"]);
    assert_eq!(response.service_tier.as_deref(), Some("default"));
    assert_eq!(response.attributes.get_str(semconv::OPENAI_RESPONSE_SYSTEM_FINGERPRINT), Some("fp"));
    assert!(response.usage.is_empty());
}

#[test]
fn reasoning_is_read_wherever_it_stands() {
    let check = |json: Value, expected: &str| {
        assert_eq!(message(&json).parts, [Part::reasoning(expected)], "{json}");
    };
    check(json!({"role": "assistant", "reasoning": "a"}), "a");
    check(json!({"role": "assistant", "reasoning_content": "a", "reasoning_details": [{"text": "b"}]}), "a");
    check(
        json!({"role": "assistant", "reasoning_details": [
            {"type": "reasoning.text", "text": "a"}, {"type": "reasoning.summary", "summary": "b"},
            {"type": "reasoning.encrypted", "data": "c"},
        ]}),
        "ab",
    );
}

#[test]
fn a_choice_that_failed_is_an_error() {
    let choice = |fields: Value| {
        let mut choice = json!({"index": 0, "message": {"role": "assistant", "content": "a"}});
        choice.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let body = json!({"id": "gen-1", "model": "m", "choices": [choice]});
        read_response(&body).unwrap().error.map(|error| (error.code, error.message))
    };
    let failed = json!({"finish_reason": "error", "error": {"code": 502, "message": "upstream"}});
    assert_eq!(choice(failed), Some((Some("502".to_owned()), "upstream".to_owned())));
    assert_eq!(choice(json!({"finish_reason": "stop", "error": null, "message": {"content": "b"}})), None);
    assert_eq!(choice(json!({"finish_reason": "stop", "detail": "b"})), None);
}

#[test]
fn timings_count_where_no_usage_does() {
    let check = |more: Value, expected: Usage| {
        let mut body = json!({"id": "c", "model": "m", "choices": [{"message": {"content": "a"}}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(read_response(&body).unwrap().usage, expected, "{body}");
    };
    let timings = json!({"cache_n": 30, "prompt_n": 2, "predicted_n": 7, "prompt_ms": 3.5});
    check(json!({ "timings": timings }), Usage::new(32, 7).with_cache_read(30));
    check(
        json!({"timings": timings, "usage": {"prompt_tokens": 32, "completion_tokens": 8}}),
        Usage::new(32, 8).with_cache_read(30),
    );
    let uncounted = Usage { status: UsageStatus::Partial, ..Usage::new(2, 7) };
    check(json!({"timings": {"prompt_n": 2, "predicted_n": 7}}), uncounted);
    check(json!({"timings": {"took": 2}}), Usage::default());
}

/// The exchange that a stream of these chunks amounts to.
fn streamed(chunks: &[Value]) -> Exchange {
    let mut stream = StreamAssembler::detect();
    for chunk in chunks {
        stream.push(format!("data: {chunk}\n\n"));
    }
    stream.push("data: [DONE]\n\n").finish()
}

#[test]
fn azure_filters_before_it_speaks() {
    let azure = streamed(&[
        json!({"choices": [], "created": 0, "id": "", "model": "", "object": "",
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}),
        json!({"id": "c", "model": "gpt-4o-2024-11-20", "choices": [{"index": 0, "delta": {"content": "a"},
            "content_filter_results": {"hate": {"filtered": false, "severity": "safe"}}, "finish_reason": null}]}),
        json!({"id": "", "model": "", "choices": [{"index": 0, "content_filter_offsets": {}, "finish_reason": null}]}),
        json!({"id": "c", "model": "gpt-4o-2024-11-20", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    ]);
    assert_eq!((azure.api, azure.provider.as_deref()), (Some(Api::OpenAiChat), Some("azure.ai.openai")));
    assert_eq!(
        (azure.response_id.as_deref(), azure.response_model.as_deref()),
        (Some("c"), Some("gpt-4o-2024-11-20"))
    );
    assert_eq!(azure.output, [Message::assistant("a").with_finish_reason("stop")]);
}

#[test]
fn usage_is_found_wherever_a_stream_states_it() {
    let content = json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]});
    let check = |last: Value, expected: Usage| {
        assert_eq!(streamed(&[content.clone(), last.clone()]).usage, expected, "{last}");
    };
    let end = |more: Value| {
        let mut choice = json!({"index": 0, "delta": {}, "finish_reason": "stop"});
        choice.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "choices": [choice] })
    };
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2});
    check(end(json!({ "usage": usage })), Usage::new(3, 2));
    check(json!({"choices": [], "x_groq": {"usage": usage}}), Usage::new(3, 2));
    let mut timed = end(json!({}));
    timed["timings"] = json!({"cache_n": 0, "prompt_n": 3, "predicted_n": 2});
    check(timed, Usage::new(3, 2).with_cache_read(0));
    check(end(json!({"usage": null})), Usage::default());
}

#[test]
fn counts_that_grow_with_the_stream_are_replaced() {
    let chunk = |output: u64| {
        json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": output, "total_tokens": 3 + output}})
    };
    let mut stream = StreamAssembler::new(Api::OpenAiChat);
    for output in 1..=4 {
        stream.push(format!("data: {}\n\n", chunk(output)));
    }
    let cut = stream.finish().usage;
    assert_eq!((cut.status, cut.output_tokens), (UsageStatus::Interrupted, Some(4)));
}

#[test]
fn recordings_are_whole_or_left_out() {
    let chunk = |data: &str| json!({"choices": [{"index": 0, "delta": {"audio": {"data": data, "transcript": "a"}}}]});
    let check = |pieces: &[&str], expected: Part| {
        let chunks: Vec<Value> = pieces.iter().map(|piece| chunk(piece)).collect();
        assert_eq!(streamed(&chunks).output[0].parts.last(), Some(&expected));
    };
    let blob =
        |content: &str| Part::Blob { mime_type: None, modality: "audio".into(), content: content.into() };
    check(&["AAAA", "BBBB"], blob("AAAABBBB"));
    check(&["AAAA", "BB=="], blob("AAAABB=="));
    check(&["AA==", "BBBB", "CCCC"], Part::omitted_blob(None, "audio", 1 + 3 + 3));
    let half = "A".repeat(MAX_PART_BYTES / 2);
    check(
        &[&half, &half, "BBBB", "CCCC"],
        Part::omitted_blob(None, "audio", (MAX_PART_BYTES / 4 * 3 + 6) as u64),
    );
}
