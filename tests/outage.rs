//! An outage under an allocator that counts: memory stays within the configured bytes.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]
#![allow(clippy::print_stdout, reason = "the figures are what it measures")]

use std::alloc::System;
use std::env;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cap::Cap;
use llmtrace::testing::InMemory;
use llmtrace::{Message, SpanExt as _};
use llmtrace_exporters::Otlp;
use llmtrace_tests::backend::Program;
use llmtrace_tests::fault::{FaultServer, Step};
use tracing::info_span;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// What the child process is told.
const URL: &str = "LLMTRACE_TEST_OUTAGE_URL";
const SPOOL: &str = "LLMTRACE_TEST_OUTAGE_SPOOL";

/// How many spans end in the outage; a few where it is not set.
const SPANS: &str = "LLMTRACE_OUTAGE_SPANS";
const FEW: usize = 1_200;

/// What the program configures.
const QUEUE_BYTES: usize = 32 << 20;
const PROMPT_BYTES: usize = 64 << 10;

/// What an exporter over HTTP takes beside the queue: the request that is being sent, and for a spool the lines that are
/// being written and the spans that are being read back.
const REQUEST: usize = 4 << 20;
const SPOOLING: usize = 8 << 20;

/// Not a test of its own: the program whose server is gone. It prints the most bytes of heap and of memory that
/// tracing took.
#[test]
fn process() {
    let Ok(url) = env::var(URL) else { return };
    let spans = env::var(SPANS).map_or(FEW, |spans| spans.parse().unwrap());
    let prompt = "The quick brown fox jumps over the lazy dog. ".repeat(PROMPT_BYTES / 45);
    // Tables that are read once for the whole process.
    Program::start(llmtrace::builder().exporter(InMemory::default())).deliver(1);
    let (heap, resident) = (HEAP.allocated(), resident("VmRSS"));
    let mut otlp = Otlp::new(&url).unwrap().timeout(Duration::from_millis(200));
    otlp = otlp.retry_waits(Duration::from_millis(20), Duration::from_millis(200));
    otlp = otlp.retry_for(Duration::from_secs(1));
    if let Some(dir) = env::var_os(SPOOL) {
        otlp = otlp.spool(Path::new(&dir), 16 << 20).unwrap();
    }
    let program = Program::start(llmtrace::builder().exporter(otlp).queue_bytes(QUEUE_BYTES));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                program.enter(|| {
                    for _ in 0..spans / 2 {
                        let span = info_span!("chat", gen_ai.request.model = "m");
                        span.record_input(&[Message::user(prompt.as_str())]);
                    }
                });
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let stats = program.stats();
    assert_eq!(stats.started, spans as u64 / 2 * 2);
    let (heap, resident) = (HEAP.max_allocated() - heap, self::resident("VmHWM").saturating_sub(resident));
    println!("\npeak {heap} {resident} {} {} {seconds:.1}", stats.dropped_total(), stats.spooled);
}

/// A line of the process's memory, in bytes; 0 where the system has none.
fn resident(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) * 1024
}

fn check(name: &str, url: &str, has_spool: bool) {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "--nocapture", "process"]).env(URL, url);
    if has_spool {
        child.env(SPOOL, dir.path());
    }
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find_map(|line| line.strip_prefix("peak ")).unwrap();
    let figures: Vec<f64> = line.split(' ').map(|figure| figure.parse().unwrap()).collect();
    let [heap, resident, dropped, spooled, seconds] = figures[..] else { panic!("{line}") };
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    println!(
        "{name}, spool {has_spool}: heap {:.1} MiB, resident {:.1} MiB, {dropped} dropped, {spooled} spooled, {seconds} s",
        mib(heap),
        mib(resident)
    );
    assert!(dropped > 200.0, "the bounds were not reached: {line}");
    let beside = REQUEST + if has_spool { SPOOLING } else { 0 };
    let most = (QUEUE_BYTES + QUEUE_BYTES / 10 + beside) as f64;
    assert!(heap < most, "{name}: {:.1} MiB of {:.1}", mib(heap), mib(most));
}

#[test]
fn memory_is_bounded_while_the_server_is_gone() {
    let refusing = FaultServer::start(vec![Step::status(503); 9_999]);
    let hanging = FaultServer::start(vec![Step::Hang; 9_999]);
    check("503", &refusing.url(), false);
    check("hang", &hanging.url(), true);
    if env::var_os(SPANS).is_some() {
        check("hang", &hanging.url(), false);
        check("refused", "http://127.0.0.1:1", false);
        check("503", &refusing.url(), true);
        check("refused", "http://127.0.0.1:1", true);
    }
}
