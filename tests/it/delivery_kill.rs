//! A program with a spool that is killed again and again, and a server that fails at random: every span that was
//! safe arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use llmtrace_exporters::{Otlp, Protocol};
use llmtrace_tests::backend::{LONG, Program};
use llmtrace_tests::fault::{FaultServer, Request, Step};
use serde_json::Value;
use tracing::info_span;

const DIR: &str = "LLMTRACE_TEST_KILLED_DELIVERY";
const URL: &str = "LLMTRACE_TEST_KILLED_DELIVERY_URL";
const FIRST: &str = "LLMTRACE_TEST_KILLED_DELIVERY_FIRST";

/// How many processes are killed; a few where it is not set.
const KILLS: &str = "LLMTRACE_KILLS";
const FEW: u64 = 12;

/// Spans between two flushes.
const STEP: u64 = 8;

fn start(url: &str, dir: &Path) -> Program {
    let otlp = Otlp::new(url).unwrap().protocol(Protocol::Json).timeout(Duration::from_millis(60));
    let otlp = otlp.retry_waits(Duration::from_millis(1), Duration::from_millis(10));
    Program::start(llmtrace::builder().exporter(otlp.spool(dir, 1 << 30).unwrap()))
}

/// Not a test of its own: what the killed process runs. It says which spans are safe.
#[test]
fn process() {
    let Some(dir) = env::var_os(DIR) else { return };
    let program = start(&env::var(URL).unwrap(), Path::new(&dir));
    let mut out = std::io::stdout();
    writeln!(out).unwrap();
    let first: u64 = env::var(FIRST).unwrap().parse().unwrap();
    for from in (0..).map(|step| first + step * STEP) {
        program.enter(|| {
            for number in from..from + STEP {
                info_span!("chat", gen_ai.request.model = "m", number);
            }
        });
        assert!(program.guard.flush(LONG).is_complete);
        assert_eq!(program.stats().dropped_total(), 0);
        writeln!(out, "safe {from}").unwrap();
    }
}

/// Steps of which a third is luck; none refuses spans for good.
fn random_steps(seed: u64) -> impl Iterator<Item = Step> {
    let mut state = seed;
    std::iter::from_fn(move || {
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(match (state >> 33) % 9 {
            0..=2 => Step::status(200),
            3 => Step::status(503),
            4 => Step::Hang,
            5 => Step::Close,
            6 => Step::Raw("HTTP/1.1 2"),
            7 => Step::ResetMidBody(502),
            _ => Step::ResetMidBody(200),
        })
    })
}

/// Lets a process start at `first` and kills it; says which spans were safe.
fn round(server: &FaultServer, dir: &Path, first: u64, kill: u64) -> Vec<u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "delivery_kill::process"])
        .env(DIR, dir)
        .env(URL, server.url())
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut safe = Vec::new();
    let until = 1 + kill % 9;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let Some(("safe", number)) = line.split_once(' ') else { continue };
        let from: u64 = number.parse().unwrap();
        safe.extend(from..from + STEP);
        if safe.len() as u64 == until * STEP {
            // Anywhere in what comes next; what it says until it is dead is still heard.
            let pause = Duration::from_micros(kill.wrapping_mul(7_919) % 20_000);
            let begun = Instant::now();
            while begun.elapsed() < pause {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    safe
}

/// The numbers of the spans in a request, and their ids.
fn spans(request: &Request) -> Vec<(u64, String)> {
    let json: Value = serde_json::from_slice(&request.body).unwrap();
    let list = |json: &Value, key: &str| json[key].as_array().cloned().unwrap_or_default();
    let mut spans = Vec::new();
    for span in list(&json, "resourceSpans")
        .iter()
        .flat_map(|resource| list(resource, "scopeSpans"))
        .flat_map(|scope| list(&scope, "spans"))
    {
        let attributes = list(&span, "attributes");
        let number = attributes.iter().find(|attribute| attribute["key"] == "number").unwrap();
        let number = number["value"]["intValue"].as_str().unwrap().parse().unwrap();
        spans.push((number, span["spanId"].as_str().unwrap().to_owned()));
    }
    spans
}

#[test]
fn every_span_that_was_safe_arrives_although_program_and_server_fail() {
    let kills = env::var(KILLS).map_or(FEW, |kills| kills.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let server = FaultServer::start([]);
    let (mut safe, mut steps) = (Vec::new(), random_steps(17));
    for kill in 1..=kills {
        server.then(steps.by_ref().take(200));
        let first = safe.last().map_or(0, |last| last + 10 * STEP);
        let more = round(&server, dir.path(), first, kill);
        assert!(!more.is_empty(), "kill {kill}");
        safe.extend(more);
    }
    // The rest of the script, and then all is well.
    let program = start(&server.url(), dir.path());
    let waiting = || {
        let folders = std::fs::read_dir(dir.path()).unwrap().map(|folder| folder.unwrap().path());
        let names = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
        names
            .filter(|name| {
                name.as_ref().is_ok_and(|name| name.path().extension().is_some_and(|it| it == "jsonl"))
            })
            .count()
    };
    let deadline = Instant::now() + LONG * (1 + u32::try_from(kills / 10).unwrap());
    while waiting() > 0 {
        assert!(Instant::now() < deadline, "{} segments wait", waiting());
        std::thread::sleep(Duration::from_millis(20));
    }
    let replayed = program.stats().replayed;
    let (mut ids, mut times) = (BTreeMap::<u64, BTreeSet<String>>::new(), 0);
    for request in server.requests().iter().filter(|request| request.answered == 200) {
        for (number, id) in spans(request) {
            ids.entry(number).or_default().insert(id);
            times += 1;
        }
    }
    let lost: Vec<_> = safe.iter().filter(|number| !ids.contains_key(number)).collect();
    assert_eq!(lost, Vec::<&u64>::new());
    assert!(ids.values().all(|ids| ids.len() == 1), "a span came under two ids");
    println!(
        "{kills} kills, {} spans safe, 0 lost, {} delivered, {} of them more than once, {replayed} by the last process",
        safe.len(),
        ids.len(),
        times - ids.len()
    );
}
