//! One job of `llmtrace-lens` in a process of its own: `lens FOLDER forward|cache|gradient|load TOKENS CALLS`.
//!
//! Prints the CPU time of each call in milliseconds, and at last the peak memory in MiB.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::hint::black_box;

use llmtrace_benches::cpu;
use llmtrace_lens::gradient::Target;
use llmtrace_lens::{Filter, Model};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, job, tokens, calls] = arguments.as_slice() else {
        return Err("usage: lens FOLDER forward|cache|gradient|load TOKENS CALLS".into());
    };
    let (tokens, calls): (u32, u32) = (tokens.parse()?, calls.parse()?);
    let model = Model::load(folder)?;
    let vocabulary = u32::try_from(model.config().vocab)?;
    let tokens: Vec<u32> = (0..tokens).map(|at| at * 7919 % vocabulary).collect();
    for _ in 0..calls {
        let began = cpu::of_process();
        match job.as_str() {
            "forward" => drop(black_box(model.run(&tokens)?)),
            "cache" => drop(black_box(model.run_with_cache(&tokens, Filter::all())?)),
            "gradient" => drop(black_box(model.gradient(&tokens, &Target::logit(0))?)),
            "load" => drop(black_box(Model::load(folder)?)),
            other => return Err(format!("no job {other:?}").into()),
        }
        println!("{:.2}", cpu::of_process().saturating_sub(began).as_secs_f64() * 1e3);
    }
    println!("{}", cpu::peak_memory_kib().unwrap_or_default() / 1024);
    Ok(())
}
