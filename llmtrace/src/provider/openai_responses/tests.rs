use serde_json::json;

use super::super::{StreamAssembler, read_request, read_response};
use super::*;
use crate::{Role, UsageStatus, Value as Attribute};

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "gpt-5", "instructions": "Be brief.", "max_output_tokens": 9, "reasoning": {"effort": "high"},
        "previous_response_id": "resp_0", "conversation": {"id": "conv_1"}, "text": {"format": {"type": "json_object"}},
        "input": [
            {"role": "user", "content": [
                {"type": "input_text", "text": "hi"}, {"type": "input_image", "image_url": "https://a.b/c.png"},
            ]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "rain"},
        ],
        "tools": [{"type": "function", "name": "f", "description": null, "parameters": {}, "strict": true}],
    }))
    .unwrap();
    assert_eq!(request.api, Some(Api::OpenAiResponses));
    assert_eq!(request.system, [Part::text("Be brief.")]);
    let image = Part::Uri { mime_type: None, modality: "image".into(), uri: "https://a.b/c.png".into() };
    let expected = [
        Message::new(Role::User, vec![Part::text("hi"), image]),
        Message::new(Role::Assistant, vec![Part::reasoning("hm")]),
        Message::new(Role::Assistant, vec![Part::tool_call(Some("c".into()), "f", "{}")]),
        Message::tool("c", "rain"),
    ];
    assert_eq!(request.input, expected);
    assert_eq!(request.tools, Some(json!([{"type": "function", "name": "f", "parameters": {}}])));
    let expected = [
        (semconv::REQUEST_MAX_TOKENS, Attribute::Int(9)),
        (semconv::REQUEST_PREVIOUS_RESPONSE_ID, Attribute::from("resp_0")),
        (semconv::REQUEST_REASONING_LEVEL, Attribute::from("high")),
        (semconv::OUTPUT_TYPE, Attribute::from("json")),
    ];
    assert_eq!(request.parameters, expected.into_iter().collect());
    assert_eq!(request.attributes.get_str(semconv::CONVERSATION_ID), Some("conv_1"));
}

#[test]
fn a_response_is_one_message_and_its_searches_are_counted() {
    let response = read_response(&json!({
        "id": "resp_1", "object": "response", "model": "gpt-5-2025", "status": "completed", "temperature": 1.0,
        "output": [
            {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"},
            {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "q"}},
            {"type": "web_search_call", "id": "v", "status": "completed", "action": {"type": "open_page"}},
            {"type": "file_search_call", "id": "f", "queries": ["a"], "results": null},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        ],
        "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 13},
    }))
    .unwrap();
    let usage = &response.usage;
    assert_eq!((usage.web_searches, usage.file_searches), (Some(1), Some(1)));
    assert_eq!((usage.status, usage.cache_read_tokens), (UsageStatus::Complete, Some(4)));
    let search = json!({"type": "server_tool_call", "id": "w", "name": "web_search",
        "server_tool_call": {"type": "web_search", "action": {"type": "search", "query": "q"}}});
    assert_eq!(response.output.len(), 1);
    assert_eq!(response.output[0].parts[0], Part::Other(search));
    assert_eq!(response.output[0].text(), "a");
    assert!(response.parameters.is_empty(), "what the response repeats of the request was not asked for");
}

#[test]
fn the_reason_to_stop_is_the_status_or_why_it_is_incomplete() {
    let check = |fields: Value, own: Option<&str>, word: Option<&str>| {
        let mut body =
            json!({"id": "r", "object": "response", "output": [{"type": "message", "content": []}]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let response = read_response(&body).unwrap();
        assert_eq!(response.finish_reasons.first().map(String::as_str), own, "{body}");
        assert_eq!(response.output[0].finish_reason.as_deref(), word, "{body}");
    };
    check(json!({"status": "completed"}), Some("completed"), Some("stop"));
    check(json!({"status": "in_progress"}), None, None);
    check(json!({"status": "failed"}), Some("failed"), Some("error"));
    check(json!({"status": "cancelled"}), Some("cancelled"), Some("cancelled"));
    let incomplete = |reason| json!({"status": "incomplete", "incomplete_details": {"reason": reason}});
    check(incomplete("max_output_tokens"), Some("max_output_tokens"), Some("length"));
    check(incomplete("content_filter"), Some("content_filter"), Some("content_filter"));
    let call = json!({"status": "completed", "output": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]});
    check(call, Some("completed"), Some("tool_call"));
}

#[test]
fn a_stream_cut_before_its_end_keeps_what_came() {
    let mut stream = StreamAssembler::detect();
    stream.push_event(&json!({"type": "response.created", "response": {"id": "r", "model": "m", "status": "in_progress", "output": []}}));
    assert!(!stream.has_content());
    for (kind, key, delta) in [
        ("reasoning_summary_text", "summary_index", "hm"),
        ("output_text", "content_index", "Hel"),
        ("output_text", "content_index", "lo"),
    ] {
        let output = i32::from(kind == "output_text");
        stream.push_event(&json!({"type": format!("response.{kind}.delta"), "output_index": output, key: 0, "delta": delta}));
    }
    stream.push_event(
        &json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{\"x\""}),
    );
    assert!(stream.has_content());
    let cut = stream.finish();
    assert_eq!((cut.api, cut.usage.status), (Some(Api::OpenAiResponses), UsageStatus::Interrupted));
    let expected = vec![Part::reasoning("hm"), Part::text("Hello"), Part::tool_call(None, "", "{\"x\"")];
    assert_eq!(cut.output, [Message::new(Role::Assistant, expected)]);
    assert!(cut.usage.is_empty() && cut.finish_reasons.is_empty());
}

#[test]
fn every_ending_is_an_ending() {
    let check = |kind: &str, response: Value, status: UsageStatus, reason: &str, error: Option<&str>| {
        let event = json!({"type": kind, "response": response});
        let whole = StreamAssembler::new(Api::OpenAiResponses).push_event(&event).finish();
        assert_eq!(whole.usage.status, status, "{event}");
        assert_eq!(whole.finish_reasons, [reason], "{event}");
        assert_eq!(whole.error.map(|error| error.message).as_deref(), error, "{event}");
    };
    let usage = json!({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3});
    let complete = UsageStatus::Complete;
    check(
        "response.completed",
        json!({"id": "r", "status": "completed", "usage": usage}),
        complete,
        "completed",
        None,
    );
    let cut = json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "usage": usage});
    check("response.incomplete", cut, complete, "max_output_tokens", None);
    let failed =
        json!({"status": "failed", "error": {"code": "server_error", "message": "oh"}, "usage": null});
    check("response.failed", failed, UsageStatus::Missing, "failed", Some("oh"));
    let error =
        json!({"type": "error", "code": "rate_limit_exceeded", "message": "slow", "sequence_number": 1});
    let failed = StreamAssembler::detect().push_event(&error).finish();
    assert_eq!(failed.error.unwrap().code.as_deref(), Some("rate_limit_exceeded"));
}

#[test]
fn items_become_parts() {
    let check = |item: Value, expected: Vec<Part>| assert_eq!(input(&item).parts, expected, "{item}");
    check(
        json!({"type": "computer_call", "call_id": "c", "action": {"type": "click", "x": 1}}),
        vec![Part::ToolCall {
            id: Some("c".into()),
            name: "computer".into(),
            arguments: json!({"type": "click", "x": 1}),
        }],
    );
    check(
        json!({"type": "local_shell_call", "call_id": "c", "action": {"command": ["ls"]}}),
        vec![Part::ToolCall {
            id: Some("c".into()),
            name: "local_shell".into(),
            arguments: json!({"command": ["ls"]}),
        }],
    );
    check(
        json!({"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "a"}]}),
        vec![Part::ToolCallResponse { id: Some("c".into()), response: json!([{"stdout": "a"}]) }],
    );
    check(
        json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}),
        vec![Part::Other(json!({"type": "compaction", "id": "cmp_1"}))],
    );
    check(
        json!({"type": "image_generation_call", "id": "ig_1", "output_format": "png", "result": "AAAA", "revised_prompt": "a cat"}),
        vec![
            Part::Other(json!({"type": "server_tool_call", "id": "ig_1", "name": "image_generation",
                "server_tool_call": {"type": "image_generation", "revised_prompt": "a cat"}})),
            Part::Blob {
                mime_type: Some("image/png".into()),
                modality: "image".into(),
                content: "AAAA".into(),
            },
        ],
    );
    assert_eq!(input(&json!({"type": "computer_call_output", "call_id": "c"})).role, Role::Tool);
}

#[test]
fn fees_beside_the_tokens_are_noted() {
    let check = |output: Value, more: Value, runs: Option<i128>, incomplete: bool| {
        let mut body = json!({"id": "r", "object": "response", "output": output});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let attributes = read_response(&body).unwrap().attributes;
        assert_eq!(attributes.get(semconv::USAGE_CODE_RUNS).cloned(), runs.map(Attribute::Int), "{body}");
        assert_eq!(attributes.get(semconv::COST_INCOMPLETE).is_some(), incomplete, "{body}");
    };
    let run = json!({"type": "code_interpreter_call", "id": "ci", "code": "1", "container_id": "k"});
    check(json!([run, run]), json!({}), Some(2), true);
    check(json!([run]), json!({"usage": {"cost_in_usd_ticks": 9}}), Some(1), false);
    check(json!([{"type": "image_generation_call", "id": "ig"}]), json!({}), None, true);
    check(json!([]), json!({"tool_usage": {"image_gen": {"total_tokens": 5}}}), None, true);
    check(json!([]), json!({"tool_usage": {"image_gen": {"total_tokens": 0}}}), None, false);
    check(json!([{"type": "message", "content": []}]), json!({}), None, false);
}
