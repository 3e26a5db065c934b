//! Calls inside a function that is traced itself: counted once.

use futures::StreamExt as _;
use llmtrace::testing::Recording;
use llmtrace::{Value, llm_trace, semconv};
use llmtrace_integrations::bodies::{CHAT, EMBEDDINGS, RATE_LIMIT};
use llmtrace_integrations::{Reply, Server};
use serde_json::{Value as Json, json};

use crate::middleware::{attribute, chats, is_the_chat, only, post, question, run, streamed};

#[test]
fn a_call_inside_a_traced_function_is_that_functions() {
    #[llm_trace(provider = "openai", skip(server))]
    async fn ask(server: &Server, question: &str) -> String {
        let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": question}]});
        let answer = post(server, "/v1/chat/completions", &body).send().await.unwrap();
        let answer: Json = answer.json().await.unwrap();
        answer["choices"][0]["message"]["content"].as_str().unwrap().to_uppercase()
    }
    let server = Server::start(|_| Reply::json(CHAT)).unwrap();
    let recording = Recording::start();
    run(&recording, ask(&server, "hi"));
    let span = only(&recording);
    is_the_chat(&span);
    assert_eq!((&*span.name, span.provider()), ("ask", Some("openai")));
    assert_eq!(attribute(&span, semconv::ARGUMENTS), r#"{"question":"hi"}"#);
}

#[test]
fn what_a_traced_function_returns_of_the_same_call_is_not_counted_again() {
    #[llm_trace]
    async fn whole(server: &Server) -> Json {
        post(server, "/v1/chat/completions", &question()).send().await.unwrap().json().await.unwrap()
    }
    #[llm_trace]
    async fn stream(server: &Server) -> impl futures::Stream<Item = reqwest::Result<bytes::Bytes>> {
        post(server, "/v1/chat/completions", &streamed()).send().await.unwrap().bytes_stream()
    }
    #[llm_trace]
    async fn head(server: &Server) -> reqwest::Response {
        post(server, "/v1/chat/completions", &question()).send().await.unwrap()
    }
    let server = chats();
    let recording = Recording::start();
    run(&recording, async {
        whole(&server).await;
        stream(&server).await.collect::<Vec<_>>().await;
        head(&server).await.bytes().await.unwrap();
    });
    let spans = recording.spans();
    assert_eq!(spans.iter().map(|span| &*span.name).collect::<Vec<_>>(), ["whole", "stream", "head"]);
    spans.iter().for_each(is_the_chat);
    assert_eq!(recording.guard().usage().total().input_tokens, 3000);
}

#[test]
fn a_second_call_inside_a_traced_function_has_a_span_of_its_own() {
    #[llm_trace]
    async fn ask_twice(server: &Server) -> String {
        for _ in 0..2 {
            post(server, "/v1/chat/completions", &question()).send().await.unwrap().bytes().await.unwrap();
        }
        "done".to_owned()
    }
    let server = Server::start(|_| Reply::json(CHAT)).unwrap();
    let recording = Recording::start();
    run(&recording, ask_twice(&server));
    assert_eq!(
        recording.tree().lines().map(|line| line.trim().split(" [").next().unwrap()).collect::<Vec<_>>(),
        ["ask_twice", "chat gpt-4o-mini"]
    );
    recording.spans().iter().for_each(is_the_chat);
}

#[test]
fn a_retry_inside_a_traced_function_is_the_same_call() {
    #[llm_trace]
    async fn ask(server: &Server) -> String {
        loop {
            let answer = post(server, "/v1/chat/completions", &question()).send().await.unwrap();
            if answer.status().is_success() {
                return answer.text().await.unwrap();
            }
        }
    }
    let attempts = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |_| match attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Reply::json(RATE_LIMIT).status("429 Too Many Requests"),
        _ => Reply::json(CHAT),
    })
    .unwrap();
    let recording = Recording::start();
    run(&recording, ask(&server));
    let span = only(&recording);
    is_the_chat(&span);
    let events: Vec<_> = span.events.iter().map(|event| event.attributes.get_str("exception.type")).collect();
    assert_eq!(events, [Some("429")]);
}

#[test]
fn calls_of_agents_and_searches_beside_a_model_call_stand_alone() {
    #[llm_trace(kind = "agent")]
    async fn agent(server: &Server) {
        post(server, "/v1/chat/completions", &question()).send().await.unwrap().bytes().await.unwrap();
    }
    #[llm_trace(model = "gpt-4o-mini")]
    async fn with_context(server: &Server) -> String {
        let body = json!({"model": "text-embedding-3-small", "input": "hi"});
        post(server, "/v1/embeddings", &body).send().await.unwrap().bytes().await.unwrap();
        post(server, "/v1/chat/completions", &question()).send().await.unwrap().text().await.unwrap()
    }
    let server = Server::start(|request| match &*request.target {
        "/v1/embeddings" => Reply::json(EMBEDDINGS),
        _ => Reply::json(CHAT),
    })
    .unwrap();
    let recording = Recording::start();
    run(&recording, async {
        agent(&server).await;
        with_context(&server).await;
    });
    let of_agent = recording.span("chat gpt-4o-mini");
    is_the_chat(&of_agent);
    assert_eq!(of_agent.parent_span_id, Some(recording.span("agent").span_id));
    is_the_chat(&recording.span("with_context"));
    assert_eq!(recording.span("embeddings text-embedding-3-small").usage().input_tokens, Some(8));
    assert_eq!(recording.spans().len(), 4);
}

#[test]
fn plain_spans_between_the_function_and_its_call_are_looked_through() {
    #[llm_trace]
    async fn ask(server: &Server) -> String {
        use tracing::Instrument as _;
        let call = post(server, "/v1/chat/completions", &question()).send();
        let hidden = tracing::debug_span!("hidden");
        let answer = call.instrument(hidden).instrument(tracing::info_span!("http")).await.unwrap();
        answer.text().await.unwrap()
    }
    let server = Server::start(|_| Reply::json(CHAT)).unwrap();
    let recording = Recording::start();
    run(&recording, ask(&server));
    is_the_chat(&recording.span("ask"));
    assert_eq!(recording.spans().len(), 1, "{}", recording.tree());
    assert_eq!(
        recording.span("ask").attributes.get(semconv::REQUEST_MODEL),
        Some(&Value::from("gpt-4o-mini"))
    );
}
