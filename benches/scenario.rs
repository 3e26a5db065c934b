//! One subject in a process of its own.
//!
//! `scenario serve NAME [noop|format] [WORKER_CORE CALLER_CORE]`: obeys jobs on the standard input.
//! `scenario run NAME CALLS [PORT]`: traces calls, for a profiler.
//! `scenario flood NAME THREADS CALLS [PORT]`: traces calls at full speed and says what became of them.
//! `scenario pace NAME CALLS_A_SECOND SECONDS [PORT]`: traces calls evenly and says what became of them.
//! `scenario sink`: takes OTLP requests and counts their spans.
//! `scenario fill PORT TRACES`: sends traces of agents to an OTLP server, ten spans each.

use std::io::Write as _;

use llmtrace::Timestamp;
use llmtrace_benches::archive::{Archive, SPANS};
use llmtrace_benches::fill::fill;
use llmtrace_benches::subject::{self, Sink};
use llmtrace_benches::{Result, cpu, flood, pace, rounds, serve, sink};

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
        ["run", name, calls, ref port @ ..] => {
            let subject = subject::find(name)?;
            let delivery = (subject.start)(sink_at(port)?)?;
            rounds(&subject, &*delivery, calls.parse()?);
            Ok(())
        }
        ["flood" | "pace", name, first, second, ref port @ ..] => {
            let subject = subject::find(name)?;
            let delivery = (subject.start)(sink_at(port)?)?;
            let of = if arguments.first() == Some(&"pace") { pace } else { flood };
            let report = of(&subject, &*delivery, first.parse()?, second.parse()?);
            writeln!(std::io::stdout(), "{report}")?;
            Ok(())
        }
        ["sink"] => sink::run(),
        ["fill", port, traces] => {
            let traces = traces.parse()?;
            let took = fill(port.parse()?, &Archive::new(traces, Timestamp::now()), traces)?;
            writeln!(std::io::stdout(), "spans={} wall_ms={}", traces * SPANS, took.as_millis())?;
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

fn sink_at(port: &[&str]) -> Result<Sink> {
    let port = port.first().map(|port| port.parse()).transpose()?;
    Ok(port.map_or(Sink::Noop, Sink::Port))
}

const USAGE: &str = "usage: scenario serve NAME [noop|format] [WORKER_CORE CALLER_CORE] | run NAME CALLS [PORT] | \
    flood NAME THREADS CALLS [PORT] | pace NAME CALLS_A_SECOND SECONDS [PORT] | sink | \
    fill PORT TRACES";
