use serde_json::json;

use super::super::{StreamAssembler, read_request, read_response};
use super::*;
use crate::{Usage, UsageStatus, Value as Attribute};

#[test]
fn a_request_is_read() {
    let request = read_request(&json!({
        "model": "models/gemini-2.5-pro",
        "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"sky": "blue"}}}]},
        ],
        "tools": [
            {"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}}]},
            {"googleSearch": {}},
        ],
        "generationConfig": {
            "temperature": 0.5, "topP": 0.9, "topK": 40.0, "maxOutputTokens": 64, "stopSequences": ["END"], "seed": 7,
            "candidateCount": 2, "presencePenalty": 0.1, "frequencyPenalty": 0.2,
            "responseMimeType": "application/json", "thinkingConfig": {"thinkingLevel": "HIGH"},
        },
        "serviceTier": "flex",
    }))
    .unwrap();
    assert_eq!((request.api, request.operation), (Some(Api::GeminiGenerate), Some("chat")));
    assert_eq!(request.request_model.as_deref(), Some("gemini-2.5-pro"));
    assert_eq!(request.system, [Part::text("Be brief.")]);
    let answer = Part::ToolCallResponse { id: Some("f".into()), response: json!({"sky": "blue"}) };
    let expected = [
        Message::user("Weather?"),
        Message::new(Role::Assistant, vec![Part::tool_call(None, "f", "{\"x\":1}")]),
        Message::new(Role::Tool, vec![answer]),
    ];
    assert_eq!(request.input, expected);
    let tools = json!([
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        {"type": "googleSearch", "name": "googleSearch", "googleSearch": {}},
    ]);
    assert_eq!(request.tools, Some(tools));
    let check = |key: &str, expected: Attribute| {
        assert_eq!(request.parameters.get(key), Some(&expected), "{key}");
    };
    check(semconv::REQUEST_TEMPERATURE, 0.5.into());
    check(semconv::REQUEST_TOP_P, 0.9.into());
    check(semconv::REQUEST_TOP_K, 40.into());
    check(semconv::REQUEST_MAX_TOKENS, 64.into());
    check(semconv::REQUEST_STOP_SEQUENCES, ["END"].into());
    check(semconv::REQUEST_SEED, 7.into());
    check(semconv::REQUEST_CHOICE_COUNT, 2.into());
    check(semconv::REQUEST_PRESENCE_PENALTY, 0.1.into());
    check(semconv::REQUEST_FREQUENCY_PENALTY, 0.2.into());
    check(semconv::REQUEST_REASONING_LEVEL, "high".into());
    check(semconv::OUTPUT_TYPE, "json".into());
    check(semconv::REQUEST_SERVICE_TIER, "flex".into());
}

#[test]
fn requests_of_the_sdks_are_read() {
    let check = |body: Value, temperature: Option<f64>, output: Option<&str>| {
        let call = read_request(&body).unwrap();
        assert_eq!(call.input, [Message::user("hi")], "{body}");
        assert_eq!(
            call.parameters.get(semconv::REQUEST_TEMPERATURE).and_then(Attribute::as_f64),
            temperature
        );
        assert_eq!(call.parameters.get_str(semconv::OUTPUT_TYPE), output, "{body}");
    };
    check(json!({"model": "gemini-3-flash-preview", "contents": "hi"}), None, None);
    check(
        json!({"model": "m", "contents": "hi", "config": {"temperature": 0.5, "response_modalities": ["TEXT", "IMAGE"]}}),
        Some(0.5),
        Some("image"),
    );
    check(
        json!({"contents": [{"parts": [{"text": "hi"}]}], "generation_config": {"response_schema": {"type": "OBJECT"}}}),
        None,
        Some("json"),
    );
    check(
        json!({"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"responseModalities": ["AUDIO"]}}),
        None,
        Some("speech"),
    );
    assert_eq!(read_request(&json!({"contents": "hi"})), None);
    assert_eq!(read_request(&json!({"contents": [{"text": "hi"}]})), None);
    assert_eq!(read_request(&json!({"contents": []})), None);
}

#[test]
fn a_response_is_read_in_both_spellings() {
    let check = |body: Value| {
        let call = read_response(&body).unwrap();
        assert_eq!(call.api, Some(Api::GeminiGenerate));
        assert_eq!(call.response_id.as_deref(), Some("r"));
        assert_eq!(call.response_model.as_deref(), Some("gemini-2.5-pro"));
        assert_eq!(
            (call.provider.as_deref(), call.service_tier.as_deref()),
            (Some("gcp.gemini"), Some("standard"))
        );
        let output = Message::new(Role::Assistant, vec![Part::reasoning("hm"), Part::text("Blue.")]);
        assert_eq!(call.output, [output.with_finish_reason("stop")]);
        assert_eq!(call.finish_reasons, ["STOP"]);
        let usage = Usage {
            total_tokens: Some(18),
            input_text_tokens: Some(6),
            cache_read_text_tokens: Some(4),
            web_searches: Some(2),
            ..Usage::new(6, 12).with_cache_read(4).with_reasoning(7)
        };
        assert_eq!(call.usage, usage);
    };
    check(json!({
        "candidates": [{
            "content": {"role": "model", "parts": [{"text": "hm", "thought": true}, {"text": "Blue."}]},
            "finishReason": "STOP", "index": 0,
            "groundingMetadata": {"webSearchQueries": ["sky", "", "sky", "colour"]},
        }],
        "usageMetadata": {
            "promptTokenCount": 6, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 18,
            "cachedContentTokenCount": 4, "serviceTier": "standard",
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        },
        "modelVersion": "models/gemini-2.5-pro", "responseId": "r",
    }));
    check(json!({
        "candidates": [{
            "content": {"role": "model", "parts": [
                {"text": "hm", "thought": true, "function_call": null}, {"text": "Blue.", "thought": null},
            ]},
            "finish_reason": "STOP", "index": null, "avg_logprobs": null,
            "grounding_metadata": {"web_search_queries": ["sky", "colour"]},
        }],
        "usage_metadata": {
            "prompt_token_count": 6, "candidates_token_count": 5, "thoughts_token_count": 7, "total_token_count": 18,
            "cached_content_token_count": 4, "service_tier": "standard", "traffic_type": null,
            "prompt_tokens_details": [{"modality": "TEXT", "token_count": 6}],
            "cache_tokens_details": [{"modality": "TEXT", "token_count": 4}],
        },
        "model_version": "gemini-2.5-pro", "response_id": "r", "prompt_feedback": null, "create_time": null,
    }));
}

#[test]
fn finish_reasons_are_kept_raw_and_worded() {
    let check = |reason: Value, part: Value, vertex: bool, raw: &str, word: &str| {
        let mut body = json!({
            "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": reason}],
            "usageMetadata": {"promptTokenCount": 1},
        });
        if vertex {
            body["usageMetadata"]["trafficType"] = json!(1);
        }
        let call = read_response(&body).unwrap();
        assert_eq!(call.finish_reasons, [raw], "{body}");
        assert_eq!(call.output[0].finish_reason.as_deref(), Some(word), "{body}");
    };
    let text = json!({"text": "a"});
    for (raw, word) in [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("IMAGE_PROHIBITED_CONTENT", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("NO_IMAGE", "error"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ] {
        check(json!(raw), text.clone(), false, raw, word);
    }
    check(json!("STOP"), json!({"functionCall": {"name": "f"}}), false, "STOP", "tool_call");
    check(json!(1), text.clone(), false, "STOP", "stop");
    check(json!(9), text.clone(), true, "MALFORMED_FUNCTION_CALL", "error");
    // The numbers above 5 mean something else in the Gemini API.
    check(json!(9), text, false, "9", "9");
}

#[test]
fn a_refused_prompt_says_so() {
    let check = |feedback: Value, reason: &str| {
        let call = read_response(&json!({"promptFeedback": feedback, "modelVersion": "m"})).unwrap();
        assert_eq!(call.api, Some(Api::GeminiGenerate));
        assert_eq!(call.attributes.get_str(semconv::BLOCK_REASON), Some(reason));
        assert!(call.finish_reasons.is_empty());
        assert_eq!(call.output[0].finish_reason.as_deref(), Some("content_filter"));
        assert!(call.output[0].parts.is_empty());
        assert_eq!(call.usage, Usage::default());
    };
    check(json!({"blockReason": "PROHIBITED_CONTENT"}), "PROHIBITED_CONTENT");
    check(json!({"block_reason": "SAFETY", "safety_ratings": null}), "SAFETY");
    check(json!({"blockReason": 4}), "4");
    let answered = read_response(&json!({
        "promptFeedback": {"safetyRatings": []}, "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1},
    }));
    assert_eq!(answered.unwrap().attributes.get_str(semconv::BLOCK_REASON), None);
}

#[test]
fn errors_are_read_in_both_forms() {
    let error = json!({"error": {"code": 400, "message": "no such role", "status": "INVALID_ARGUMENT", "details": []}});
    for body in [error.clone(), json!([error])] {
        let read = read_response(&body).unwrap().error.unwrap();
        assert_eq!((read.kind.as_deref(), read.code.as_deref()), (Some("INVALID_ARGUMENT"), Some("400")));
        assert_eq!(read.message, "no such role");
    }
}

#[test]
fn what_is_no_call_is_none() {
    for body in [
        json!({"totalTokens": 31, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 31}]}),
        json!({"name": "cachedContents/1", "model": "models/m", "usageMetadata": {"totalTokenCount": 9}}),
        json!({"candidates": []}),
        json!({"candidates": [{"name": "Ada"}], "usageMetadata": {}}),
        json!({"candidates": [{"content": "Ada", "index": 1}]}),
        json!({"models": [{"name": "models/gemini-2.5-pro"}]}),
        json!({"promptFeedback": {}}),
    ] {
        assert_eq!(read_response(&body), None, "{body}");
    }
}

fn stream(chunks: &[Value]) -> Exchange {
    let mut stream = StreamAssembler::detect();
    for chunk in chunks {
        stream.push_event(chunk);
    }
    stream.finish()
}

fn chunk(parts: &Value, finish: Option<&str>, usage: &Value) -> Value {
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
        "usageMetadata": usage, "modelVersion": "gemini-2.5-pro", "responseId": "r",
    })
}

#[test]
fn chunks_are_laid_over_each_other() {
    let usage = |prompt: u64, answer: u64| json!({"promptTokenCount": prompt, "candidatesTokenCount": answer, "totalTokenCount": prompt + answer});
    let chunks = [
        chunk(&json!([{"text": "h", "thought": true}]), None, &usage(9, 0)),
        chunk(&json!([{"text": "m", "thought": true}, {"text": "It is "}]), None, &usage(9, 2)),
        chunk(
            &json!([{"text": "blue"}, {"functionCall": {"name": "f", "args": {"x": 1}}}]),
            None,
            &usage(9, 8),
        ),
        chunk(&json!([{"text": "", "thoughtSignature": "s"}]), Some("STOP"), &usage(7, 8)),
    ];
    let whole = stream(&chunks);
    let parts =
        vec![Part::reasoning("hm"), Part::text("It is blue"), Part::tool_call(None, "f", "{\"x\":1}")];
    assert_eq!(whole.output, [Message::new(Role::Assistant, parts).with_finish_reason("tool_call")]);
    assert_eq!(whole.usage, Usage { total_tokens: Some(15), ..Usage::new(7, 8) });
    assert_eq!(whole.response_id.as_deref(), Some("r"));

    let cut = stream(&chunks[..3]);
    assert_eq!(cut.usage.status, UsageStatus::Interrupted);
    assert_eq!(cut.usage.output_tokens, Some(8));
}

#[test]
fn every_candidate_must_be_finished() {
    let part = |index: u64, finish: Option<&str>| {
        json!({
            "candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": finish, "index": index}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
        })
    };
    let check = |chunks: &[Value], status| assert_eq!(stream(chunks).usage.status, status);
    let (one, both) = ([part(0, None), part(1, None), part(1, Some("STOP"))], part(0, Some("STOP")));
    check(&one, UsageStatus::Interrupted);
    check(&[one.as_slice(), &[both]].concat(), UsageStatus::Complete);
}

#[test]
fn counts_that_vertex_states_last_only_are_taken() {
    let traffic = json!({"trafficType": "ON_DEMAND_PRIORITY"});
    let counts = json!({"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5});
    let call = stream(&[
        chunk(&json!([{"text": "a"}]), None, &traffic),
        chunk(&json!([{"text": "b"}]), Some("STOP"), &counts),
    ]);
    assert_eq!(call.usage, Usage { total_tokens: Some(5), ..Usage::new(3, 2) });
    assert_eq!(
        (call.provider.as_deref(), call.service_tier.as_deref()),
        (Some("gcp.vertex_ai"), Some("ON_DEMAND_PRIORITY"))
    );
    let uncounted = stream(&[chunk(&json!([{"text": "a"}]), Some("STOP"), &traffic)]);
    assert_eq!(uncounted.usage.status, UsageStatus::Interrupted);
}

#[test]
fn a_refused_prompt_ends_the_stream() {
    let call = stream(&[
        json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}}),
    ]);
    assert_eq!((call.usage.status, call.usage.input_tokens), (UsageStatus::Complete, Some(4)));
    assert_eq!(call.attributes.get_str(semconv::BLOCK_REASON), Some("SAFETY"));
}

#[test]
fn arguments_in_pieces_are_put_together() {
    let call =
        |call: Value| chunk(&json!([{"functionCall": call}]), None, &json!({"trafficType": "ON_DEMAND"}));
    let counts = json!({"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5});
    let whole = stream(&[
        call(json!({"name": "f", "willContinue": true})),
        call(
            json!({"partialArgs": [{"jsonPath": "$.city", "stringValue": "Par", "willContinue": true}], "willContinue": true}),
        ),
        call(json!({"partialArgs": [{"jsonPath": "$.city", "stringValue": "is"}], "willContinue": true})),
        call(json!({})),
        call(json!({"name": "g", "args": {"x": 1}})),
        chunk(&json!([{"text": ""}]), Some("STOP"), &counts),
    ]);
    let calls = [Part::tool_call(None, "f", "{\"city\":\"Paris\"}"), Part::tool_call(None, "g", "{\"x\":1}")];
    assert_eq!(whole.output[0].parts, calls);
}

#[test]
fn searches_of_all_chunks_are_counted_once() {
    let grounded = |queries: Value, finish: Option<&str>| {
        json!({
            "candidates": [{
                "content": {"parts": [{"text": "a"}]}, "finishReason": finish,
                "groundingMetadata": {"webSearchQueries": queries},
            }],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
        })
    };
    let check = |chunks: &[Value], searches| assert_eq!(stream(chunks).usage.web_searches, searches);
    check(&[grounded(json!(["a"]), None), grounded(json!(["a", "b", ""]), Some("STOP"))], Some(2));
    check(&[grounded(json!(["", ""]), Some("STOP"))], Some(0));
    check(&[grounded(json!([]), Some("STOP"))], None);
}

#[test]
fn a_body_whose_texts_are_left_out_counts_the_same() {
    let body = json!({
        "candidates": [{
            "content": {"role": "model", "parts": [
                {"text": "secret"},
                {"executableCode": {"language": "PYTHON", "code": "secret"}},
                {"functionResponse": {"name": "f", "response": {"status": "secret"}}},
                {"functionCall": {"name": "f", "args": {"id": "secret"}}},
            ]},
            "finishReason": "STOP", "groundingMetadata": {"webSearchQueries": ["secret", "", "secret too"]},
        }],
        "usageMetadata": {
            "promptTokenCount": 6, "candidatesTokenCount": 5, "totalTokenCount": 11, "trafficType": "ON_DEMAND_FLEX",
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}],
        },
        "modelVersion": "gemini-2.5-pro", "responseId": "r",
    });
    let mut pruned = Vec::new();
    assert!(crate::prune::prune_json(body.to_string().as_bytes(), &mut pruned));
    assert!(!String::from_utf8_lossy(&pruned).contains("secret"));
    let (whole, bare) =
        (read_response(&body).unwrap(), read_response(&serde_json::from_slice(&pruned).unwrap()).unwrap());
    assert_eq!(whole.usage.input_audio_tokens, Some(6));
    let facts = |call: Exchange| {
        (
            call.usage,
            call.finish_reasons,
            call.response_model,
            call.response_id,
            call.service_tier,
            call.provider,
        )
    };
    assert_eq!(facts(bare), facts(whole));
    let chunks = [serde_json::from_slice(&pruned).unwrap(), serde_json::from_slice(&pruned).unwrap()];
    assert_eq!(stream(&chunks).usage.web_searches, Some(2));
}
