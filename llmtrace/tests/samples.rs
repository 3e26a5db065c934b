//! Responses written by hand, one folder an API: `tests/samples/<api>/<name>.<form>`.
//!
//! `.json` is a whole response, or a stream where it is a list; `.sse`, `.ndjson` and `.bin` (AWS event-stream
//! frames) are streams; `request*.json` is a request. A name with `error` in it is of a call that failed, one with
//! `no_usage` of a call whose usage nobody states; all others state theirs, and end.

#![expect(clippy::unwrap_used, reason = "a test outside the crate")]

#[path = "support/frames.rs"]
mod frames;
#[path = "support/streams.rs"]
mod streams;

use std::path::{Path, PathBuf};

use llmtrace::UsageStatus;
use llmtrace::provider::{Api, Exchange, StreamAssembler, read_request, read_response, read_response_as};
use serde_json::Value;

struct Sample {
    /// Its path below the samples.
    name: String,
    api: Api,
    body: Vec<u8>,
    form: Form,
}

enum Form {
    Request(Value),
    Whole(Value),
    Stream,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for folder in entries(&folder()) {
        let api: Api = folder.file_name().unwrap().to_str().unwrap().parse().unwrap();
        for path in entries(&folder) {
            let file = path.file_name().unwrap().to_str().unwrap();
            let name = format!("{api}/{file}");
            let body = std::fs::read(&path).unwrap();
            let form = match path.extension().unwrap().to_str().unwrap() {
                "json" => match serde_json::from_slice(&body).unwrap() {
                    Value::Array(_) => Form::Stream,
                    json if file.starts_with("request") => Form::Request(json),
                    json => Form::Whole(json),
                },
                "sse" | "ndjson" | "bin" => Form::Stream,
                _ => panic!("{name}: expected .json, .sse, .ndjson or .bin"),
            };
            samples.push(Sample { name, api, body, form });
        }
    }
    for api in Api::ALL {
        assert!(samples.iter().any(|sample| sample.api == *api), "no sample of {api}");
    }
    samples
}

fn check_read(sample: &Sample, detected: Option<Exchange>, named: &Exchange) {
    let name = &sample.name;
    let detected = detected.unwrap_or_else(|| panic!("{name} is not recognised"));
    assert_eq!(detected.api, Some(sample.api), "{name}");
    assert_eq!(detected, *named, "{name}");
    assert!(named.operation.is_some(), "{name}");
    let status = named.usage.status;
    if name.contains("error") {
        assert!(named.error.is_some() && status != UsageStatus::Complete, "{name}: {status}");
    } else if name.contains("no_usage") {
        assert_eq!((status, &named.error), (UsageStatus::Missing, &None), "{name}");
    } else {
        assert_eq!((status, &named.error), (UsageStatus::Complete, &None), "{name}");
    }
}

#[test]
fn every_sample_is_told_and_read() {
    for sample in samples() {
        match &sample.form {
            Form::Request(json) => {
                let read = read_request(json).and_then(|request| request.api);
                assert_eq!(read, Some(sample.api), "{}", sample.name);
            }
            Form::Whole(json) => {
                check_read(&sample, read_response(json), &read_response_as(sample.api, json));
            }
            Form::Stream => {
                let detected = StreamAssembler::detect().push(&sample.body).finish();
                let whole = streams::read(sample.api, &sample.body);
                let states_reason = !matches!(sample.api, Api::OpenAiImages | Api::OpenAiAudio);
                let is_answer = !whole.output.is_empty() && whole.finish_reasons.is_empty() != states_reason;
                assert!(is_answer || whole.error.is_some(), "{}", sample.name);
                check_read(&sample, Some(detected), &whole);
            }
        }
    }
}

#[test]
fn a_whole_response_in_place_of_a_stream_reads_the_same() {
    for sample in samples() {
        if let Form::Whole(json) = &sample.form {
            let whole = read_response_as(sample.api, json);
            assert_eq!(streams::read(sample.api, &sample.body), whole, "{}", sample.name);
        }
    }
}

#[test]
fn the_cut_of_the_chunks_changes_nothing() {
    for sample in samples() {
        if matches!(sample.form, Form::Stream | Form::Whole(_)) {
            streams::check_chunks(&sample.name, sample.api, &sample.body);
        }
    }
}

#[test]
fn a_stream_cut_early_claims_no_more_than_it_knows() {
    for sample in samples() {
        if matches!(sample.form, Form::Stream | Form::Whole(_)) {
            streams::check_early_ends(&sample.name, sample.api, &sample.body);
        }
    }
}

/// The `.bin` files, by what is in them. With `LLMTRACE_WRITE_SAMPLES` set they are written anew.
#[test]
fn the_frames_are_as_they_are_built() {
    for (name, frames) in built() {
        let path = folder().join(name);
        if std::env::var_os("LLMTRACE_WRITE_SAMPLES").is_some() {
            std::fs::write(&path, frames.concat()).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), frames.concat(), "{name}");
    }
}

fn built() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    use frames::{chunk, event, exception};
    let start = || event("messageStart", r#"{"p":"abcd","role":"assistant"}"#);
    let text = |text: &str| {
        let payload = format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}},"p":"abcdefgh"}}"#);
        event("contentBlockDelta", &payload)
    };
    let tool = |payload: &str| event("contentBlockDelta", payload);
    let metrics = r#""amazon-bedrock-invocationMetrics":{"inputTokenCount":14,"outputTokenCount":6,"invocationLatency":701,"firstByteLatency":312}"#;
    vec![
        (
            "bedrock_converse/stream.bin",
            vec![
                start(),
                text("I look up"),
                text(" the weather."),
                event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
                event(
                    "contentBlockStart",
                    r#"{"contentBlockIndex":1,"start":{"toolUse":{"name":"weather","toolUseId":"tooluse_1"}}}"#,
                ),
                tool(r#"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"city\":"}}}"#),
                tool(r#"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"\"Bern\"}"}}}"#),
                event("contentBlockStop", r#"{"contentBlockIndex":1}"#),
                event("messageStop", r#"{"stopReason":"tool_use"}"#),
                event(
                    "metadata",
                    r#"{"metrics":{"latencyMs":812},"usage":{"inputTokens":21,"outputTokens":34,"totalTokens":1279,"cacheReadInputTokens":1024,"cacheWriteInputTokens":200,"cacheDetails":[{"ttl":"1h","inputTokens":200}]}}"#,
                ),
            ],
        ),
        (
            "bedrock_converse/stream_error.bin",
            vec![
                start(),
                text("I look"),
                exception(
                    "modelStreamErrorException",
                    r#"{"message":"The model ended the stream.","originalStatusCode":424}"#,
                ),
            ],
        ),
        (
            "bedrock_invoke/titan_stream.bin",
            vec![
                chunk(
                    r#"{"outputText":"It is ","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":14}"#,
                ),
                chunk(&format!(
                    r#"{{"outputText":"blue.","index":0,"totalOutputTextTokenCount":6,"completionReason":"FINISH","inputTextTokenCount":14,{metrics}}}"#
                )),
            ],
        ),
        (
            "bedrock_invoke/llama_stream.bin",
            vec![
                chunk(
                    r#"{"generation":"It is ","prompt_token_count":14,"generation_token_count":1,"stop_reason":null}"#,
                ),
                chunk(
                    r#"{"generation":"blue.","prompt_token_count":null,"generation_token_count":5,"stop_reason":null}"#,
                ),
                chunk(&format!(
                    r#"{{"generation":"","prompt_token_count":null,"generation_token_count":6,"stop_reason":"stop",{metrics}}}"#
                )),
            ],
        ),
        (
            "anthropic_messages/bedrock_stream.bin",
            vec![
                chunk(
                    r#"{"type":"message_start","message":{"id":"msg_bdrk_01","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":14,"cache_creation_input_tokens":0,"cache_read_input_tokens":900,"output_tokens":1}}}"#,
                ),
                chunk(
                    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                ),
                chunk(
                    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"It is blue."}}"#,
                ),
                chunk(r#"{"type":"content_block_stop","index":0}"#),
                chunk(
                    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":6}}"#,
                ),
                chunk(&format!(r#"{{"type":"message_stop",{metrics}}}"#)),
            ],
        ),
    ]
}
