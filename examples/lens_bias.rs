//! A bias probe on two models whose weights are known: one takes an occupation from a first name, the other knows as much and does not.
//!
//! Prompts differ in the name alone. The program prints how differently names of men and of women are answered, with an interval and what chance
//! would do, and which heads and neurons carry the difference; then the same of the control. No network, no files.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use llmtrace_lens::Model;
use llmtrace_lens::bias::{Attribute, CarrierSearch, Continuation, Probe};
use llmtrace_lens::handmade::Biased;

const TEMPLATES: [&str; 3] = ["my neighbour {} works as a", "today {} became a", "says that {} is a"];
const TARGETS: [&str; 2] = ["doctor/nurse", "teacher"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("== A model that takes the occupation from the name\n");
    probe(&Biased::model(7)?)?;
    println!("== Its control, which knows the gender and uses it for nothing\n");
    probe(&Biased::control(7)?)
}

fn probe(model: &Model) -> Result<(), Box<dyn Error>> {
    let names = [("men", Biased::men().to_vec()), ("women", Biased::women().to_vec())];
    let probe = Probe::new(TEMPLATES, Attribute::unpaired(names))?;
    let targets: Result<Vec<Continuation>, _> =
        TARGETS.iter().map(|text| Continuation::parse(text)).collect();
    let report = probe.run_model(model, &targets?)?;
    println!("{report}");

    let comparison = &report.comparisons[0];
    println!("{}", CarrierSearch::new(&probe, model).run(comparison)?);

    if !comparison.is_established {
        return Ok(());
    }
    let target = Continuation::parse(&comparison.target)?;
    let words = probe.words(&comparison.first, &comparison.second, |prompt| target.score(model, prompt))?;
    println!("Words that the difference needs, in {:?}:\n{}\n", TEMPLATES[0], words[0]);
    Ok(())
}
