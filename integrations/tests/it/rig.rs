//! rig: its own spans, with nothing written; the middleware adds what they leave out.

use llmtrace::testing::Recording;
use llmtrace::{ObservationKind, SpanRecord, llm_trace};
use llmtrace_integrations::Server;
use rig::completion::CompletionRequest;
use rig::providers::openai::{OpenAI, OpenAIConfig};
use rig::rig_reqwest::{ReqwestClient, ReqwestMiddlewareClient};

use crate::middleware::{self, run};
use crate::plain_reqwest::openai_server;

fn config(server: &Server) -> OpenAIConfig {
    OpenAIConfig::new("sk-SECRET").with_base_url(server.url("/v1"))
}

async fn call(client: &OpenAI) {
    client.chat("gpt-4o-mini").call(CompletionRequest::new("hi")).await.unwrap();
}

async fn stream(client: &OpenAI) {
    let stream = client.chat("gpt-4o-mini").stream(CompletionRequest::new("hi")).unwrap();
    // Drained item by item, without `finish`, rig records no counts.
    stream.finish().await.unwrap();
}

fn has_the_counts(span: &SpanRecord) {
    assert_eq!((span.kind, span.provider()), (ObservationKind::Generation, Some("openai")));
    let usage = span.usage();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens),
        (Some(1000), Some(100), Some(200)),
        "{span:?}"
    );
    assert_eq!(span.cost().map(|cost| cost.to_string()).as_deref(), Some("0.000195"), "{span:?}");
}

#[test]
fn its_own_spans_carry_model_tokens_and_cost() {
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, async {
        let client = config(&server).connect(ReqwestClient::default());
        call(&client).await;
        stream(&client).await;
    });
    let spans = recording.spans();
    assert_eq!(spans.len(), 2, "{}", recording.tree());
    spans.iter().for_each(has_the_counts);
    // Messages are recorded on request of the program's only, and the first chunk is not.
    assert!(spans.iter().all(|span| span.output.is_empty() && span.time_to_first_chunk().is_none()));
}

#[test]
fn the_middleware_adds_messages_and_first_chunk_to_them() {
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, async {
        let client = config(&server).connect(ReqwestMiddlewareClient::from(middleware::client()));
        call(&client).await;
        stream(&client).await;
    });
    let spans = recording.spans();
    assert_eq!(spans.len(), 2, "{}", recording.tree());
    for span in &spans {
        has_the_counts(span);
        assert_eq!((span.input[0].text(), span.output[0].text()), ("hi".into(), "Hello there".into()));
    }
    assert_eq!(
        spans.iter().map(|span| span.time_to_first_chunk().is_some()).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(recording.guard().usage().total().input_tokens, 2000);
}

#[test]
fn a_traced_function_around_it_counts_nothing_again() {
    #[llm_trace(kind = "workflow", skip(client))]
    async fn ask(client: &OpenAI) -> String {
        call(client).await;
        "done".to_owned()
    }
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, async {
        ask(&config(&server).connect(ReqwestMiddlewareClient::from(middleware::client()))).await;
    });
    let span = recording.span("chat");
    has_the_counts(&span);
    assert_eq!(span.parent_span_id, Some(recording.span("ask").span_id));
    assert_eq!(recording.span("ask").usage().input_tokens, None);
    assert_eq!(recording.guard().usage().total().input_tokens, 1000);
}
