//! What it takes to turn one LLM call (two spans, 3 kB of text) into bytes:
//! `cargo bench -p llmtrace-benches --bench encode [-- --quick]`.
//!
//! `prost` on a ready message is the measure: it copies what somebody else built. Instructions are counted by callgrind,
//! where there is one, in runs of this program with `run NAME CALLS`.

use std::io::Write as _;

use llmtrace_benches::encoding::{self, Forms, WAYS, Way};
use llmtrace_benches::table::{Table, ratio, whole};
use llmtrace_benches::{Result, cpu, instructions};

/// How often each figure is measured; the best counts.
const RUNS: usize = 9;

fn main() -> Result<()> {
    let forms = Forms::new()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [run, name, calls] = arguments.as_slice()
        && run == "run"
    {
        encoding::rounds(&encoding::find(name)?, &forms, calls.parse()?, &mut Vec::with_capacity(1 << 16));
        return Ok(());
    }
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let (calls, counted) = if is_quick { (200, 20) } else { (20_000, 2_000) };

    // In turns, so that noise of the machine hits all alike.
    let mut best = [f64::INFINITY; WAYS.len()];
    let mut bytes = [0; WAYS.len()];
    let mut out = Vec::with_capacity(1 << 16);
    for _ in 0..RUNS {
        for ((way, best), bytes) in WAYS.iter().zip(&mut best).zip(&mut bytes) {
            *best = best.min(nanos(way, &forms, calls, &mut out));
            *bytes = out.len();
        }
    }
    let scratch = std::env::temp_dir().join(format!("llmtrace-encode-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let program = std::env::current_exe()?;
    let counts = WAYS.map(|way| {
        let is_there = instructions::is_available();
        let count = is_there.then(|| instructions::per_call(&program, way.name, counted, &scratch));
        count.transpose().map(|count| count.unwrap_or(f64::NAN))
    });
    std::fs::remove_dir_all(&scratch)?;

    let columns = ["way", "bytes", "ns/call", "MB/s", "x prost's time", "instructions/call", "x prost's"];
    let mut table = Table::new("encoding a call: two spans, 3 kB of text", &columns);
    let (base, mut base_count) = (best.first().copied().unwrap_or(f64::NAN), f64::NAN);
    for (index, ((way, nanos), (bytes, count))) in
        WAYS.iter().zip(best).zip(bytes.into_iter().zip(counts)).enumerate()
    {
        let count = count?;
        if index == 0 {
            base_count = count;
        }
        let speed = if bytes > 0 { bytes as f64 * 1e3 / nanos } else { f64::NAN };
        table.row(vec![
            way.what.to_owned(),
            bytes.to_string(),
            whole(nanos),
            whole(speed),
            ratio(nanos, base),
            whole(count),
            ratio(count, base_count),
        ]);
    }
    writeln!(std::io::stdout(), "{table}")?;
    Ok(())
}

/// CPU nanoseconds of one call.
fn nanos(way: &Way, forms: &Forms, calls: usize, out: &mut Vec<u8>) -> f64 {
    let start = cpu::of_thread();
    encoding::rounds(way, forms, calls, out);
    cpu::of_thread().saturating_sub(start).as_secs_f64() * 1e9 / calls as f64
}
