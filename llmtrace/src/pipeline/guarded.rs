//! Calls of code that is not ours.

use std::mem;
use std::panic::{self, AssertUnwindSafe};

/// Calls an exporter; a panic becomes a message.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = format!("the exporter panicked: {}", text.unwrap_or("no message"));
        // What it panicked with may panic once more when it is dropped; what that panics with is left alone.
        if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
        message
    })
}
