//! The locks of the pipeline: `std`'s, or loom's when its schedules are explored.

#[cfg(llmtrace_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
#[cfg(not(llmtrace_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// Locks; a panic of another holder does not matter, because nothing is left half-done under these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits to be notified, at most `timeout`.
pub(crate) fn wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> MutexGuard<'a, T> {
    condvar.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner).0
}

/// The moment `after` from now; a wait without end ends in a year.
pub(crate) fn deadline(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or_else(|| now + LONGEST_WAIT)
}

/// Stands for a wait without end.
#[allow(
    clippy::duration_suboptimal_units,
    reason = "longer units are newer than the oldest Rust that is supported"
)]
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
