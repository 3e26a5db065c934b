//! What a traced LLM call costs its caller: `cargo bench -p llmtrace-benches --bench call [-- --quick]`.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use llmtrace_benches::child::{self, Server, median};
use llmtrace_benches::subject::{INFO_ONLY, SUBJECTS};
use llmtrace_benches::table::{Table, ratio, whole};
use llmtrace_benches::{Result, instructions};

const SCENARIO: &str = env!("CARGO_BIN_EXE_scenario");
const ALLOCATIONS: &str = env!("CARGO_BIN_EXE_allocations");

/// How much is measured.
struct Plan {
    rounds: usize,
    calls: usize,
    polls: usize,
    busy_calls: usize,
    allocation_calls: usize,
    instruction_calls: usize,
    /// The shortest time from the start of one round to the next: what was traced is delivered in it.
    pace: Duration,
}

const FULL: Plan = Plan {
    rounds: 60,
    calls: 200,
    polls: 20_000,
    busy_calls: 2_500,
    allocation_calls: 5_000,
    instruction_calls: 1_000,
    pace: Duration::from_millis(300),
};

const QUICK: Plan = Plan {
    rounds: 7,
    calls: 100,
    polls: 2_000,
    busy_calls: 500,
    allocation_calls: 500,
    instruction_calls: 250,
    pace: Duration::from_millis(250),
};

/// Rounds at the start that are not counted.
const WARM_UP_ROUNDS: usize = 3;

fn main() -> Result<()> {
    let plan = if std::env::args().any(|argument| argument == "--quick") { QUICK } else { FULL };
    show("# One LLM call: root span + llm span, 15 attributes (5 + 10), 2 kB in, 1 kB out, 10 polls")?;
    calls(&plan)?;
    polls(&plan)?;
    disabled(&plan)?;
    threads(&plan)?;
    busy(&plan)
}

/// The caller's cost of a call.
fn calls(plan: &Plan) -> Result<()> {
    let names: Vec<&str> = SUBJECTS.iter().map(|subject| subject.name).collect();
    let cpu = interleaved(plan, &names, &[("call", plan.calls)])?;
    let has_valgrind = instructions::is_available();
    if !has_valgrind {
        show("Instructions are not counted: there is no valgrind.")?;
    }
    let scratch = std::env::temp_dir().join(format!("llmtrace-benches-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let mut figures = Vec::new();
    for (name, cpu) in names.iter().zip(cpu) {
        let allocations = plan.allocation_calls.to_string();
        let made = child::output(Path::new(ALLOCATIONS), &[name, &allocations])?;
        let mut made = made.split_whitespace().map(str::parse::<f64>);
        let mut next = || made.next().ok_or("too few figures");
        let instructions = if has_valgrind {
            instructions::per_call(Path::new(SCENARIO), name, plan.instruction_calls, &scratch)?
        } else {
            f64::NAN
        };
        figures.push((name, cpu.first().copied().unwrap_or(f64::NAN), instructions, next()??, next()??));
    }
    std::fs::remove_dir_all(&scratch)?;
    let of = |subject: &str| figures.iter().find(|figures| *figures.0 == subject);
    let columns = |peer| of(peer).map_or((f64::NAN, f64::NAN), |figures| (figures.1, figures.2));
    let (bridge, fastrace) = (columns("tracing-opentelemetry"), columns("fastrace"));
    let mut table = Table::new(
        "Per call, on the caller's thread (ratios: CPU, instructions)",
        &["subject", "CPU ns", "instructions", "allocations", "bytes", "x tracing-otel", "x fastrace"],
    );
    for &(name, cpu, instructions, count, bytes) in &figures {
        let against = |peer: (f64, f64)| format!("{}, {}", ratio(cpu, peer.0), ratio(instructions, peer.1));
        table.row(vec![
            (*name).to_owned(),
            whole(cpu),
            whole(instructions),
            format!("{count:.2}"),
            whole(bytes),
            against(bridge),
            against(fastrace),
        ]);
    }
    show(table)
}

/// One more poll of an open span.
fn polls(plan: &Plan) -> Result<()> {
    let names = ["registry", "llmtrace-install", "llmtrace-build", "tracing-opentelemetry", "fastrace"];
    let polls = interleaved(&plan.unpaced(), &names, &[("poll", plan.polls)])?;
    let registry = polls.first().and_then(|row| row.first()).copied().unwrap_or(f64::NAN);
    let mut table = Table::new("One more poll of an open span", &["subject", "CPU ns", "x registry"]);
    for (name, row) in names.iter().zip(polls) {
        let poll = row.first().copied().unwrap_or(f64::NAN);
        table.row(vec![(*name).to_owned(), format!("{poll:.1}"), ratio(poll, registry)]);
    }
    show(table)
}

/// A callsite below `INFO` that is not about an LLM.
fn disabled(plan: &Plan) -> Result<()> {
    let names = ["none", INFO_ONLY.name, "llmtrace-install", "llmtrace-build"];
    let jobs = [("span", plan.polls), ("event", plan.polls)];
    let rows = interleaved(&plan.unpaced(), &names, &jobs)?;
    let mut table = Table::new("A disabled callsite", &["subject", "trace_span! ns", "trace! ns"]);
    for (name, row) in names.iter().zip(rows) {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(row.iter().map(|nanos| format!("{nanos:.2}")));
        table.row(cells);
    }
    show(table)
}

/// Two threads at once against one.
fn threads(plan: &Plan) -> Result<()> {
    let names = ["registry", "llmtrace-install", "llmtrace-spanext", "tracing-opentelemetry", "fastrace"];
    let plan = Plan { rounds: plan.rounds.div_ceil(2), ..plan.copied() };
    let rows = interleaved(&plan, &names, &[("one", plan.calls), ("two", plan.calls)])?;
    let mut table = Table::new(
        "Threads that trace at the same time",
        &["subject", "one: CPU ns", "two: CPU ns each", "x"],
    );
    for (name, row) in names.iter().zip(rows) {
        let [one, two] = row[..] else { continue };
        table.row(vec![(*name).to_owned(), whole(one), whole(two), ratio(two, one)]);
    }
    show(table)
}

/// A caller that keeps the worker busy: on the other core, and on its own.
fn busy(plan: &Plan) -> Result<()> {
    let mut table = Table::new(
        "A caller that keeps the worker busy (llmtrace-install)",
        &["exporter", "worker on", "caller's CPU ns"],
    );
    let cases = [("noop", "1"), ("noop", "0"), ("format", "1"), ("format", "0")];
    if std::thread::available_parallelism()?.get() < 2 {
        return show("The worker is not pinned: there is one core.");
    }
    let mut servers = Vec::new();
    for (sink, worker) in cases {
        servers.push(Server::start(Path::new(SCENARIO), &["llmtrace-install", sink, worker, "0"])?);
    }
    let mut figures = vec![Vec::new(); cases.len()];
    for _ in 0..plan.rounds.div_ceil(6) {
        for (server, figures) in servers.iter_mut().zip(&mut figures) {
            figures.push(server.ask("busy", plan.busy_calls)?);
        }
    }
    for ((sink, worker), figures) in cases.into_iter().zip(figures) {
        let core = if worker == "0" { "the caller's core" } else { "the other core" };
        table.row(vec![sink.to_owned(), core.to_owned(), whole(median(figures))]);
    }
    show(table)
}

/// Medians of the jobs for each subject, over rounds in which each subject has its turn.
fn interleaved(plan: &Plan, names: &[&str], jobs: &[(&str, usize)]) -> Result<Vec<Vec<f64>>> {
    let mut servers = Vec::new();
    for name in names {
        servers.push(Server::start(Path::new(SCENARIO), &[name])?);
    }
    let mut figures = vec![vec![Vec::new(); jobs.len()]; names.len()];
    for round in 0..plan.rounds + WARM_UP_ROUNDS {
        let begin = Instant::now();
        for (server, figures) in servers.iter_mut().zip(&mut figures) {
            for ((job, count), figures) in jobs.iter().zip(figures) {
                let nanos = server.ask(job, *count)?;
                if round >= WARM_UP_ROUNDS {
                    figures.push(nanos);
                }
            }
        }
        std::thread::sleep(plan.pace.saturating_sub(begin.elapsed()));
    }
    Ok(figures.into_iter().map(|jobs| jobs.into_iter().map(median).collect()).collect())
}

impl Plan {
    fn copied(&self) -> Self {
        Self { ..*self }
    }

    /// The plan for work that leaves nothing to deliver.
    fn unpaced(&self) -> Self {
        Self { pace: Duration::ZERO, ..*self }
    }
}

fn show(text: impl Display) -> Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
