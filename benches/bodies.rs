//! Bodies to read: made ones, and recorded ones where there are recordings.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A name and bodies that are measured together.
pub type Group = (String, Vec<Vec<u8>>);

const SENTENCE: &str =
    "The sky is blue because shorter wavelengths of sunlight are scattered more by the air. ";

/// Sentences of a short, and of a long answer.
const SENTENCES: [usize; 2] = [4, 200];

/// Whole responses.
pub fn whole() -> Vec<Group> {
    let mut groups = Vec::new();
    for sentences in SENTENCES {
        let text = SENTENCE.repeat(sentences);
        groups.push((format!("chat completion, {sentences} sentences"), vec![chat(&text)]));
        groups.push((format!("Anthropic message, {sentences} sentences"), vec![anthropic(&text)]));
    }
    groups.extend(recorded("recorded responses", false));
    groups
}

/// Streams of server-sent events.
pub fn streams() -> Vec<Group> {
    let mut groups = Vec::new();
    for sentences in SENTENCES {
        let words: Vec<String> = SENTENCE.repeat(sentences).split_inclusive(' ').map(str::to_owned).collect();
        groups.push((format!("chat completion stream, {} words", words.len()), vec![chat_stream(&words)]));
        groups.push((format!("Anthropic stream, {} words", words.len()), vec![anthropic_stream(&words)]));
    }
    groups.extend(recorded("recorded streams", true));
    groups
}

fn chat(text: &str) -> Vec<u8> {
    json!({
        "id": "chatcmpl-BxyzAbCdEfGhIjKlMnOp", "object": "chat.completion", "created": 1_763_800_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "logprobs": null, "finish_reason": "stop",
            "message": {"role": "assistant", "content": text, "refusal": null, "annotations": []}}],
        "usage": {"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280,
            "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}},
        "service_tier": "default", "system_fingerprint": "fp_34a54ae93c",
    })
    .to_string()
    .into_bytes()
}

fn anthropic(text: &str) -> Vec<u8> {
    json!({
        "id": "msg_01AbCdEfGhIjKlMnOpQrStUv", "type": "message", "role": "assistant",
        "model": "claude-sonnet-4-5-20250929", "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 12, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 80, "service_tier": "standard"},
    })
    .to_string()
    .into_bytes()
}

fn chat_stream(words: &[String]) -> Vec<u8> {
    let chunk = |choices: Value, usage: Value| {
        json!({"id": "chatcmpl-BxyzAbCdEfGhIjKlMnOp", "object": "chat.completion.chunk", "created": 1_763_800_000,
            "model": "gpt-4o-mini-2024-07-18", "service_tier": "default", "system_fingerprint": "fp_34a54ae93c",
            "choices": choices, "usage": usage})
    };
    let delta = |delta: Value, reason: Value| {
        chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}]), Value::Null)
    };
    let mut items = vec![delta(json!({"role": "assistant", "content": ""}), Value::Null)];
    items.extend(words.iter().map(|word| delta(json!({ "content": word }), Value::Null)));
    items.push(delta(json!({}), json!("stop")));
    items.push(chunk(
        json!([]),
        json!({"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280}),
    ));
    let events: Vec<String> = items.iter().map(|item| format!("data: {item}\n\n")).collect();
    [events.concat(), "data: [DONE]\n\n".to_owned()].concat().into_bytes()
}

fn anthropic_stream(words: &[String]) -> Vec<u8> {
    let mut items = vec![
        json!({"type": "message_start", "message": {"id": "msg_01AbCdEfGhIjKlMnOpQrStUv", "type": "message",
            "role": "assistant", "model": "claude-sonnet-4-5-20250929", "content": [], "stop_reason": null,
            "usage": {"input_tokens": 12, "cache_read_input_tokens": 2000, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    ];
    items.extend(words.iter().map(|word| {
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}})
    }));
    items.push(json!({"type": "content_block_stop", "index": 0}));
    items.push(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
        "usage": {"output_tokens": 80}}));
    items.push(json!({"type": "message_stop"}));
    let event =
        |item: &Value| format!("event: {}\ndata: {item}\n\n", item["type"].as_str().unwrap_or_default());
    items.iter().map(event).collect::<String>().into_bytes()
}

/// The recordings in the folder that `LLMTRACE_FIXTURES` names, else in `../../shared/fixtures`; none where it is absent.
fn recorded(name: &str, streams: bool) -> Option<Group> {
    let named = std::env::var_os("LLMTRACE_FIXTURES").map(PathBuf::from);
    let root = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures"));
    let folders = std::fs::read_dir(root.join("provider-responses")).ok()?.filter_map(Result::ok);
    let files =
        folders.filter_map(|folder| std::fs::read_dir(folder.path()).ok()).flatten().filter_map(Result::ok);
    let mut bodies = Vec::new();
    for file in files {
        let recording: Value = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
        let body = recording["response"]["body"].as_str().unwrap_or_default();
        let is_text = recording["response"]["body_encoding"] != "base64";
        let is_events = body.contains("data:") && !body.starts_with('{');
        if is_text && recording["stream"] == streams && is_events == streams && !body.is_empty() {
            bodies.push(body.as_bytes().to_vec());
        }
    }
    (!bodies.is_empty()).then(|| (format!("{name} ({})", bodies.len()), bodies))
}
