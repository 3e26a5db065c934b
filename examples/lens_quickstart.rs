//! Inside a model on day one: a small one that comes with `llmtrace-lens` answers a question that it never saw, and shows how.
//!
//! It knows that Dallas is in Texas and that the capital of Texas is Austin, but was never told the two together. The program
//! prints the answer, what the model would have said after each layer, what happens when Oakland's run is patched in, and which
//! words moved the answer; all the pictures go to `lens-report.html`. No network, no files to fetch.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::time::Instant;

use llmtrace_lens::Toy;
use llmtrace_lens::inspect::Inspection;

const PROMPT: &str = "the capital of the state containing Dallas is";
const BESIDE: &str = "the capital of the state containing Oakland is";
const PAGE: &str = "lens-report.html";

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let model = Toy::Relu.load()?;
    let seen = Inspection::new(&model, PROMPT).beside(BESIDE).run()?;

    println!("{PROMPT} {} (probability {:.3})\n", seen.answer.token.text, seen.answer.probability);

    println!("What the model would say at the last word:");
    for (place, guess) in seen.path() {
        println!("  {place:14} {:12} {:.3}", guess.token.text, guess.probability);
    }

    if let (Some(beside), Some((layer, position, share))) = (&seen.beside, seen.strongest_patch()) {
        let other = model.token_text(beside.tokens[position]);
        let (answer, instead) = (&seen.answer.token.text, &beside.answer.token.text);
        println!("\nThe state at the word Dallas, before layer {layer}, put in from the run of {other}:");
        println!("  {:.0} % of the way from {answer} to {instead}", share * 100.0);
    }

    println!("\nWhat each word did to the log-probability of {}:", seen.answer.token.text);
    for part in &seen.attribution.parts {
        println!("  {:12} {:+.2}", part.text.trim(), part.value);
    }

    seen.page()?.write(PAGE)?;
    println!("\n{PAGE} shows all of it. {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
