//! An exporter of one's own: it adds up what each model cost, and prints a table when the program ends. It runs
//! on a thread of its own and may block; the traced program never waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use llmtrace::{ExportError, Exporter, SpanRecord, Usage, Usd, llm_trace};

type Error = Box<dyn std::error::Error>;

/// Calls, tokens in, tokens out and cost of each model.
#[derive(Default)]
struct ByModel(BTreeMap<String, Row>);

#[derive(Default)]
struct Row {
    calls: u64,
    unpriced: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost: Usd,
}

impl Exporter for ByModel {
    fn name(&self) -> &'static str {
        "by-model"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        for span in batch.iter().filter(|span| span.kind.is_model_call()) {
            let row = self.0.entry(span.model().unwrap_or("unknown").to_owned()).or_default();
            let usage = span.usage();
            row.calls += 1;
            row.input_tokens += usage.input_tokens.unwrap_or(0);
            row.output_tokens += usage.output_tokens.unwrap_or(0);
            match span.cost() {
                Some(cost) => row.cost += cost,
                None => row.unpriced += 1,
            }
        }
        Ok(())
    }

    fn shutdown(&mut self) -> Result<(), ExportError> {
        println!("{:<20} {:>5} {:>8} {:>8}  {:<12}", "model", "calls", "in", "out", "USD");
        for (model, Row { calls, unpriced, input_tokens, output_tokens, cost }) in &self.0 {
            let known = if *unpriced > 0 { format!("{unpriced} without a price") } else { cost.to_string() };
            println!("{model:<20} {calls:>5} {input_tokens:>8} {output_tokens:>8}  {known:<12}");
        }
        Ok(())
    }
}

/// Stands for a model call: what it returns and uses is made up.
#[llm_trace(model = model, usage = |_ret| Usage::new(1000, 50))]
fn ask(model: &str, question: &str) -> String {
    format!("{model} was asked: {question}")
}

fn main() -> Result<(), Error> {
    let tracing = llmtrace::builder().exporter(ByModel::default()).install()?;
    for model in ["gpt-4o-mini", "claude-sonnet-4-5", "gpt-4o-mini", "my-own-model"] {
        ask(model, "Why is the sky blue?");
    }
    tracing.shutdown(Duration::from_secs(5))?;
    Ok(())
}
