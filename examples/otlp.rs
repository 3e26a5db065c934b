//! An agent's traces over OTLP, to any backend that takes it: the `OpenTelemetry` Collector, Phoenix, MLflow, Tempo, ...
//!
//! ```sh
//! cargo run -p llmtrace-examples --example otlp
//! ```
//!
//! Works offline: a stand-in on 127.0.0.1 prints what arrives. With `OTEL_EXPORTER_OTLP_ENDPOINT` set it sends there, as the
//! standard variables say.

use std::env;
use std::sync::LazyLock;
use std::time::Duration;

use llmtrace::llm_trace;
use llmtrace_exporters::{Otlp, Profile};
use serde_json::{Value, json};

#[path = "support/backend.rs"]
mod backend;
#[path = "support/loopback.rs"]
mod loopback;

type Error = Box<dyn std::error::Error>;

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

#[llm_trace(provider = "openai", model = "gpt-4o-mini")]
async fn ask(question: &str) -> Result<Value, Error> {
    let messages = json!([{"role": "user", "content": question}]);
    let request = HTTP.post(format!("{}/chat/completions", loopback::url()?));
    Ok(request.json(&json!({"model": "gpt-4o-mini", "messages": messages})).send().await?.json().await?)
}

#[llm_trace(kind = "tool")]
fn search(query: &str) -> Vec<&'static str> {
    let notes = ["Air scatters short waves more than long ones.", "Blue light has short waves."];
    if query.contains("sky") { notes.to_vec() } else { Vec::new() }
}

#[llm_trace(kind = "agent", session = session)]
async fn answer(session: &str, question: &str) -> Result<String, Error> {
    let notes = search(question).join(" ");
    let response = ask(&format!("{notes} {question}")).await?;
    Ok(response["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned())
}

fn otlp() -> Result<Otlp, Error> {
    if env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() {
        return Ok(Otlp::from_env()?);
    }
    let url = backend::start(&["gen_ai."])?;
    // For Phoenix, `.profile(Profile::Phoenix)`; for one that wants a key, `.header("authorization", "Bearer ...")`.
    Ok(Otlp::new(&url)?.profile(Profile::Standard))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let folder = env::temp_dir().join("llmtrace-example-otlp");
    // What cannot be delivered now waits on disk, at most 100 MB of it, and is delivered by the next run.
    let otlp = otlp()?.spool(&folder, 100_000_000)?;
    println!("Traces go to {}\n", otlp.endpoint());
    let tracing = llmtrace::builder().service_name("guide").exporter(otlp).install()?;
    println!("{}\n", answer("session-1", "Why is the sky blue?").await?);
    tracing.shutdown(Duration::from_secs(10))?;
    let stats = tracing.stats();
    let exporter = stats.exporters.first().ok_or("there is one exporter")?;
    println!("{} of {} spans delivered, {} on disk", exporter.exported, exporter.started, exporter.spooled);
    println!("{} spans of earlier runs delivered", exporter.replayed);
    Ok(())
}
