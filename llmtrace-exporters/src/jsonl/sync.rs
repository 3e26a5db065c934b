//! When what was written is made durable.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::disk::Syncer;

/// What a power loss or a crash of the operating system may take.
///
/// A record is safe from the end of the process, be it by `kill -9`, as soon as it is written, in every mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sync {
    /// Whatever the operating system had not yet written to the disk; often the last 30 seconds.
    #[default]
    None,
    /// At most the last second: a thread calls `fsync` half a second after a write.
    Interval,
    /// Nothing: `fsync` is called after each batch.
    Each,
}

/// Time from a write to the `fsync` that makes it durable; the rest of the second is for the `fsync` itself.
const SYNC_DELAY: Duration = Duration::from_millis(500);

/// A thread that makes a file durable soon after each write.
pub(super) struct Background {
    wake: SyncSender<()>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

impl Background {
    pub(super) fn start(syncer: Syncer) -> io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let failed = Arc::default();
        let report = Arc::clone(&failed);
        let body = move || run(&woken, syncer, &report);
        thread::Builder::new().name("llmtrace-sync".to_owned()).spawn(body)?;
        Ok(Self { wake, failed })
    }

    /// Says that something was written; gives back the failure of an earlier `fsync`.
    pub(super) fn wake(&self) -> io::Result<()> {
        // If a wake-up waits already, it stands for this write too.
        _ = self.wake.try_send(());
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

fn run(woken: &Receiver<()>, mut sync: Syncer, failed: &Mutex<Option<io::Error>>) {
    while woken.recv().is_ok() {
        let deadline = Instant::now() + SYNC_DELAY;
        while woken.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
        if let Err(error) = sync() {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_write_is_made_durable_within_a_second_without_another_write() {
        let (sender, synced) = mpsc::channel();
        let mut results = vec![Ok(()), Err(io::Error::other("broken disk"))];
        let syncer = Box::new(move || {
            sender.send(Instant::now()).unwrap();
            results.pop().unwrap_or(Ok(()))
        });
        let background = Background::start(syncer).unwrap();
        let written = Instant::now();
        background.wake().unwrap();
        let at = synced.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(at - written >= SYNC_DELAY / 2);
        // Dropping it makes the last write durable at once.
        background.wake().unwrap_or_default();
        drop(background);
        synced.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(synced.recv_timeout(Duration::from_secs(10)).is_err(), "the thread ends");
    }

    #[test]
    fn a_failed_fsync_is_reported_once() {
        let (sender, synced) = mpsc::channel();
        let syncer = Box::new(move || {
            sender.send(()).unwrap();
            Err(io::Error::other("broken disk"))
        });
        let background = Background::start(syncer).unwrap();
        background.wake().unwrap();
        synced.recv_timeout(Duration::from_secs(10)).unwrap();
        let failed = Arc::clone(&background.failed);
        drop(background);
        while synced.recv_timeout(Duration::from_secs(10)).is_ok() {}
        assert_eq!(failed.lock().unwrap().take().unwrap().to_string(), "broken disk");
    }
}
