//! async-openai: one attribute, or its HTTP service through the middleware.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionResponseStream, ChatCompletionStreamOptions,
    CreateChatCompletionRequest, CreateChatCompletionRequestArgs, CreateChatCompletionResponse,
};
use async_openai::types::embeddings::CreateEmbeddingRequestArgs;
use async_openai::types::responses::{CreateResponseArgs, Response};
use futures::StreamExt as _;
use llmtrace::llm_trace;
use llmtrace::testing::Recording;
use llmtrace_integrations::Server;

use crate::middleware::{self, run};
use crate::plain_reqwest::{is_the_chat, openai_server};

fn plain(server: &Server) -> Client<OpenAIConfig> {
    let config = OpenAIConfig::new().with_api_base(server.url("/v1")).with_api_key("sk-SECRET");
    Client::with_config(config)
}

/// What a program writes so that all calls of a client are traced.
fn traced(server: &Server) -> Client<OpenAIConfig> {
    let http = middleware::client();
    plain(server).with_http_service(tower::service_fn(move |request: HttpRequestFactory| {
        let http = http.clone();
        async move {
            let request = request.build().await?;
            http.execute(request).await.map_err(|error| OpenAIError::Boxed(error.into()))
        }
    }))
}

fn question() -> CreateChatCompletionRequest {
    let message = ChatCompletionRequestUserMessage::from("hi");
    CreateChatCompletionRequestArgs::default()
        .model("gpt-4o-mini")
        .messages([message.into()])
        .build()
        .unwrap()
}

#[llm_trace(skip(client))]
async fn ask(
    client: &Client<OpenAIConfig>,
    request: CreateChatCompletionRequest,
) -> Result<CreateChatCompletionResponse, OpenAIError> {
    client.chat().create(request).await
}

#[llm_trace(skip(client))]
async fn stream(
    client: &Client<OpenAIConfig>,
    request: CreateChatCompletionRequest,
) -> Result<ChatCompletionResponseStream, OpenAIError> {
    client.chat().create_stream(request).await
}

#[llm_trace(skip(client))]
async fn respond(client: &Client<OpenAIConfig>) -> Result<Response, OpenAIError> {
    let request = CreateResponseArgs::default().model("gpt-4o-mini").input("hi").build()?;
    client.responses().create(request).await
}

#[test]
fn an_attribute_reads_what_it_returns() {
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, async {
        let client = plain(&server);
        ask(&client, question()).await.unwrap();
        let mut request = question();
        request.stream_options =
            Some(ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None });
        stream(&client, request).await.unwrap().collect::<Vec<_>>().await;
        respond(&client).await.unwrap();
    });
    for name in ["ask", "stream", "respond"] {
        let span = recording.span(name);
        if name == "respond" {
            // The request is made inside the function: what was asked is not seen.
            assert_eq!(
                (span.usage().input_tokens, span.output[0].text()),
                (Some(1000), "Hello there".into())
            );
        } else {
            is_the_chat(&span);
        }
        assert_eq!(span.time_to_first_chunk().is_some(), name == "stream", "{name}");
    }
    assert_eq!(recording.spans().len(), 3);
}

#[test]
fn the_middleware_reads_what_it_sends_and_gets() {
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, async {
        let client = traced(&server);
        client.chat().create(question()).await.unwrap();
        // The usage is asked for.
        client.chat().create_stream(question()).await.unwrap().collect::<Vec<_>>().await;
        let request = CreateResponseArgs::default().model("gpt-4o-mini").input("hi").build().unwrap();
        client.responses().create(request).await.unwrap();
        let request = CreateEmbeddingRequestArgs::default()
            .model("text-embedding-3-small")
            .input("hi")
            .build()
            .unwrap();
        client.embeddings().create(request).await.unwrap();
    });
    let spans = recording.spans();
    assert_eq!(spans.len(), 4, "{}", recording.tree());
    spans[..3].iter().for_each(is_the_chat);
    assert_eq!(
        spans.iter().map(|span| span.time_to_first_chunk().is_some()).collect::<Vec<_>>(),
        [false, true, false, false]
    );
    assert_eq!(
        (&*spans[3].name, spans[3].usage().input_tokens),
        ("embeddings text-embedding-3-small", Some(8))
    );
}

#[test]
fn both_together_count_once() {
    let server = openai_server();
    let recording = Recording::start();
    run(&recording, async {
        let client = traced(&server);
        ask(&client, question()).await.unwrap();
        stream(&client, question()).await.unwrap().collect::<Vec<_>>().await;
        respond(&client).await.unwrap();
    });
    let spans = recording.spans();
    assert_eq!(spans.iter().map(|span| &*span.name).collect::<Vec<_>>(), ["ask", "stream", "respond"]);
    spans.iter().for_each(is_the_chat);
    assert_eq!(recording.guard().usage().total().input_tokens, 3000);
}
