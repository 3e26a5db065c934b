//! How fast bodies are read, against parsing their JSON alone: `cargo bench -p llmtrace-benches --bench read [-- --quick]`.
//!
//! The floor is `serde_json::from_slice::<Value>` over the same bytes: the body of a whole response, each item's data
//! of a stream.

use std::io::Write as _;

use llmtrace::provider::{StreamAssembler, read_response};
use llmtrace_benches::table::{Table, ratio};
use llmtrace_benches::{Result, bodies, cpu};
use serde_json::Value;

/// CPU time that one figure is measured over, in seconds, and how often; the best run counts.
const RUNS: usize = 7;

/// Bytes that a stream gives at once.
const PIECE: usize = 4096;

fn main() -> Result<()> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let seconds = if is_quick { 0.01 } else { 0.2 };
    let mut table = Table::new("reading bodies", &["body", "KiB", "MB/s", "serde_json MB/s", "x its time"]);
    for (name, bodies) in bodies::whole() {
        let parse = |body: &Vec<u8>| serde_json::from_slice::<Value>(body).is_ok();
        let read = |body: &Vec<u8>| {
            let json = serde_json::from_slice::<Value>(body);
            json.is_ok_and(|json| read_response(&json).is_some())
        };
        row(&mut table, &name, &bodies, seconds, parse, read);
    }
    for (name, bodies) in bodies::streams() {
        let parse = |body: &Vec<u8>| {
            let data = body.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
            data.filter(|data| serde_json::from_slice::<Value>(data).is_ok()).count() > 0
        };
        let read = |body: &Vec<u8>| {
            let mut stream = StreamAssembler::detect();
            for piece in body.chunks(PIECE) {
                stream.push(piece);
            }
            stream.finish().api.is_some()
        };
        row(&mut table, &name, &bodies, seconds, parse, read);
    }
    writeln!(std::io::stdout(), "{table}")?;
    Ok(())
}

fn row(
    table: &mut Table,
    name: &str,
    bodies: &[Vec<u8>],
    seconds: f64,
    parse: impl Fn(&Vec<u8>) -> bool,
    read: impl Fn(&Vec<u8>) -> bool,
) {
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    // In turns, so that noise of the machine hits both alike.
    let (mut floor, mut ours) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..RUNS {
        floor = floor.min(time(bodies, seconds, &parse));
        ours = ours.min(time(bodies, seconds, &read));
    }
    let rate = |seconds: f64| format!("{:.0}", bytes as f64 / seconds / 1e6);
    table.row(vec![
        name.to_owned(),
        format!("{:.1}", bytes as f64 / 1024.0),
        rate(ours),
        rate(floor),
        ratio(ours, floor),
    ]);
}

/// Seconds of CPU that one round over the bodies takes.
fn time(bodies: &[Vec<u8>], seconds: f64, of: impl Fn(&Vec<u8>) -> bool) -> f64 {
    let (start, mut rounds) = (cpu::of_thread(), 0_u32);
    loop {
        let understood = bodies.iter().filter(|body| of(std::hint::black_box(body))).count();
        std::hint::black_box(understood);
        rounds += 1;
        let spent = cpu::of_thread().saturating_sub(start).as_secs_f64();
        if spent >= seconds {
            return spent / f64::from(rounds);
        }
    }
}
