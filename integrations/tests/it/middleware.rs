//! What the middleware records.

use futures::StreamExt as _;
use llmtrace::integrations::reqwest_middleware::LlmTrace;
use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, ObservationKind, SpanRecord, Status, Usage, UsageStatus, semconv};
use llmtrace_integrations::bodies::{CHAT, CHAT_EVENTS, EMBEDDINGS, MESSAGE, RATE_LIMIT};
use llmtrace_integrations::{End, Reply, Server, split};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value as Json, json};
use tracing::instrument::WithSubscriber as _;

pub(crate) fn client() -> ClientWithMiddleware {
    client_with(LlmTrace::new())
}

fn client_with(middleware: LlmTrace) -> ClientWithMiddleware {
    // As most programs have it: other tests' clients switch the feature on.
    let client = reqwest::Client::builder().no_gzip().build().unwrap();
    ClientBuilder::new(client).with(middleware).build()
}

/// A server that answers each chat with the same words, as a stream where it is asked to.
pub(crate) fn chats() -> Server {
    Server::start(|request| {
        if request.json()["stream"] == true { Reply::events(CHAT_EVENTS) } else { Reply::json(CHAT) }
    })
    .unwrap()
}

pub(crate) fn question() -> Json {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]})
}

pub(crate) fn streamed() -> Json {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], "stream": true})
}

/// Runs a future whose spans are recorded.
pub(crate) fn run<R>(recording: &Recording, body: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The whole runtime, so that what is dropped by it is seen too.
    recording.run(|| runtime.block_on(body.with_current_subscriber()))
}

pub(crate) fn post(server: &Server, path: &str, body: &Json) -> reqwest_middleware::RequestBuilder {
    client().post(server.url(path)).bearer_auth("sk-SECRET").json(body)
}

pub(crate) fn attribute(span: &SpanRecord, key: &str) -> String {
    span.attributes.get(key).map(|value| serde_json::to_string(value).unwrap()).unwrap_or_default()
}

pub(crate) fn only(recording: &Recording) -> SpanRecord {
    let spans = recording.spans();
    assert_eq!(spans.len(), 1, "{}", recording.tree());
    spans[0].clone()
}

pub(crate) fn is_the_chat(span: &SpanRecord) {
    assert_eq!((span.kind, &span.status), (ObservationKind::Generation, &Status::Ok));
    assert_eq!(span.attributes.get_str(semconv::RESPONSE_MODEL), Some("gpt-4o-mini-2024-07-18"));
    let usage = span.usage();
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(1000), Some(100)));
    assert_eq!((usage.cache_read_tokens, usage.status), (Some(200), UsageStatus::Complete));
    // 800 at 0.15, 200 at 0.075 and 100 at 0.60 USD a million.
    assert_eq!(span.cost().unwrap().to_string(), "0.000195");
    assert_eq!((span.input[0].text(), span.output[0].text()), ("hi".into(), "Hello there".into()));
}

#[test]
fn a_call_is_recorded_with_no_other_change() {
    let server = Server::start(|_| Reply::json(CHAT)).unwrap();
    let recording = Recording::start();
    let body = run(&recording, async {
        let url = server.url("/v1/chat/completions?key=SECRET").replace("127", "user:SECRET@127");
        let answer = client().post(url).bearer_auth("sk-SECRET").json(&question()).send().await.unwrap();
        answer.text().await.unwrap()
    });
    assert_eq!(body, CHAT);
    let span = only(&recording);
    assert_eq!(span.name, "chat gpt-4o-mini");
    is_the_chat(&span);
    assert_eq!(attribute(&span, semconv::SERVER_ADDRESS), "\"127.0.0.1\"");
    assert_eq!(attribute(&span, semconv::SERVER_PORT), server.address().port().to_string());
    assert_eq!(attribute(&span, semconv::API), "\"openai_chat\"");
    assert_eq!(attribute(&span, semconv::HTTP_RESPONSE_STATUS_CODE), "200");
    assert_eq!(span.time_to_first_chunk(), None);
    assert!(!format!("{span:?}").contains("SECRET"), "{span:?}");
}

#[test]
fn a_stream_is_recorded_as_it_passes_and_its_usage_is_asked_for() {
    let server = Server::start(|_| Reply::events(CHAT_EVENTS)).unwrap();
    let recording = Recording::start();
    let passed = run(&recording, async {
        let mut body =
            post(&server, "/v1/chat/completions", &streamed()).send().await.unwrap().bytes_stream();
        let mut passed = Vec::new();
        while let Some(piece) = body.next().await {
            passed.extend_from_slice(&piece.unwrap());
        }
        passed
    });
    assert_eq!(passed, CHAT_EVENTS.as_bytes());
    let span = only(&recording);
    is_the_chat(&span);
    assert!(span.time_to_first_chunk().is_some());
    let sent = String::from_utf8(server.seen()[0].body.clone()).unwrap();
    let asked = streamed().to_string();
    let expected = format!("{},\"stream_options\":{{\"include_usage\":true}}}}", &asked[..asked.len() - 1]);
    assert_eq!(sent, expected);
}

#[test]
fn the_usage_is_not_asked_for_where_it_shall_not_be() {
    let server = Server::start(|_| Reply::events(CHAT_EVENTS)).unwrap();
    let recording = Recording::start();
    let said =
        json!({"model": "m", "messages": [], "stream": true, "stream_options": {"include_usage": false}});
    run(&recording, async {
        let client = client_with(LlmTrace::new().include_usage(false));
        for (client, body) in [(client, &streamed()), (self::client(), &said), (self::client(), &question())]
        {
            client.post(server.url("/v1/chat/completions")).json(body).send().await.unwrap();
        }
    });
    let sent: Vec<Json> = server.seen().iter().map(llmtrace_integrations::Request::json).collect();
    assert_eq!(sent, [streamed(), said, question()]);
}

#[test]
fn a_program_without_llmtrace_sends_what_it_sends() {
    let server = Server::start(|_| Reply::events(CHAT_EVENTS)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { post(&server, "/v1/chat/completions", &streamed()).send().await.unwrap() });
    assert_eq!(server.seen()[0].json(), streamed());
}

#[test]
fn other_requests_are_not_recorded() {
    let server = Server::start(|_| Reply::json("{}")).unwrap();
    let recording = Recording::start();
    run(&recording, async {
        client().get(server.url("/v1/chat/completions")).send().await.unwrap();
        post(&server, "/v1/messages/count_tokens", &question()).send().await.unwrap();
        post(&server, "/v1/files", &json!({})).send().await.unwrap();
    });
    assert_eq!(recording.tree(), "");
}

#[test]
fn errors_are_recorded_and_passed_on() {
    let server = Server::start(|_| Reply::json(RATE_LIMIT).status("429 Too Many Requests")).unwrap();
    let recording = Recording::start();
    let error = run(&recording, async {
        let read = post(&server, "/v1/chat/completions", &question()).send().await.unwrap();
        assert_eq!(read.text().await.unwrap(), RATE_LIMIT);
        let unread = post(&server, "/v1/chat/completions", &question()).send().await.unwrap();
        unread.error_for_status().unwrap_err()
    });
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    let spans = recording.spans();
    let told: Vec<_> =
        spans.iter().map(|span| (&span.status, attribute(span, semconv::ERROR_TYPE))).collect();
    assert_eq!(told[0], (&Status::error("slow down"), "\"rate_limit_error\"".to_owned()));
    assert_eq!(told[1], (&Status::error("Too Many Requests"), "\"429\"".to_owned()));
    assert!(spans.iter().all(|span| span.cost().is_none() && span.usage() == Usage::default()));
}

#[test]
fn a_call_that_never_arrives_is_an_error_without_the_key() {
    let recording = Recording::start();
    let error = run(&recording, async {
        // Nothing listens on port 1.
        let url = "http://127.0.0.1:1/v1/chat/completions?key=SECRET";
        client().post(url).json(&question()).send().await.unwrap_err()
    });
    assert!(error.is_connect());
    let span = only(&recording);
    assert!(matches!(&span.status, Status::Error { message } if message.contains("/v1/chat/completions")));
    assert_eq!(attribute(&span, semconv::ERROR_TYPE), "\"connect\"");
    assert!(!format!("{span:?}").contains("SECRET"), "{span:?}");
}

#[test]
fn a_dropped_stream_is_cancelled_and_has_no_cost() {
    let (_keep, wait) = std::sync::mpsc::channel();
    let wait = std::sync::Mutex::new(Some(wait));
    let server = Server::start(move |_| {
        let mut events = split(CHAT_EVENTS, "\n\n");
        events.truncate(3);
        let end = wait.lock().unwrap().take().map_or(End::Whole, End::Wait);
        Reply::pieces("text/event-stream", events, end)
    })
    .unwrap();
    let recording = Recording::start();
    run(&recording, async {
        let mut body =
            post(&server, "/v1/chat/completions", &streamed()).send().await.unwrap().bytes_stream();
        let mut passed = Vec::new();
        while !String::from_utf8_lossy(&passed).contains("there") {
            passed.extend_from_slice(&body.next().await.unwrap().unwrap());
        }
    });
    let span = only(&recording);
    assert_eq!((&span.status, span.usage().status), (&Status::Cancelled, UsageStatus::Interrupted));
    assert_eq!((span.cost(), span.output[0].text()), (None, "Hello there".into()));
}

#[test]
fn a_stream_that_is_dropped_after_its_last_event_is_whole() {
    let (_keep, wait) = std::sync::mpsc::channel();
    let wait = std::sync::Mutex::new(Some(wait));
    let server = Server::start(move |_| {
        let end = wait.lock().unwrap().take().map_or(End::Whole, End::Wait);
        Reply::pieces("text/event-stream", split(CHAT_EVENTS, "\n\n"), end)
    })
    .unwrap();
    let recording = Recording::start();
    run(&recording, async {
        let mut body =
            post(&server, "/v1/chat/completions", &streamed()).send().await.unwrap().bytes_stream();
        let mut passed = Vec::new();
        while !passed.ends_with(b"[DONE]\n\n") {
            passed.extend_from_slice(&body.next().await.unwrap().unwrap());
        }
    });
    is_the_chat(&only(&recording));
}

#[test]
fn a_call_that_is_given_up_before_its_answer_is_cancelled() {
    let (keep, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let server = Server::start(move |_| {
        let _ = wait.lock().unwrap().recv();
        Reply::json(CHAT)
    })
    .unwrap();
    let recording = Recording::start();
    run(&recording, async {
        let call = post(&server, "/v1/chat/completions", &question()).send();
        tokio::select! {
            biased;
            _ = call => unreachable!(),
            () = tokio::task::yield_now() => {}
        }
    });
    drop(keep);
    assert_eq!(only(&recording).status, Status::Cancelled);
}

#[test]
fn bodies_that_are_no_text_are_measured_only() {
    let check = |path: &str, reply: fn() -> Reply, omitted: &str, size: &str| {
        let server = Server::start(move |_| reply()).unwrap();
        let recording = Recording::start();
        run(&recording, async {
            post(&server, path, &question()).send().await.unwrap().bytes().await.unwrap();
        });
        let span = only(&recording);
        assert_eq!(attribute(&span, semconv::RESPONSE_BODY_OMITTED), format!("\"{omitted}\""));
        assert_eq!(attribute(&span, semconv::HTTP_RESPONSE_BODY_SIZE), size);
        assert_eq!((span.output.len(), &span.status), (0, &Status::Ok));
    };
    check("/v1/audio/speech", || Reply::whole("audio/mpeg", "\u{1}ID3"), "content-type audio/mpeg", "4");
    check(
        "/v1/chat/completions",
        || Reply::json("\u{1f}zip").header("content-encoding", "gzip"),
        "content-encoding gzip",
        "4",
    );
}

#[test]
fn other_apis_are_read() {
    let server = Server::start(|request| match &*request.target {
        "/v1/messages" => Reply::json(MESSAGE),
        _ => Reply::json(EMBEDDINGS),
    })
    .unwrap();
    let recording = Recording::start();
    run(&recording, async {
        let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
        post(&server, "/v1/messages", &body).send().await.unwrap().bytes().await.unwrap();
        let body = json!({"model": "text-embedding-3-small", "input": "hi"});
        post(&server, "/v1/embeddings", &body).send().await.unwrap().bytes().await.unwrap();
    });
    let message = recording.span("chat claude-sonnet-4-5");
    assert_eq!(message.usage().input_tokens, Some(1000));
    let embedding = recording.span("embeddings text-embedding-3-small");
    assert_eq!((embedding.kind, embedding.usage().input_tokens), (ObservationKind::Embedding, Some(8)));
}

#[test]
fn content_that_shall_be_left_out_is() {
    let server = chats();
    let recording = Recording::with(|builder| builder.content(ContentPolicy::Omit));
    run(&recording, async {
        for body in [question(), streamed()] {
            post(&server, "/v1/chat/completions", &body).send().await.unwrap().bytes().await.unwrap();
        }
    });
    let spans = recording.spans();
    assert_eq!(spans.len(), 2);
    for span in spans {
        assert!(!format!("{span:?}").contains("Hello"), "{span:?}");
        assert_eq!(span.usage().input_tokens, Some(1000));
        assert_eq!(span.cost().unwrap().to_string(), "0.000195");
    }
}
