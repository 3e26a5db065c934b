//! What survives a flood: `cargo bench -p llmtrace-benches --bench flood [-- --quick]`.

use std::io::Write as _;
use std::path::Path;

use llmtrace_benches::report::Report;
use llmtrace_benches::subject::json_lines_directory;
use llmtrace_benches::table::{Table, ratio};
use llmtrace_benches::{Result, child};

const SCENARIO: &str = env!("CARGO_BIN_EXE_scenario");

const SUBJECTS: [&str; 4] = ["llmtrace-install", "llmtrace-jsonl", "tracing-opentelemetry", "fastrace"];

fn main() -> Result<()> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let calls = if is_quick { 20_000 } else { 1_000_000 };
    let mut out = std::io::stdout();
    for threads in [1, 2] {
        let mut table = Table::new(
            format!("{calls} calls (2 spans each) at full speed, threads: {threads}"),
            &[
                "subject",
                "ended",
                "exported",
                "survived",
                "dropped, by reason",
                "adds up",
                "peak MiB",
                "caller ns",
                "CPU ns",
                "x fastrace",
                "calls ms",
                "all ms",
            ],
        );
        let mut reports = Vec::new();
        for subject in SUBJECTS {
            reports.push((subject, run(subject, threads, calls)?));
        }
        let base = reports.last().map_or(f64::NAN, |(_, report)| report.number("cpu_ns"));
        for (subject, report) in &reports {
            table.row(cells(report, subject, base));
        }
        writeln!(out, "{table}")?;
    }
    std::fs::remove_dir_all(json_lines_directory())?;
    Ok(())
}

fn run(subject: &str, threads: usize, calls: usize) -> Result<Report> {
    let arguments = ["flood", subject, &threads.to_string(), &calls.to_string()];
    Ok(Report::read(&child::output(Path::new(SCENARIO), &arguments)?))
}

/// Whether everything that ended was exported or counted as dropped; `?` where the subject does not count.
fn adds_up(report: &Report) -> &'static str {
    let dropped = report.text("dropped");
    let Some(reasons) = dropped.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return "not counted";
    };
    let counts = reasons.split(',').filter_map(|reason| reason.split_once(':')?.1.parse::<u64>().ok());
    let whole = |key| report.text(key).parse::<u64>().ok();
    let sum = whole("exported").map(|exported| exported + counts.sum::<u64>());
    if sum.is_some() && sum == whole("started") && sum == whole("ended") { "yes" } else { "NO" }
}

fn cells(report: &Report, subject: &str, base: f64) -> Vec<String> {
    vec![
        subject.to_owned(),
        report.text("ended").to_owned(),
        report.text("exported").to_owned(),
        format!("{:.2} %", 100.0 * report.number("exported") / report.number("ended")),
        report.text("dropped").to_owned(),
        adds_up(report).to_owned(),
        format!("{:.0}", report.number("rss_kib") / 1024.0),
        report.text("caller_ns").to_owned(),
        report.text("cpu_ns").to_owned(),
        ratio(report.number("cpu_ns"), base),
        report.text("called_ms").to_owned(),
        report.text("wall_ms").to_owned(),
    ]
}
