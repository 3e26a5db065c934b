//! When the program shall end.

use std::io;

/// Waits until the user or the system asks the program to end; from now on, that no longer ends it at once.
#[cfg(unix)]
pub(super) fn requested() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits until the user asks the program to end.
#[cfg(not(unix))]
pub(super) fn requested() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        drop(tokio::signal::ctrl_c().await);
    })
}
