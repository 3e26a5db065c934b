//! Instructions of the calling thread, counted by callgrind.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// Whether valgrind is there.
pub fn is_available() -> bool {
    let mut version = Command::new("valgrind");
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// Instructions per call on the calling thread: the difference between a run of `2 * calls` and one of `calls`.
pub fn per_call(program: &Path, subject: &str, calls: usize, scratch: &Path) -> Result<f64> {
    let once = total(program, subject, calls, scratch)?;
    let twice = total(program, subject, 2 * calls, scratch)?;
    Ok((twice as f64 - once as f64) / calls as f64)
}

/// Instructions of the main thread of one run.
fn total(program: &Path, subject: &str, calls: usize, scratch: &Path) -> Result<u64> {
    let file = scratch.join(format!("{subject}-{calls}.callgrind"));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes"])
        // Counts from `rounds` down: start-up reads `/proc` and is never twice the same.
        .arg("--toggle-collect=*llmtrace_benches*rounds*")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(["run", subject, &calls.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(format!("valgrind: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    // One file a thread; the main thread is the first.
    let profile = std::fs::read_to_string(format!("{}-01", file.display()))?;
    let totals = profile.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    Ok(totals.ok_or("callgrind's profile has no totals")?.trim().parse()?)
}
