//! One job of `llmtrace-lens` in a process of its own: `lens FOLDER forward|cache|gradient|load TOKENS CALLS`.
//!
//! `off`, `summary`, `layers` and `full` are forward passes that are traced in this detail, to an exporter that drops them. Prints the CPU time of each call in milliseconds, and at last the peak memory in MiB.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::hint::black_box;

use llmtrace::{ExportError, Exporter, SpanRecord};
use llmtrace_benches::cpu;
use llmtrace_lens::gradient::Target;
use llmtrace_lens::trace::Detail;
use llmtrace_lens::{Filter, Hooks, Model, Readout};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, job, tokens, calls] = arguments.as_slice() else {
        return Err("usage: lens FOLDER forward|cache|gradient|load|DETAIL TOKENS CALLS".into());
    };
    let detail = job.parse::<Detail>();
    let tracing =
        detail.as_ref().ok().map(|_| llmtrace::builder().exporter(Nowhere).install()).transpose()?;
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
            _ => drop(black_box(model.read(&tokens, Readout::All, &mut Hooks::new(), detail.clone()?)?)),
        }
        println!("{:.2}", cpu::of_process().saturating_sub(began).as_secs_f64() * 1e3);
    }
    drop(tracing);
    println!("{}", cpu::peak_memory_kib().unwrap_or_default() / 1024);
    Ok(())
}

/// Drops what it is given.
struct Nowhere;

impl Exporter for Nowhere {
    fn name(&self) -> &'static str {
        "nowhere"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        black_box(batch);
        Ok(())
    }
}
