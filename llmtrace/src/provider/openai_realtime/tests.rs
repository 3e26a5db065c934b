#![expect(clippy::needless_pass_by_value, reason = "the cases read better")]

use super::super::{StreamAssembler, read_request, read_response};
use super::*;
use crate::{Usage, Value as Attribute};

fn usage() -> Value {
    json!({"total_tokens": 300, "input_tokens": 200, "output_tokens": 100,
        "input_token_details": {"text_tokens": 50, "audio_tokens": 140, "image_tokens": 10, "cached_tokens": 64,
            "cached_tokens_details": {"text_tokens": 24, "audio_tokens": 40, "image_tokens": 0}},
        "output_token_details": {"text_tokens": 20, "audio_tokens": 80}})
}

fn counted() -> Usage {
    Usage {
        total_tokens: Some(300),
        input_text_tokens: Some(50),
        input_audio_tokens: Some(140),
        input_image_tokens: Some(10),
        cache_read_text_tokens: Some(24),
        cache_read_audio_tokens: Some(40),
        cache_read_image_tokens: Some(0),
        output_text_tokens: Some(20),
        output_audio_tokens: Some(80),
        ..Usage::new(200, 100).with_cache_read(64)
    }
}

fn event(kind: &str, more: Value) -> Value {
    let mut event = json!({"type": kind, "event_id": "event_1"});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn done(more: Value) -> Value {
    let mut response = json!({"object": "realtime.response", "id": "resp_1", "status": "completed",
        "conversation_id": "conv_1", "usage": usage(), "output": [
            {"id": "item_1", "type": "message", "role": "assistant",
                "content": [{"type": "audio", "transcript": "Hello"}]}]});
    response.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event("response.done", json!({ "response": response }))
}

#[test]
fn requests_configure_a_session_or_ask_for_a_response() {
    let update = read_request(&event(
        "session.update",
        json!({"session": {"model": "gpt-realtime", "instructions": "Be brief.", "max_output_tokens": 9,
            "tools": [{"type": "function", "name": "f", "parameters": {}}]}}),
    ))
    .unwrap();
    assert_eq!(
        (update.api, update.request_model.as_deref()),
        (Some(Api::OpenAiRealtime), Some("gpt-realtime"))
    );
    assert_eq!(update.system, [Part::text("Be brief.")]);
    assert_eq!(update.parameters.get(semconv::REQUEST_MAX_TOKENS), Some(&Attribute::Int(9)));
    assert!(update.tools.is_some());
    let create = read_request(&json!({"type": "response.create", "response": {"input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "function_call_output", "call_id": "c", "output": "rain"},
    ]}}))
    .unwrap();
    assert_eq!(create.input, [Message::user("hi"), Message::tool("c", "rain")]);
    assert_eq!(read_request(&json!({"type": "session.update"})), None);
}

#[test]
fn the_event_that_ends_a_response_is_the_call() {
    let read = read_response(&done(json!({}))).unwrap();
    assert_eq!((read.api, read.usage), (Some(Api::OpenAiRealtime), counted()));
    assert_eq!(read.response_id.as_deref(), Some("resp_1"));
    assert_eq!(read.output, [Message::assistant("Hello").with_finish_reason("stop")]);
    assert_eq!(read.attributes.get_str(semconv::CONVERSATION_ID), Some("conv_1"));
}

#[test]
fn every_ending_is_told() {
    let check = |more: Value, own: &str, word: &str, error: Option<&str>| {
        let read = read_response(&done(more)).unwrap();
        assert_eq!(
            (read.finish_reasons, read.output[0].finish_reason.as_deref()),
            (vec![own.to_owned()], Some(word))
        );
        assert_eq!(read.error.map(|error| error.message).as_deref(), error);
    };
    check(
        json!({"status": "incomplete", "status_details": {"type": "incomplete", "reason": "max_output_tokens"}}),
        "max_output_tokens",
        "length",
        None,
    );
    check(
        json!({"status": "cancelled", "status_details": {"type": "cancelled", "reason": "turn_detected"}}),
        "turn_detected",
        "turn_detected",
        None,
    );
    let failed = json!({"type": "failed", "error": {"type": "server_error", "code": "x", "message": "oh"}});
    check(json!({"status": "failed", "status_details": failed}), "failed", "error", Some("oh"));
    let call = json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]);
    check(json!({ "output": call }), "completed", "tool_call", None);
}

#[test]
fn a_session_is_a_stream() {
    let created = event("session.created", json!({"session": {"model": "gpt-realtime", "id": "sess_1"}}));
    let started = event(
        "response.created",
        json!({"response": {"object": "realtime.response", "id": "resp_1", "status": "in_progress", "output": []}}),
    );
    let heard = event(
        "conversation.item.input_audio_transcription.completed",
        json!({"item_id": "i", "transcript": "hi"}),
    );
    let piece = |text: &str| {
        event(
            "response.output_audio_transcript.delta",
            json!({"output_index": 0, "content_index": 0, "delta": text}),
        )
    };
    let limits = event(
        "rate_limits.updated",
        json!({"rate_limits": [{"name": "tokens", "limit": 9, "remaining": 8, "reset_seconds": 1.5}]}),
    );
    let mut stream = StreamAssembler::detect();
    stream.push_event(&created).push_event(&heard).push_event(&started);
    assert!(!stream.has_content());
    let cut = stream.push_event(&piece("Hel")).finish();
    assert_eq!((cut.api, cut.usage.status), (Some(Api::OpenAiRealtime), UsageStatus::Interrupted));
    assert_eq!(cut.output[0].text(), "Hel");

    for item in [&created, &heard, &started, &piece("Hel"), &piece("lo"), &done(json!({})), &limits] {
        stream.push_event(item);
    }
    let whole = stream.finish();
    assert_eq!((whole.response_model.as_deref(), &whole.usage), (Some("gpt-realtime"), &counted()));
    assert_eq!((whole.input, whole.output[0].text().as_str()), (vec![Message::user("hi")], "Hello"));
    assert_eq!(whole.attributes.get("llmtrace.rate_limit.tokens.reset"), Some(&Attribute::Float(1.5)));

    // Two responses in one span: what is stated last is not all.
    for item in [&started, &done(json!({})), &started, &done(json!({}))] {
        stream.push_event(item);
    }
    assert_eq!(stream.finish().usage.status, UsageStatus::Partial);
    for item in [&started, &done(json!({})), &started, &piece("Hel")] {
        stream.push_event(item);
    }
    assert_eq!(stream.finish().usage.status, UsageStatus::Interrupted);
}

#[test]
fn events_of_responses_are_no_realtime_events() {
    let completed = json!({"type": "response.completed", "sequence_number": 3,
        "response": {"id": "r", "object": "response", "status": "completed"}});
    assert_eq!(StreamAssembler::detect().push_event(&completed).finish().api, Some(Api::OpenAiResponses));
}
