//! The answer that a program gets through the middleware is the one it gets without.

use std::error::Error;
use std::time::Duration;

use futures::StreamExt as _;
use llmtrace::integrations::reqwest_middleware::LlmTrace;
use llmtrace::testing::Recording;
use llmtrace::{Status, semconv};
use llmtrace_integrations::bodies::{CHAT, CHAT_EVENTS};
use llmtrace_integrations::{End, Reply, Server, split};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::middleware::run;

/// The client twice: without the middleware and with it.
fn both(configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> [ClientWithMiddleware; 2] {
    let client = configure(reqwest::Client::builder()).build().unwrap();
    [ClientBuilder::new(client.clone()).build(), ClientBuilder::new(client).with(LlmTrace::new()).build()]
}

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

async fn send(client: &ClientWithMiddleware, server: &Server) -> reqwest::Response {
    client.post(server.url("/v1/chat/completions?x=1#f")).body(BODY).send().await.unwrap()
}

#[test]
fn answers_are_the_same() {
    let check = |reply: fn() -> Reply| {
        let server = Server::start(move |_| reply()).unwrap();
        let recording = Recording::start();
        let [plain, traced] = run(&recording, async {
            let mut seen = Vec::new();
            for client in both(|client| client) {
                let answer = send(&client, &server).await;
                let mut headers = answer.headers().clone();
                headers.remove("date");
                let head = format!(
                    "{:?} {:?} {:?} {:?}",
                    (answer.status(), answer.version(), headers, answer.url()),
                    (answer.content_length(), answer.remote_addr()),
                    answer.error_for_status_ref().err().map(|error| error.to_string()),
                    answer.extensions().len(),
                );
                seen.push(format!("{head} {:?}", answer.bytes().await));
            }
            <[String; 2]>::try_from(seen).unwrap()
        });
        assert_eq!(plain, traced);
        assert_eq!(recording.spans().len(), 1);
    };
    check(|| Reply::json(CHAT).header("x-one", "1").header("x-one", "2"));
    check(|| Reply::json(CHAT).status("503 Busy today"));
    check(|| Reply::json(""));
    check(|| Reply::events(CHAT_EVENTS));
    check(|| Reply::whole("image/png", "\u{1}"));
}

#[test]
fn trailers_pass() {
    let server = Server::start(|_| {
        let end = End::Trailer("x-checksum: 7");
        Reply::pieces("text/event-stream", split(CHAT_EVENTS, "\n\n"), end).header("trailer", "x-checksum")
    })
    .unwrap();
    let recording = Recording::start();
    let trailers = run(&recording, async {
        let mut seen = Vec::new();
        for client in both(|client| client) {
            let answer = client.post(server.url("/v1/chat/completions")).header("te", "trailers").body(BODY);
            let mut body = reqwest::Body::from(answer.send().await.unwrap());
            let mut trailers = None;
            while let Some(frame) =
                std::future::poll_fn(|cx| http_body::Body::poll_frame(std::pin::Pin::new(&mut body), cx))
                    .await
            {
                trailers = frame.unwrap().into_trailers().ok().or(trailers);
            }
            seen.push(trailers);
        }
        seen
    });
    assert_eq!(trailers[0], trailers[1]);
    assert!(trailers[1].as_ref().is_some_and(|trailers| trailers["x-checksum"] == "7"), "{trailers:?}");
}

/// The chain of an error, from the outside in.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut chain = Vec::new();
    let mut error = Some(error);
    while let Some(inner) = error {
        chain.push(inner.to_string());
        error = inner.source();
    }
    chain
}

#[test]
fn errors_of_the_body_are_the_same_to_who_asks_them() {
    let server = Server::start(|_| {
        let mut events = split(CHAT_EVENTS, "\n\n");
        events.truncate(2);
        Reply::pieces("text/event-stream", events, End::Break)
    })
    .unwrap();
    let recording = Recording::start();
    let [plain, traced] = run(&recording, async {
        let mut errors = Vec::new();
        for client in both(|client| client) {
            errors.push(send(&client, &server).await.bytes().await.unwrap_err());
        }
        <[reqwest::Error; 2]>::try_from(errors).unwrap()
    });
    let asked = |error: &reqwest::Error| {
        (error.is_body(), error.is_decode(), error.is_timeout(), error.is_request(), error.url().cloned())
    };
    assert_eq!(asked(&plain), asked(&traced));
    assert_eq!(plain.to_string(), traced.to_string());
    // What is the cause stays the cause.
    assert_eq!(chain(&plain).last(), chain(&traced).last());
    let span = &recording.spans()[0];
    assert!(matches!(&span.status, Status::Error { .. }), "{span:?}");
    assert_eq!(span.attributes.get_str(semconv::ERROR_TYPE), Some("body"));
    assert_eq!(span.cost(), None);
}

#[test]
fn timeouts_are_timeouts() {
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    let (_keep_too, wait_too) = std::sync::mpsc::channel::<()>();
    let waits = std::sync::Mutex::new(vec![wait, wait_too]);
    let server = Server::start(move |_| {
        let mut events = split(CHAT_EVENTS, "\n\n");
        events.truncate(2);
        Reply::pieces("text/event-stream", events, End::Wait(waits.lock().unwrap().pop().unwrap()))
    })
    .unwrap();
    let recording = Recording::start();
    let errors = run(&recording, async {
        let mut errors = Vec::new();
        for client in both(|client| client.read_timeout(Duration::from_millis(100))) {
            let mut body = send(&client, &server).await.bytes_stream();
            // A body that timed out does so again each time it is asked.
            errors.push(loop {
                if let Err(error) = body.next().await.unwrap() {
                    break error;
                }
            });
        }
        errors
    });
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(reqwest::Error::is_timeout), "{errors:?}");
    assert_eq!(recording.spans()[0].attributes.get_str(semconv::ERROR_TYPE), Some("timeout"));
}

#[test]
fn nothing_is_read_ahead() {
    let (keep, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(Some(wait));
    let server = Server::start(move |_| {
        let end = wait.lock().unwrap().take().map_or(End::Whole, End::Wait);
        Reply::pieces("text/event-stream", split("data: {\"choices\":[]}\n\n", "\n\n"), end)
    })
    .unwrap();
    let recording = Recording::start();
    run(&recording, async {
        let [_, client] = both(|client| client);
        let mut answer = send(&client, &server).await;
        // The first piece comes while the second one is never sent.
        assert!(answer.chunk().await.unwrap().is_some());
    });
    drop(keep);
    assert_eq!(recording.spans().len(), 1);
}
