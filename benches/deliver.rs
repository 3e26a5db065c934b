//! What it takes to deliver spans over HTTP on this computer: `cargo bench -p llmtrace-benches --bench deliver [-- --quick]`.
//!
//! `LLMTRACE_BENCH_SECONDS` says how long each pace is kept; a minute is what we publish. The server is a process of its
//! own, and its CPU time is nobody's.

use std::io::Write as _;
use std::path::Path;

use llmtrace_benches::child::{self, median};
use llmtrace_benches::report::Report;
use llmtrace_benches::sink::{Arrived, SinkProcess};
use llmtrace_benches::subject::json_lines_directory;
use llmtrace_benches::table::{Table, ratio};
use llmtrace_benches::workload::SPANS;
use llmtrace_benches::{Result, WARM_UP, cpu};

const SCENARIO: &str = env!("CARGO_BIN_EXE_scenario");

/// What is run, and the one that the others are compared with: the peer that loses the least.
const SUBJECTS: [&str; 5] =
    ["llmtrace-otlp", "llmtrace-otlp-gzip", "llmtrace-jsonl", "tracing-otel-otlp-long", "tracing-otel-otlp"];
const PEER: usize = 3;

/// Calls a second.
const PACES: [usize; 4] = [10_000, 20_000, 30_000, 50_000];

const COLUMNS: [&str; 9] = [
    "subject",
    "calls/s",
    "lost",
    "CPU us/call",
    "x peer",
    "of it caller us",
    "bytes/span",
    "MB/s",
    "peak MiB",
];

fn main() -> Result<()> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (calls, rounds) = if is_quick { (5_000, 1) } else { (200_000, 3) };
    let seconds = std::env::var("LLMTRACE_BENCH_SECONDS").ok().map(|seconds| seconds.parse()).transpose()?;
    let seconds: usize = seconds.unwrap_or(if is_quick { 1 } else { 5 });
    let mut sink = SinkProcess::start(Path::new(SCENARIO))?;
    let mut out = std::io::stdout();

    // In turns, so that noise of the machine hits all alike.
    let mut runs = [const { Vec::new() }; SUBJECTS.len()];
    for _ in 0..rounds {
        for (subject, runs) in SUBJECTS.iter().zip(&mut runs) {
            runs.push(Run::new(&mut sink, ["flood", subject, "1", &calls.to_string()])?);
        }
    }
    let title = format!("{calls} calls (2 spans, 3 kB of text) at full speed, load {}", cpu::load());
    writeln!(out, "{}", table(title, &runs))?;

    for pace in if is_quick { &PACES[..1] } else { &PACES } {
        let mut runs = [const { Vec::new() }; SUBJECTS.len()];
        for (subject, runs) in SUBJECTS.iter().zip(&mut runs) {
            runs.push(Run::new(&mut sink, ["pace", subject, &pace.to_string(), &seconds.to_string()])?);
        }
        let title = format!("{pace} calls a second for {seconds} s, load {}", cpu::load());
        writeln!(out, "{}", table(title, &runs))?;
    }
    std::fs::remove_dir_all(json_lines_directory())?;
    Ok(())
}

/// One process and what came of it.
struct Run {
    report: Report,
    arrived: Arrived,
}

impl Run {
    fn new(sink: &mut SinkProcess, [job, subject, first, second]: [&str; 4]) -> Result<Self> {
        sink.take()?;
        let port = sink.port.to_string();
        let words = child::output(Path::new(SCENARIO), &[job, subject, first, second, &port])?;
        let mut arrived = sink.take()?;
        arrived.spans = arrived.spans.saturating_sub(WARM_UP as u64 * SPANS);
        Ok(Self { report: Report::read(&words), arrived })
    }
}

fn table(title: String, runs: &[Vec<Run>; SUBJECTS.len()]) -> Table {
    let of = |runs: &[Run], key: &str| median(runs.iter().map(|run| run.report.number(key)).collect());
    let base = runs.get(PEER).map_or(f64::NAN, |runs| of(runs, "cpu_ns"));
    let mut table = Table::new(title, &COLUMNS);
    for (subject, runs) in SUBJECTS.iter().zip(runs) {
        let (ended, exported) = (of(runs, "ended"), of(runs, "exported"));
        let sent = |of: fn(&Arrived) -> u64| median(runs.iter().map(|run| of(&run.arrived) as f64).collect());
        let (spans, bytes) = (sent(|arrived| arrived.spans), sent(|arrived| arrived.bytes));
        let sent_spans = if spans > 0.0 { spans } else { exported };
        // A server that counts fewer than the subject believes is believed.
        let arrived = if spans > 0.0 { spans.min(exported) } else { exported };
        table.row(vec![
            (*subject).to_owned(),
            format!("{:.0}", ended / 2.0 / of(runs, "called_ms") * 1e3),
            format!("{:.2} %", 100.0 * (1.0 - arrived / ended)),
            format!("{:.2}", of(runs, "cpu_ns") / 1e3),
            ratio(of(runs, "cpu_ns"), base),
            format!("{:.2}", of(runs, "caller_ns") / 1e3),
            if bytes > 0.0 { format!("{:.0}", bytes / sent_spans) } else { "-".to_owned() },
            if bytes > 0.0 { format!("{:.0}", bytes / of(runs, "wall_ms") / 1e3) } else { "-".to_owned() },
            format!("{:.0}", of(runs, "rss_kib") / 1024.0),
        ]);
    }
    table
}
