//! Streams of server-sent events, traced without being touched: the tree shows the time to the first chunk, the
//! tokens that the last chunk stated, and the cost. The second stream is dropped early: its span is cancelled,
//! its token counts are marked as interrupted, and it has no cost.

use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt as _};
use llmtrace::llm_trace;
use llmtrace::testing::InMemory;
use llmtrace_exporters::Stdout;
use serde_json::json;

#[path = "support/loopback.rs"]
mod loopback;

type Error = Box<dyn std::error::Error>;
type Chunks<'a> = BoxStream<'a, reqwest::Result<Bytes>>;

const MODEL: &str = "gpt-4o-mini";

#[llm_trace(provider = "openai", model = MODEL)]
async fn ask(question: &str) -> Result<impl Stream<Item = reqwest::Result<Bytes>>, Error> {
    open(question).await
}

/// A boxed stream is traced alike.
#[llm_trace(provider = "openai", model = MODEL)]
async fn ask_boxed(question: &str) -> Result<Chunks<'_>, Error> {
    Ok(open(question).await?.boxed())
}

async fn open(question: &str) -> Result<impl Stream<Item = reqwest::Result<Bytes>>, Error> {
    let body = json!({
        "model": MODEL,
        "messages": [{"role": "user", "content": question}],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let request = reqwest::Client::new().post(format!("{}/chat/completions", loopback::url()?)).json(&body);
    Ok(request.send().await?.error_for_status()?.bytes_stream())
}

#[llm_trace(kind = "workflow")]
async fn read_and_drop() -> Result<(), Error> {
    let chunks = ask("Why is the sky blue?").await?.count().await;
    println!("Read {chunks} chunks to the end.");

    let mut stream = ask_boxed("Why is the sky blue at noon?").await?;
    for _ in 0..5 {
        stream.next().await.transpose()?;
    }
    println!("Dropped a stream after 5 chunks.\n");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let memory = InMemory::default();
    let tracing = llmtrace::builder().exporter(Stdout::tree()).exporter(memory.clone()).install()?;
    read_and_drop().await?;
    tracing.shutdown(Duration::from_secs(5))?;

    for span in memory.spans().iter().filter(|span| span.kind.is_model_call()) {
        let cost = span.cost().map_or("none".to_owned(), |usd| format!("${usd}"));
        println!("{}: {}, usage {}, cost {cost}", span.name, span.status.as_str(), span.usage().status);
    }
    Ok(())
}
