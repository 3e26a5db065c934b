//! CPU time, memory and placement of threads.

use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::Result;

/// CPU time of the calling thread.
pub fn of_thread() -> Duration {
    to_duration(clock_gettime(ClockId::ThreadCPUTime))
}

/// CPU time of all threads of the process.
pub fn of_process() -> Duration {
    to_duration(clock_gettime(ClockId::ProcessCPUTime))
}

/// Keeps the calling thread, and the threads it starts from now on, on one core.
pub fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set)?;
    Ok(())
}

/// The largest amount of memory that the process has held, in KiB (`VmHWM`); `None` where the system has no
/// `/proc`.
pub fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How busy the machine was in the last minute (`/proc/loadavg`); `?` where the system does not say.
pub fn load() -> String {
    let loads = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    loads.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("?").to_owned()
}

fn to_duration(time: Timespec) -> Duration {
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
