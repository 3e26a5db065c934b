//! An agent that stops itself: before each step it asks the budget what is left, and it ends when the budget of
//! its session is spent. Prints each step, then what was spent and left.

use llmtrace::{Budget, Usage, Usd, llm_trace};

type Error = Box<dyn std::error::Error>;

/// Stands for a model call; llmtrace knows the price of the model.
#[llm_trace(provider = "openai", model = "gpt-4o", usage = |_ret| Usage::new(8_000, 500))]
fn think(step: u32) -> String {
    format!("step {step} is done")
}

#[llm_trace(kind = "agent", session = session)]
fn research(session: &str, budget: &Budget) -> u32 {
    let mut steps = 0;
    while !budget.check().is_exhausted() {
        steps += 1;
        let answer = think(steps);
        println!("{answer}, ${} spent", budget.check().spent_usd());
    }
    steps
}

fn main() -> Result<(), Error> {
    let limit: Usd = "0.12".parse()?;
    let budget = Budget::usd(limit).per_session();
    let tracing = llmtrace::builder().budget(budget.clone()).install()?;

    let steps = research("session-1", &budget);
    let session = budget.check_session("session-1");
    println!("\nStopped after {steps} steps: ${} of ${limit} spent.", session.spent_usd());
    if let Some(left) = budget.check_session("session-2").usd() {
        println!("Another session has ${left} left.");
    }
    let total = tracing.usage().total();
    println!(
        "All sessions: {} calls, {} tokens in, {} out.",
        total.calls, total.input_tokens, total.output_tokens
    );
    Ok(())
}
