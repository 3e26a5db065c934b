//! One subject in a process of its own.
//!
//! `scenario serve NAME [noop|format] [WORKER_CORE CALLER_CORE]`: obeys jobs on the standard input.
//! `scenario run NAME CALLS`: traces calls, for a profiler.
//! `scenario flood NAME THREADS CALLS`: traces calls at full speed and says what became of them.

use std::io::Write as _;

use llmtrace_benches::subject::{self, Sink};
use llmtrace_benches::{Result, cpu, flood, rounds, serve};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", name, ref options @ ..] => {
            let subject = subject::find(name)?;
            let sink = if options.contains(&"format") { Sink::Format } else { Sink::Noop };
            let cores: Vec<usize> = options.iter().filter_map(|option| option.parse().ok()).collect();
            if let Some(&worker) = cores.first() {
                cpu::pin(worker)?;
            }
            let _delivery = (subject.start)(sink)?;
            if let Some(&caller) = cores.get(1) {
                cpu::pin(caller)?;
            }
            serve(&subject)
        }
        ["run", name, calls] => {
            let subject = subject::find(name)?;
            let delivery = (subject.start)(Sink::Noop)?;
            rounds(&subject, &*delivery, calls.parse()?);
            Ok(())
        }
        ["flood", name, threads, calls] => {
            let subject = subject::find(name)?;
            let delivery = (subject.start)(Sink::Noop)?;
            let report = flood(&subject, &*delivery, threads.parse()?, calls.parse()?);
            writeln!(std::io::stdout(), "{report}")?;
            Ok(())
        }
        _ => Err("usage: scenario serve NAME [noop|format] [WORKER_CORE CALLER_CORE] | run NAME CALLS | flood NAME THREADS CALLS".into()),
    }
}
