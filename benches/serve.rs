//! What `llmtrace serve` bears: `cargo bench -p llmtrace-benches --bench serve [-- --quick]`.
//!
//! Fills a store over OTLP, two connections at once, then asks each page for its time. `peers/phoenix.py` sends the same
//! traces to Phoenix.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use llmtrace::Timestamp;
use llmtrace_benches::archive::{Archive, SPANS};
use llmtrace_benches::client::Client;
use llmtrace_benches::fill::fill;
use llmtrace_benches::table::Table;
use llmtrace_benches::{Result, cpu};

/// How long the server may take to answer for the first time.
const START: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (traces, rounds) = if is_quick { (2_000, 20) } else { (100_000, 200) };
    let folder = std::env::temp_dir().join(format!("llmtrace-serve-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&folder, traces, rounds);
    fs::remove_dir_all(&folder)?;
    write!(std::io::stdout(), "{}", measured?)?;
    Ok(())
}

fn measure(folder: &Path, traces: usize, rounds: usize) -> Result<String> {
    let store = folder.join("llmtrace.db");
    let server = Server::start(&program()?, &store)?;
    let archive = Archive::new(traces, Timestamp::now());
    let took = fill(server.port, &archive, traces)?;
    let spans = traces * SPANS;
    let bytes: u64 = fs::read_dir(folder)?.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum();
    let mut said = format!(
        "\n{spans} spans in {traces} traces: {:.0} spans/s, {:.0} bytes of disk a span, {} MiB resident after it, load {}\n",
        spans as f64 / took.as_secs_f64(),
        bytes as f64 / spans as f64,
        server.resident_mib()?,
        cpu::load(),
    );
    said += &pages(&server, &archive, traces, rounds)?;
    writeln!(said, "\n{} MiB resident at the end", server.resident_mib()?)?;
    Ok(said)
}

/// The time of each page, each of its URLs in turns.
fn pages(server: &Server, archive: &Archive, traces: usize, rounds: usize) -> Result<String> {
    let trace = |number: usize| {
        archive.trace(number).first().map(|span| span.trace_id.to_string()).unwrap_or_default()
    };
    let some = |round: usize| round * 7_919 % traces;
    let week = u64::try_from(Duration::from_hours(7 * 24).as_nanos())?;
    let since = Timestamp::from_unix_nanos(Timestamp::now().unix_nanos() - week);
    let page = |place: usize, round: usize| match place {
        0 => ("list", "/traces".to_owned()),
        1 => ("list of a model", "/traces?model=gpt-4.1".to_owned()),
        2 => ("list of a user with errors", format!("/traces?user=user-{}&status=error", round % 1_000)),
        3 => ("list, costliest first", "/traces?sort=costliest".to_owned()),
        4 => ("list above a cost", "/traces?min_cost=0.02&service=reports".to_owned()),
        5 => ("search, common word", format!("/traces?q={}", archive.word(round))),
        6 => {
            let (rare, other) = (archive.word(19_000 + round), archive.word(9_000 + round));
            ("search, rare words", format!("/traces?q={rare}+{other}"))
        }
        7 => ("trace", format!("/traces/{}", trace(some(round)))),
        8 => ("dashboard, a week", format!("/dashboard?by=model&since={since}")),
        _ => ("sessions", "/sessions".to_owned()),
    };
    let mut table = Table::new(
        format!("time of a page in ms, {rounds} requests each, load {}", cpu::load()),
        &["page", "median", "p99", "most", "kB"],
    );
    let mut client = Client::new(server.port)?;
    for place in 0..10 {
        let mut times = Vec::with_capacity(rounds);
        let (mut bytes, mut said) = (0, "");
        for round in 0..rounds {
            let (name, path) = page(place, round);
            let begun = Instant::now();
            let (status, body) = client.get(&path)?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            if status != 200 {
                return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&body)).into());
            }
            (bytes, said) = (body.len(), name);
        }
        times.sort_by(f64::total_cmp);
        let at = |share: usize| format!("{:.1}", times[(times.len() * share / 100).min(times.len() - 1)]);
        table.row(vec![said.to_owned(), at(50), at(99), at(100), (bytes / 1024).to_string()]);
    }
    Ok(table.to_string())
}

/// Builds the program as its users do.
fn program() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("LLMTRACE_PROGRAM") {
        return Ok(program.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet", "--release", "-p", "llmtrace-cli"]).status()?;
    if !built.success() {
        return Err("llmtrace-cli does not build".into());
    }
    // This bench stands in target/release/deps.
    let bench = std::env::current_exe()?;
    let release = bench.ancestors().nth(2).ok_or("no target folder")?;
    Ok(release.join("llmtrace"))
}

/// `llmtrace serve` in a process of its own.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &Path, store: &Path) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new(program)
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--store")
            .arg(store)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { child, port };
        let begun = Instant::now();
        while !Client::new(port)
            .and_then(|mut client| client.get("/healthz"))
            .is_ok_and(|(status, _)| status == 200)
        {
            if begun.elapsed() > START {
                return Err("the server does not answer".into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    fn resident_mib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.split_whitespace().next().ok_or("no figure")?.parse::<u64>()? / 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
