//! Configuration from a file: `llmtrace.toml`, beside this file, says where spans go, and the program says nothing of
//! it. Before that, a file with mistakes, to see how they are told.

use std::fs;
use std::time::Duration;

use llmtrace::{Usage, llm_trace};
use llmtrace_exporters::Config;

type Error = Box<dyn std::error::Error>;

const WITH_MISTAKES: &str = r#"service_name = "support-bot"
contnt = "omit"
queue_bytes = "32 M"

[[exporter]]
type = "jsonl"
path = "app.jsonl"
rotate_byte = "64 MiB"

[[exporter]]
type = "langfuse"
host = "https://cloud.langfuse.com"
public_key = "pk-lf-1"
secret_key = { env = "A_KEY_THAT_NOBODY_SET" }
"#;

#[llm_trace(provider = "openai", model = "gpt-4o-mini-2024-07-18", usage = |_ret| Usage::new(1000, 100))]
fn ask(question: &str) -> String {
    format!("An answer to: {question}")
}

#[llm_trace(kind = "agent", session = "session-1")]
fn answer(question: &str) -> String {
    ask(question)
}

fn show_mistakes() -> Result<(), Error> {
    let path = std::env::temp_dir().join("llmtrace-with-mistakes.toml");
    fs::write(&path, WITH_MISTAKES)?;
    if let Err(error) = Config::from_file(&path) {
        println!("A file with mistakes is refused at start, with all of them:\n\n{error}\n");
    }
    Ok(fs::remove_file(&path)?)
}

fn main() -> Result<(), Error> {
    show_mistakes()?;

    // `llmtrace_exporters::install()` takes the file that LLMTRACE_CONFIG names, or the standard variables.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/llmtrace.toml");
    let tracing = Config::from_file(file)?.install()?;
    println!("As {file} says, a trace is printed and appended to traces/app.jsonl beside it:\n");
    answer("Why is the sky blue?");
    for exporter in tracing.shutdown(Duration::from_secs(5))?.exporters {
        println!("{}: {} spans exported", exporter.name, exporter.exported);
    }
    Ok(())
}
