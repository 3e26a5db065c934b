//! One job of circuits in a process of its own: `circuit MODEL TRANSCODERS TOKENS CALLS [MAX_BYTES]`.
//!
//! Traces the graph of a prompt. Prints the CPU time of each call in milliseconds, then how many features were active, how many
//! became nodes and the sum of the sizes of the targets' edges, and at last the peak memory in MiB.

#![allow(clippy::print_stdout)]

use std::error::Error;

use llmtrace_benches::cpu;
use llmtrace_lens::Model;
use llmtrace_lens::circuit::{Tracer, Transcoders};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (needed, max_bytes) = arguments.split_at_checked(4).unwrap_or_default();
    let ([folder, transcoders, tokens, calls], [] | [_]) = (needed, max_bytes) else {
        return Err("usage: circuit MODEL TRANSCODERS TOKENS CALLS [MAX_BYTES]".into());
    };
    let (tokens, calls): (u32, u32) = (tokens.parse()?, calls.parse()?);
    let model = Model::load(folder)?;
    let vocabulary = u32::try_from(model.config().vocab)?;
    let tokens: Vec<u32> = (0..tokens).map(|at| at * 7919 % vocabulary).collect();
    let transcoders = Transcoders::load(transcoders, &model)?;
    let mut found = (0, 0, 0.0);
    for _ in 0..calls {
        let began = cpu::of_process();
        let mut tracer = Tracer::new(&model, &transcoders);
        if let [bytes] = max_bytes {
            tracer = tracer.max_bytes(bytes.parse()?);
        }
        let graph = tracer.trace(&tokens)?;
        println!("{:.2}", cpu::of_process().saturating_sub(began).as_secs_f64() * 1e3);
        let targets = (0..graph.targets.len()).filter_map(|target| graph.target(target));
        let sizes = targets.flat_map(|target| graph.row(target)).map(|edge| f64::from(edge.abs()));
        found = (graph.active, graph.features.len(), sizes.sum());
    }
    println!("{} {} {:.4}", found.0, found.1, found.2);
    println!("{}", cpu::peak_memory_kib().unwrap_or_default() / 1024);
    Ok(())
}
