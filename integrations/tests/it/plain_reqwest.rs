//! reqwest alone: one attribute on the function that sends.

use futures::{Stream, StreamExt as _};
use llmtrace::testing::Recording;
use llmtrace::{ObservationKind, SpanRecord, Status, UsageStatus, llm_trace};
use llmtrace_integrations::bodies::{CHAT, CHAT_EVENTS, EMBEDDINGS, RESPONSE};
use llmtrace_integrations::{Reply, Server};
use serde_json::{Value, json};

use crate::middleware::run;

/// A server that speaks `OpenAI`'s API.
pub(crate) fn openai_server() -> Server {
    Server::start(|request| match (&*request.target, request.json()["stream"] == true) {
        ("/v1/embeddings", _) => Reply::json(EMBEDDINGS),
        ("/v1/responses", false) => Reply::json(RESPONSE),
        ("/v1/chat/completions", true) if request.json()["stream_options"]["include_usage"] == true => {
            Reply::events(CHAT_EVENTS)
        }
        ("/v1/chat/completions", false) => Reply::json(CHAT),
        (target, _) => Reply::json(format!("{target}?")).status("404 Not Found"),
    })
    .unwrap()
}

/// Model, tokens, cost and messages of the call that the server's bodies tell.
pub(crate) fn is_the_chat(span: &SpanRecord) {
    let usage = span.usage();
    assert_eq!((span.kind, &span.status), (ObservationKind::Generation, &Status::Ok), "{span:?}");
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(1000), Some(100)), "{span:?}");
    assert_eq!((usage.cache_read_tokens, usage.status), (Some(200), UsageStatus::Complete), "{span:?}");
    // 800 at 0.15, 200 at 0.075 and 100 at 0.60 USD a million.
    assert_eq!(span.cost().map(|cost| cost.to_string()).as_deref(), Some("0.000195"), "{span:?}");
    assert_eq!((span.input[0].text(), span.output[0].text()), ("hi".into(), "Hello there".into()));
}

#[llm_trace(skip(server))]
async fn ask(server: &Server, request: &Value) -> reqwest::Result<Value> {
    let answer = reqwest::Client::new().post(server.url("/v1/chat/completions")).json(request).send().await?;
    answer.json().await
}

#[llm_trace(skip(server))]
async fn stream(
    server: &Server,
    request: &Value,
) -> reqwest::Result<impl Stream<Item = reqwest::Result<bytes::Bytes>>> {
    let answer = reqwest::Client::new().post(server.url("/v1/chat/completions")).json(request).send().await?;
    Ok(answer.bytes_stream())
}

#[test]
fn an_attribute_reads_what_it_returns() {
    let server = openai_server();
    let recording = Recording::start();
    let mut request = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]});
    run(&recording, async {
        ask(&server, &request).await.unwrap();
        request["stream"] = true.into();
        request["stream_options"] = json!({"include_usage": true});
        stream(&server, &request).await.unwrap().collect::<Vec<_>>().await;
    });
    is_the_chat(&recording.span("ask"));
    is_the_chat(&recording.span("stream"));
    assert!(recording.span("stream").time_to_first_chunk().is_some());
}
