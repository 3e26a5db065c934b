//! An agent's traces in Langfuse: session, user, tags, tokens, cost, a link to a prompt, and a score.
//!
//! ```sh
//! cargo run -p llmtrace-examples --example langfuse
//! ```
//!
//! Works offline: a stand-in on 127.0.0.1 prints what arrives. With `LANGFUSE_PUBLIC_KEY` and `LANGFUSE_SECRET_KEY` set
//! (and `LANGFUSE_BASE_URL`, if it is not the EU cloud) it sends to Langfuse.

use std::env;
use std::sync::LazyLock;
use std::time::Duration;

use llmtrace::{SpanExt as _, llm_trace, semconv};
use llmtrace_exporters::Langfuse;
use serde_json::{Value, json};
use tracing::Span;

#[path = "support/backend.rs"]
mod backend;
#[path = "support/loopback.rs"]
mod loopback;

type Error = Box<dyn std::error::Error>;

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

#[llm_trace(provider = "openai", model = "gpt-4o-mini")]
async fn ask(question: &str) -> Result<Value, Error> {
    // The prompt's name and version in Langfuse: the generation is listed there.
    Span::current().set_attribute(semconv::PROMPT_NAME, "explain-simply");
    Span::current().set_attribute(semconv::PROMPT_VERSION, 3);
    let messages = json!([{"role": "user", "content": question}]);
    let request = HTTP.post(format!("{}/chat/completions", loopback::url()?));
    Ok(request.json(&json!({"model": "gpt-4o-mini", "messages": messages})).send().await?.json().await?)
}

#[llm_trace(kind = "agent", session = session, user = "user-7", tags = ["science"])]
async fn answer(session: &str, question: &str) -> Result<String, Error> {
    let response = ask(question).await?;
    let text = response["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
    // A judgement of your own: a check, a model, a reader's thumb.
    Span::current().score("is-short", if text.len() < 200 { 1.0 } else { 0.0 });
    Ok(text)
}

fn langfuse() -> Result<Langfuse, Error> {
    if env::var_os("LANGFUSE_PUBLIC_KEY").is_some() {
        return Ok(Langfuse::from_env()?);
    }
    let url =
        backend::start(&["langfuse.", "session.id", "user.id", "gen_ai.response.model", "gen_ai.input"])?;
    Ok(Langfuse::new(&url, "pk-lf-example", "sk-lf-example")?)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let langfuse = langfuse()?;
    println!("Traces go to {}\n", langfuse.endpoint());
    let tracing =
        llmtrace::builder().service_name("guide").environment("staging").exporter(langfuse).install()?;
    println!("{}\n", answer("session-1", "Why is the sky blue?").await?);
    tracing.shutdown(Duration::from_secs(10))?;
    let stats = tracing.stats();
    let exporter = stats.exporters.first().ok_or("there is one exporter")?;
    println!("{} of {} spans delivered", exporter.exported, exporter.started);
    Ok(())
}
