//! ollama-rs: one attribute.

use futures::StreamExt as _;
use llmtrace::llm_trace;
use llmtrace::testing::Recording;
use llmtrace_integrations::bodies::{OLLAMA, OLLAMA_LINES};
use llmtrace_integrations::{Reply, Server};
use ollama_rs::Ollama;
use ollama_rs::error::OllamaError;
use ollama_rs::generation::chat::request::ChatMessageRequest;
use ollama_rs::generation::chat::{ChatMessage, ChatMessageResponse, ChatMessageResponseStream};

use crate::middleware::run;

fn server() -> Server {
    Server::start(|request| {
        if request.json()["stream"] == true { Reply::lines(OLLAMA_LINES) } else { Reply::json(OLLAMA) }
    })
    .unwrap()
}

fn question() -> ChatMessageRequest {
    ChatMessageRequest::new("llama3.2".to_owned(), vec![ChatMessage::user("hi".to_owned())])
}

#[llm_trace(provider = "ollama", skip(client))]
async fn ask(client: &Ollama, request: ChatMessageRequest) -> Result<ChatMessageResponse, OllamaError> {
    client.send_chat_messages(request).await
}

#[llm_trace(provider = "ollama", skip(client))]
async fn stream(
    client: &Ollama,
    request: ChatMessageRequest,
) -> Result<ChatMessageResponseStream, OllamaError> {
    client.send_chat_messages_stream(request).await
}

#[test]
fn an_attribute_reads_what_it_returns() {
    // The reader of Ollama's own API tells its shape; without it there is nothing to hold this to.
    if "ollama_chat".parse::<llmtrace::provider::Api>().is_err() {
        return;
    }
    let server = server();
    let recording = Recording::start();
    run(&recording, async {
        let client = Ollama::builder().host("http://127.0.0.1").port(server.address().port()).build();
        ask(&client, question()).await.unwrap();
        stream(&client, question()).await.unwrap().collect::<Vec<_>>().await;
    });
    for name in ["ask", "stream"] {
        let span = recording.span(name);
        let usage = span.usage();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(26), Some(7)), "{span:?}");
        assert_eq!(span.output[0].text(), "Hello there", "{span:?}");
        assert_eq!((span.cost(), span.time_to_first_chunk().is_some()), (None, name == "stream"));
    }
}
