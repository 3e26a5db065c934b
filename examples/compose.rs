//! llmtrace beside a log: `fmt` prints the program's events, filtered by `RUST_LOG`, and the same spans become a
//! trace. The filter belongs to the log's layer alone, so that a quiet log does not cost the trace its
//! spans; try `RUST_LOG=debug`.

use std::time::Duration;

use llmtrace::{Usage, llm_trace};
use llmtrace_exporters::Stdout;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::prelude::*;

type Error = Box<dyn std::error::Error>;

#[llm_trace(provider = "openai", model = "gpt-4o-mini", usage = |_ret| Usage::new(1200, 80))]
fn summarise(text: &str) -> String {
    tracing::debug!(bytes = text.len(), "asking");
    tracing::warn!("the text is long");
    text.chars().take(20).collect()
}

fn handle(request: u32) -> String {
    let _entered = tracing::info_span!("handle", request).entered();
    tracing::info!("handling");
    summarise("A long text about the colour of the sky.")
}

fn main() -> Result<(), Error> {
    let (llm, tracing) = llmtrace::builder().service_name("compose").exporter(Stdout::tree()).build();
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("warn"))?;
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_filter(filter))
        .with(llm)
        .try_init()?;

    println!("{}", handle(7));
    tracing.shutdown(Duration::from_secs(5))?;
    Ok(())
}
