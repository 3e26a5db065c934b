//! An agent looks something up, asks a model over HTTP, and answers. The trace is printed as a tree with times,
//! tokens and cost, and written to `traces.jsonl` in the current folder.
//!
//! Works offline against a stand-in on 127.0.0.1; with `OPENAI_API_KEY` set it asks `OpenAI`.

use std::env;
use std::sync::LazyLock;
use std::time::Duration;

use llmtrace::llm_trace;
use llmtrace_exporters::{JsonLines, Stdout};
use serde_json::{Value, json};

#[path = "support/loopback.rs"]
mod loopback;

type Error = Box<dyn std::error::Error>;

const MODEL: &str = "gpt-4o-mini";

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// One model call: the answer is returned as it came, and llmtrace reads tokens, model and text from it.
#[llm_trace(provider = "openai", model = MODEL)]
async fn ask(prompt: &str) -> Result<Value, Error> {
    let (url, key) = match env::var("OPENAI_API_KEY") {
        Ok(key) => ("https://api.openai.com/v1", key),
        Err(_) => (loopback::url()?, String::new()),
    };
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": prompt}]});
    let request = HTTP.post(format!("{url}/chat/completions")).bearer_auth(key).json(&body);
    Ok(request.send().await?.error_for_status()?.json().await?)
}

#[llm_trace(kind = "tool")]
fn search(query: &str) -> Vec<&'static str> {
    let notes = ["Air scatters short waves more than long ones.", "Blue light has short waves."];
    if query.contains("sky") { notes.to_vec() } else { Vec::new() }
}

#[llm_trace(kind = "agent", session = session_id)]
async fn answer(session_id: &str, question: &str) -> Result<String, Error> {
    let notes = search(question).join("\n");
    let response = ask(&format!("{notes}\n\n{question}")).await?;
    let text = response["choices"][0]["message"]["content"].as_str();
    Ok(text.ok_or("the answer has no text")?.to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let tracing = llmtrace::builder()
        .service_name("quickstart")
        .exporter(Stdout::tree())
        .exporter(JsonLines::create("traces.jsonl")?)
        .install()?;
    println!("{}\n", answer("session-1", "Why is the sky blue?").await?);
    tracing.shutdown(Duration::from_secs(5))?;
    println!("The same spans are in traces.jsonl, one line of JSON each.");
    Ok(())
}
