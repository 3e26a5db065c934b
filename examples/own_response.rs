//! What a client crate does for its own types: `LlmResponse` says what a response holds, `LlmChunk` what an item
//! of a stream holds. A function that returns such a type, or a stream of such items, then needs only
//! `#[llm_trace]`: model, text, tokens and cost are in the tree.

use std::time::Duration;

use futures::stream::{self, Stream, StreamExt as _};
use llmtrace::{LlmChunk, LlmResponse, Recorder, Usage, llm_trace};
use llmtrace_exporters::Stdout;

type Error = Box<dyn std::error::Error>;

/// A response of the client crate; it needs neither `Serialize` nor `Debug`.
struct Completion {
    model: &'static str,
    text: String,
    read_tokens: u64,
    written_tokens: u64,
}

impl LlmResponse for Completion {
    fn record(&self, recorder: &mut Recorder<'_>) {
        recorder.response_model(self.model);
        recorder.text(&self.text);
        recorder.usage(&Usage::new(self.read_tokens, self.written_tokens));
    }
}

/// An item of the client crate's stream: pieces of text, then the counts.
enum Delta {
    Text(&'static str),
    End { read_tokens: u64, written_tokens: u64 },
}

impl LlmChunk for Delta {
    fn record(&self, recorder: &mut Recorder<'_>) {
        match self {
            Self::Text(text) => recorder.chunk_body(text.as_bytes()),
            Self::End { read_tokens, written_tokens } => {
                recorder.usage(&Usage::new(*read_tokens, *written_tokens));
            }
        }
    }
}

#[llm_trace(provider = "anthropic", model = "claude-haiku-4-5")]
fn complete(prompt: &str) -> Result<Completion, Error> {
    let text = format!("You said: {prompt}");
    Ok(Completion { model: "claude-haiku-4-5-20251001", text, read_tokens: 12, written_tokens: 40 })
}

#[llm_trace(provider = "anthropic", model = "claude-haiku-4-5")]
fn stream(prompt: &str) -> impl Stream<Item = Result<Delta, Error>> + use<> {
    let end = Delta::End { read_tokens: 12, written_tokens: prompt.len() as u64 };
    stream::iter([Delta::Text("You "), Delta::Text("said it."), end].map(Ok))
}

#[llm_trace(kind = "workflow")]
async fn both() -> Result<(), Error> {
    println!("{}", complete("hello")?.text);
    println!("{} pieces\n", stream("hello again").count().await);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let tracing = llmtrace::builder().exporter(Stdout::tree()).install()?;
    both().await?;
    tracing.shutdown(Duration::from_secs(5))?;
    Ok(())
}
