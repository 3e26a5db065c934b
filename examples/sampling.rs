//! A hundred answers, of which few are worth keeping: those that failed, those that were slow or dear, and every tenth of
//! the rest. Prints which traces were kept and why, and that everything was counted all the same.

use std::thread::sleep;
use std::time::Duration;

use llmtrace::testing::InMemory;
use llmtrace::{Sampler, SpanRecord, Usage, llm_trace};

type Error = Box<dyn std::error::Error>;

const SLOW: Duration = Duration::from_millis(50);
const DEAR: f64 = 0.10;
const SHARE: f64 = 0.1;

/// Stands for a model call; llmtrace knows the price of the model.
#[llm_trace(provider = "openai", model = "gpt-4o", usage = |_ret| Usage::new(tokens, 200))]
fn ask(question: u32, tokens: u64) -> Result<String, Error> {
    match question {
        25 | 75 => Err("429: too many requests".into()),
        50 => {
            sleep(SLOW);
            Ok("at last".to_owned())
        }
        _ => Ok("at once".to_owned()),
    }
}

#[llm_trace(kind = "agent", name = format!("question {question}"))]
fn answer(question: u32) -> String {
    let tokens = if question == 90 { 60_000 } else { 1_000 };
    ask(question, tokens).unwrap_or_else(|_| "Please ask again later.".to_owned())
}

/// Why a trace was kept, told from its spans.
fn reason(sampler: &Sampler, trace: &[&SpanRecord], root: &SpanRecord) -> &'static str {
    let cost: f64 = trace.iter().filter_map(|span| span.cost()).map(llmtrace::Usd::to_f64).sum();
    if trace.iter().any(|span| span.status.is_error()) {
        "failed"
    } else if root.duration() > SLOW {
        "slow"
    } else if cost > DEAR {
        "dear"
    } else if sampler.samples(root.trace_id) {
        "one of ten"
    } else {
        "unknown"
    }
}

fn main() -> Result<(), Error> {
    let sampler = Sampler::ratio(SHARE).keep_errors().keep_slower_than(SLOW).keep_costlier_than(DEAR);
    let memory = InMemory::default();
    let tracing = llmtrace::builder().sampler(sampler).exporter(memory.clone()).install()?;
    for question in 1..=100 {
        answer(question);
    }
    let report = tracing.shutdown(Duration::from_secs(5))?;

    let spans = memory.spans();
    for root in spans.iter().filter(|span| span.is_local_root()) {
        let trace: Vec<_> = spans.iter().filter(|span| span.trace_id == root.trace_id).collect();
        println!("{:<13} kept with {} spans: {}", root.name, trace.len(), reason(&sampler, &trace, root));
    }
    let total = tracing.usage().total();
    println!("\nCounted: {} calls, {} of them failed, ${}.", total.calls, total.errors, total.cost);
    for exporter in &report.exporters {
        let dropped = exporter.dropped_total();
        println!(
            "Of {} spans, {} were exported and {dropped} sampled out.",
            exporter.started, exporter.exported
        );
    }
    Ok(())
}
