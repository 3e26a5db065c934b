//! Answers of every API through the middleware: with their texts, and where texts are left out.

use std::path::Path;

use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, SpanRecord, UsageStatus, semconv};
use llmtrace_integrations::{End, Reply, Server};

use crate::middleware::{client, run};

const CHAT: &str =
    r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"stream":true}"#;
const INPUT: &str = r#"{"model":"m","input":"hi"}"#;

/// Where an API's samples are answered from, and with what request. Cohere's and Mistral's are told by their hosts, which a
/// server on 127.0.0.1 has not.
const CALLS: [(&str, &str, &str); 12] = [
    ("anthropic_messages", "/v1/messages", CHAT),
    ("bedrock_converse", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream", "{}"),
    ("bedrock_invoke", "/model/amazon.titan-text-express-v1/invoke-with-response-stream", "{}"),
    ("gemini_embed", "/v1beta/models/m:embedContent", "{}"),
    ("gemini_generate", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "{}"),
    ("ollama_chat", "/api/chat", CHAT),
    ("ollama_embed", "/api/embed", INPUT),
    ("openai_audio", "/v1/audio/transcriptions", "--boundary"),
    ("openai_chat", "/v1/chat/completions", CHAT),
    ("openai_completions", "/v1/completions", r#"{"model":"m","prompt":"hi"}"#),
    ("openai_images", "/v1/images/generations", r#"{"model":"m","prompt":"hi"}"#),
    ("openai_responses", "/v1/responses", INPUT),
];

fn media(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("sse") => "text/event-stream",
        Some("ndjson") => "application/x-ndjson",
        Some("bin") => "application/vnd.amazon.eventstream",
        _ => "application/json",
    }
}

/// What is recorded of an answer that comes in pieces of 100 bytes.
fn record(path: &str, request: &'static str, file: &Path, content: ContentPolicy) -> SpanRecord {
    let (media, body) = (media(file), std::fs::read(file).unwrap());
    let sent = body.clone();
    let server = Server::start(move |_| {
        Reply::pieces(media, sent.chunks(100).map(<[u8]>::to_vec).collect(), End::Whole)
    })
    .unwrap();
    let recording = Recording::with(|builder| builder.content(content));
    let passed = run(&recording, async {
        let answer = client().post(server.url(path)).body(request).send().await.unwrap();
        answer.bytes().await.unwrap()
    });
    assert!(passed == body, "{}", file.display());
    let spans = recording.spans();
    assert_eq!(spans.len(), 1, "{}: {}", file.display(), recording.tree());
    spans[0].clone()
}

#[test]
fn answers_of_every_api_are_read_with_and_without_their_texts() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../llmtrace/tests/samples");
    let mut read = 0;
    for (api, path, request) in CALLS {
        for file in std::fs::read_dir(samples.join(api)).unwrap() {
            let file = file.unwrap().path();
            if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("request")) {
                continue;
            }
            let kept = record(path, request, &file, ContentPolicy::Keep);
            assert_eq!(kept.attributes.get_str(semconv::API), Some(api), "{}", file.display());
            let is_known = kept.usage().status != UsageStatus::Missing
                || kept.status.is_error()
                || !kept.output.is_empty();
            assert!(is_known, "{}: {kept:?}", file.display());
            let omitted = record(path, request, &file, ContentPolicy::Omit);
            assert_eq!(omitted.usage(), kept.usage(), "{}", file.display());
            assert!(omitted.input.is_empty() && omitted.output.is_empty(), "{}", file.display());
            read += 1;
        }
    }
    assert!(read > 20, "{read}");
}
