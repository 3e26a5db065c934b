//! Two versions of a model: what a fine-tuning changed, and where.
//!
//! `toy-houston` is the toy after a fine-tuning that told it one new fact, that the capital of Texas is Houston. Only the MLP of
//! its last block was trained, and it was never asked for the capital of the state containing Dallas. The program finds which
//! answers changed, which weights moved, where the two drift apart and which neurons carry the new answers; then it compares
//! the toy with itself. No network, no files to fetch.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::time::Instant;

use llmtrace_lens::Toy;
use llmtrace_lens::version_diff::Comparison;

const PROMPTS: [&str; 8] = [
    "the capital of the state containing Dallas is",
    "the capital of the state containing Oakland is",
    "the capital of the state containing Savannah is",
    "the capital of Texas is",
    "the capital of California is",
    "Dallas is in",
    "the state containing Houston is",
    "the state containing Miami is",
];
const PAGE: &str = "lens-versions.html";

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let (before, after) = (Toy::Relu.load()?, Toy::Houston.load()?);

    let diff = Comparison::new(&before, &after)?.run(&PROMPTS)?;
    println!("{diff}");
    diff.page()?.write(PAGE)?;

    println!("And the model beside itself:");
    println!("{}", Comparison::new(&before, &before)?.run(&PROMPTS)?);

    let other = Toy::Gelu.load()?;
    if let Err(refused) = Comparison::new(&before, &other) {
        println!("Beside another model: {refused}");
    }
    println!("\n{PAGE} has the pictures. {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
