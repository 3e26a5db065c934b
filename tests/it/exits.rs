//! Programs of their own: how they end, and what surrounds them.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use llmtrace::testing::InMemory;
use llmtrace::{DropReason, FlushError};
use llmtrace_exporters::{Otlp, Protocol};
use llmtrace_tests::backend::{LONG, Program, dropped};
use llmtrace_tests::fault::{FaultServer, Step};
use tracing::info_span;

/// Says what the child process does, and where its server is.
const WORK: &str = "LLMTRACE_TEST_EXITS_WORK";
const URL: &str = "LLMTRACE_TEST_EXITS_URL";

/// What dropping a guard takes at most.
const DROP: Duration = Duration::from_secs(5);

/// What it may take longer, and what the end of a process takes.
const TOLERANCE: Duration = Duration::from_millis(100);
const EXIT: Duration = Duration::from_millis(400);

fn child(work: &str, url: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", "--test-threads=1", "exits::process"]);
    command.env(WORK, work).env(URL, url);
    command
}

fn succeeds(mut child: Command) {
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Not a test of its own: what the child process does.
#[test]
fn process() {
    let Some(work) = env::var_os(WORK) else { return };
    let url = env::var(URL).unwrap();
    let otlp = || Otlp::new(&url).unwrap().protocol(Protocol::Json);
    match work.to_str().unwrap() {
        "end" => {
            let program = Program::start(llmtrace::builder().exporter(otlp()).batch(2, Duration::ZERO));
            program.run(5);
            program.wait_until(|stats| stats.last_error.is_some() || stats.bytes > 0);
            println!("\nending");
            let before = Instant::now();
            drop(program);
            assert!(before.elapsed() < DROP + TOLERANCE, "{:?}", before.elapsed());
        }
        "proxy" => {
            assert_eq!(Program::start(llmtrace::builder().exporter(otlp())).deliver(3).exported, 3);
        }
        "threads" => {
            let memory = InMemory::default();
            let (layer, guard) = llmtrace::builder().exporter(memory).exporter(otlp()).build();
            assert!(guard.start_error().is_some());
            let subscriber =
                tracing_subscriber::layer::SubscriberExt::with(tracing_subscriber::registry(), layer);
            tracing::subscriber::with_default(subscriber, || {
                info_span!("chat", gen_ai.request.model = "m");
            });
            let before = Instant::now();
            let report = guard.flush(LONG);
            assert_eq!(dropped(&report.exporters[0], DropReason::Shutdown), 1, "{report:?}");
            assert!(guard.shutdown(LONG).is_ok());
            assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
            assert!(llmtrace::builder().install().is_err());
        }
        "restarts" => restart(otlp),
        other => panic!("{other}"),
    }
}

/// Starts and ends many programs; says that nothing of them stays.
fn restart(otlp: impl Fn() -> Otlp) {
    let count = |dir: &str| std::fs::read_dir(dir).map_or(0, Iterator::count);
    let dir = tempfile::tempdir().unwrap();
    let once = || {
        let otlp = otlp().spool(dir.path(), 1 << 20).unwrap();
        let program = Program::start(llmtrace::builder().exporter(otlp));
        program.run(1);
        assert!(program.guard.shutdown(LONG).unwrap().is_complete);
    };
    once();
    let (threads, files) = (count("/proc/self/task"), count("/proc/self/fd"));
    (0..env::var("LLMTRACE_RESTARTS").map_or(100, |restarts| restarts.parse().unwrap())).for_each(|_| once());
    // A thread that has just said that it is done may still be there.
    let deadline = Instant::now() + LONG;
    while count("/proc/self/task") > threads && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(count("/proc/self/task") <= threads && count("/proc/self/fd") <= files);
}

#[test]
fn a_program_ends_in_time_whatever_the_server_does() {
    let endless = [Step::status(503), Step::Hang, Step::SlowLoris, Step::EndlessBody(503)];
    let mut servers = endless.map(|step| FaultServer::start(vec![step; 999]));
    // The last one refuses connections.
    servers[3].close();
    let children = servers.each_ref().map(|server| {
        let mut child = child("end", &server.url());
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ending"));
        (child, lines, Instant::now())
    });
    for ((mut child, lines, ending), server) in children.into_iter().zip(&servers) {
        lines.for_each(drop);
        assert!(child.wait().unwrap().success());
        assert!(ending.elapsed() < DROP + TOLERANCE + EXIT, "{:?}", ending.elapsed());
        let _ = server;
    }
}

#[test]
fn a_proxy_of_the_environment_is_not_for_this_computer() {
    let server = FaultServer::start([]);
    let mut child = child("proxy", &server.url());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"] {
        child.env(name, "http://user:secret@127.0.0.1:1");
    }
    succeeds(child);
    assert_eq!(server.requests().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_program_that_gets_no_threads_runs_and_ends() {
    let mut child = child("threads", "http://localhost:1");
    // No thread has room for such a stack.
    child.env("RUST_MIN_STACK", (1_u64 << 50).to_string());
    succeeds(child);
}

#[cfg(target_os = "linux")]
#[test]
fn exporters_that_come_and_go_leave_nothing_behind() {
    let server = FaultServer::start([]);
    succeeds(child("restarts", &server.url()));
}

#[test]
fn a_shutdown_within_a_span_while_unwinding_and_from_two_threads_at_once() {
    let memory = InMemory::default();
    let program = Program::start(llmtrace::builder().exporter(memory.clone()));
    program.enter(|| {
        let _outer = info_span!("chat", gen_ai.request.model = "m").entered();
        info_span!("chat", gen_ai.request.model = "m");
        let barrier = Barrier::new(2);
        let end = || {
            barrier.wait();
            program.guard.shutdown(LONG)
        };
        let (here, there) = std::thread::scope(|scope| {
            let there = scope.spawn(end);
            (end(), there.join().unwrap())
        });
        assert!(here.is_ok() != there.is_ok());
        assert!(matches!(here.and(there), Err(FlushError::AlreadyShutDown)));
    });
    let stats = program.stats();
    assert_eq!((memory.spans().len(), stats.started, dropped(&stats, DropReason::Shutdown)), (1, 2, 1));
    let program = Program::start(llmtrace::builder().exporter(memory.clone()));
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        program.run(1);
        let _program = program;
        panic!("boom");
    }));
    assert!(unwound.is_err());
    assert_eq!(memory.spans().len(), 2);
}

#[test]
fn a_flush_and_a_shutdown_over_http_within_a_runtime() {
    let server = FaultServer::start([]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let otlp = Otlp::new(&server.url()).unwrap().protocol(Protocol::Json);
        let program = Program::start(llmtrace::builder().exporter(otlp));
        assert_eq!(program.deliver(2).exported, 2);
        program.run(1);
        assert_eq!(program.guard.shutdown(LONG).unwrap().exporters[0].exported, 3);
    });
}
