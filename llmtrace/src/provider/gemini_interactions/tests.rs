use serde_json::json;

use super::super::{StreamAssembler, read_request, read_response};
use super::*;
use crate::{Message, Role, UsageStatus, Value as Attribute};

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "gemini-3-flash-preview", "stream": true, "system_instruction": "Be brief.",
        "previous_interaction_id": "v1_a",
        "input": [
            {"type": "user_input", "content": [{"type": "text", "text": "Weather?"}]},
            {"type": "function_call", "id": "c", "name": "f", "arguments": {"x": 1}},
            {"type": "function_result", "call_id": "c", "result": "rain"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}, {"type": "google_search"}],
        "generation_config": {"temperature": 0.7, "max_output_tokens": 64, "thinking_level": "high"},
    }))
    .unwrap();
    assert_eq!(request.api, Some(Api::GeminiInteractions));
    assert_eq!(request.system, [Part::text("Be brief.")]);
    let call = Part::tool_call(Some("c".into()), "f", "{\"x\":1}");
    let expected =
        [Message::user("Weather?"), Message::new(Role::Assistant, vec![call]), Message::tool("c", "rain")];
    assert_eq!(request.input, expected);
    let tools = json!([
        {"type": "function", "name": "f", "parameters": {"type": "object"}}, {"type": "google_search", "name": "google_search"},
    ]);
    assert_eq!(request.tools, Some(tools));
    let check = |key: &str, expected: Attribute| {
        assert_eq!(request.parameters.get(key), Some(&expected), "{key}");
    };
    check(semconv::REQUEST_TEMPERATURE, 0.7.into());
    check(semconv::REQUEST_MAX_TOKENS, 64.into());
    check(semconv::REQUEST_REASONING_LEVEL, "high".into());
    check(semconv::REQUEST_PREVIOUS_RESPONSE_ID, "v1_a".into());
    check(semconv::REQUEST_STREAM, true.into());
}

#[test]
fn requests_are_told_from_those_of_responses() {
    let check = |body: Value, api: Api| {
        assert_eq!(read_request(&body).and_then(|call| call.api), Some(api), "{body}");
    };
    check(json!({"model": "gemini-3.5-flash", "input": "hi"}), Api::GeminiInteractions);
    check(json!({"agent": "deep-research", "input": "hi", "background": true}), Api::GeminiInteractions);
    check(
        json!({"model": "gemini-3.5-flash", "input": {"type": "text", "text": "hi"}}),
        Api::GeminiInteractions,
    );
    check(json!({"model": "gpt-5", "input": "hi"}), Api::OpenAiResponses);
    check(json!({"model": "gemini-3.5-flash", "input": "hi", "instructions": "x"}), Api::OpenAiResponses);
    check(
        json!({"model": "gemini-3.5-flash", "input": [{"type": "message", "role": "user", "content": "hi"}]}),
        Api::OpenAiResponses,
    );
}

fn body() -> Value {
    json!({
        "id": "v1_a", "object": "interaction", "model": "gemini-3-flash-preview", "status": "completed",
        "service_tier": "standard",
        "steps": [
            {"type": "thought", "signature": "s", "summary": [{"type": "text", "text": "hm"}]},
            {"type": "google_search_call", "id": "g", "arguments": {"queries": ["sky"]}},
            {"type": "google_search_result", "call_id": "g", "result": [{"search_suggestions": "x"}]},
            {"type": "model_output", "content": [{"type": "text", "text": "Blue."}]},
        ],
        "usage": {
            "total_input_tokens": 266, "total_cached_tokens": 100, "total_output_tokens": 3, "total_thought_tokens": 57,
            "total_tool_use_tokens": 10, "total_tokens": 336,
            "input_tokens_by_modality": [{"modality": "text", "tokens": 8}, {"modality": "image", "tokens": 258}],
            "grounding_tool_count": [{"type": "google_search", "count": 2}, {"type": "google_maps", "count": 1}],
        },
    })
}

#[test]
fn a_response_is_read() {
    let call = read_response(&body()).unwrap();
    assert_eq!((call.api, call.provider), (Some(Api::GeminiInteractions), None));
    assert_eq!(call.service_tier.as_deref(), Some("standard"));
    assert_eq!(call.finish_reasons, ["completed"]);
    assert_eq!(call.output[0].text(), "Blue.");
    assert_eq!(call.output[0].parts[0], Part::reasoning("hm"));
    assert_eq!(call.output[0].parts.len(), 4);
    assert_eq!(call.output[0].finish_reason.as_deref(), Some("stop"));
    let usage = Usage {
        total_tokens: Some(336),
        tool_use_tokens: Some(10),
        input_text_tokens: Some(8),
        input_image_tokens: Some(258),
        web_searches: Some(2),
        ..Usage::new(276, 60).with_cache_read(100).with_reasoning(57)
    };
    assert_eq!(call.usage, usage);
    let running = json!({"id": "v1_a", "object": "interaction", "status": "in_progress"});
    assert!(read_response(&running).unwrap().finish_reasons.is_empty());
}

#[test]
fn events_are_laid_over_each_other() {
    let mut closing = body();
    closing["steps"] = json!([]);
    let events = [
        json!({"event_type": "interaction.created", "interaction": {"id": "v1_a", "status": "in_progress", "object": "interaction"}}),
        json!({"event_type": "step.start", "index": 0, "step": {"type": "thought"}}),
        json!({"event_type": "step.delta", "index": 0, "delta": {"type": "thought_summary", "content": {"type": "text", "text": "hm"}}}),
        json!({"event_type": "step.delta", "index": 0, "delta": {"type": "thought_signature", "signature": "s"}}),
        json!({"event_type": "step.stop", "index": 0}),
        json!({"event_type": "step.start", "index": 1, "step": {"type": "model_output"}}),
        json!({"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "Bl"}}),
        json!({"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "ue."}}),
        json!({"event_type": "step.start", "index": 2, "step": {"type": "function_call", "id": "c", "name": "f", "arguments": {}}}),
        json!({"event_type": "step.delta", "index": 2, "delta": {"type": "arguments_delta", "arguments": "{\"x\":"}}),
        json!({"event_type": "step.delta", "index": 2, "delta": {"type": "arguments_delta", "arguments": "1}"}}),
        json!({"event_type": "interaction.completed", "interaction": closing}),
    ];
    let mut stream = StreamAssembler::detect();
    for event in &events {
        stream.push_event(event);
    }
    assert!(stream.has_content());
    let whole = stream.finish();
    assert_eq!(whole.api, Some(Api::GeminiInteractions));
    let parts =
        vec![Part::reasoning("hm"), Part::text("Blue."), Part::tool_call(Some("c".into()), "f", "{\"x\":1}")];
    assert_eq!(whole.output, [Message::new(Role::Assistant, parts).with_finish_reason("stop")]);
    assert_eq!((whole.usage.status, whole.usage.output_tokens), (UsageStatus::Complete, Some(60)));
    for event in events.iter().take(11) {
        stream.push_event(event);
    }
    assert_eq!(stream.finish().usage.status, UsageStatus::Interrupted);
}
