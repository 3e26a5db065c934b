//! An agent whose model runs on this machine: what happens inside the model stands in the trace of the program around it.
//!
//! The trace is printed as a tree and written to `lens-traces.jsonl`; the tensors that were asked for go to a file beside
//! it, to which the span of the answer refers.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::time::Duration;

use llmtrace::llm_trace;
use llmtrace_exporters::{JsonLines, Stdout};
use llmtrace_lens::generate::Stop;
use llmtrace_lens::trace::{Artifacts, Detail};
use llmtrace_lens::{Hooks, LoadError, Model, Toy};

type Error = Box<dyn std::error::Error + Send + Sync>;

static MODEL: LazyLock<Result<Model, LoadError>> = LazyLock::new(|| Toy::Relu.load());

/// Finds the city that a question is about, then asks the model.
#[llm_trace(kind = "agent", session = session)]
fn assist(session: &str, question: &str) -> Result<String, Error> {
    let city = find_city(question).ok_or("no city in the question")?;
    capital_for(&city)
}

#[llm_trace(kind = "tool")]
fn find_city(question: &str) -> Option<String> {
    let word = question.split_whitespace().last()?;
    Some(word.trim_end_matches('?').to_owned())
}

/// The model's own span, its passes, blocks and findings stand below this one.
#[llm_trace(kind = "workflow")]
fn capital_for(city: &str) -> Result<String, Error> {
    let model = MODEL.as_ref()?;
    let generator = model
        .generator()
        .stop(Stop::after(1))
        .detail(Detail::Layers)
        .artifacts(Artifacts::in_folder("lens-tensors"));
    let mut kept = Hooks::new().keep("blocks.*.attn.hook_pattern");
    let prompt = format!("the capital of the state containing {city} is");
    let answer = generator.run_with(&prompt, &mut kept, |_| ControlFlow::Continue(()))?;
    Ok(answer.text.trim().to_owned())
}

fn main() -> Result<(), Error> {
    let tracing = llmtrace::builder()
        .service_name("lens-in-app")
        .exporter(Stdout::tree())
        .exporter(JsonLines::create("lens-traces.jsonl")?)
        .install()?;
    let answer = assist("session-1", "What is the capital of the state of Dallas?")?;
    tracing.shutdown(Duration::from_secs(5))?;
    println!("{answer}; lens-traces.jsonl holds the trace, lens-tensors/ the attention of every head");
    Ok(())
}
