//! Sends an archive to a server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use llmtrace_exporters::{Profile, Protocol, write_otlp};

use crate::Result;
use crate::archive::Archive;
use crate::client::Client;

/// Connections at once, and traces in a request: 500 spans.
const CONNECTIONS: usize = 2;
const TRACES: usize = 50;

/// Sends the first `traces` traces to the OTLP server at a port of this computer, and says how long that took.
pub fn fill(port: u16, archive: &Archive, traces: usize) -> Result<Duration> {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        let senders: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(|| send(port, archive, traces, &next))).collect();
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| "a sender panicked")?)
    })?;
    Ok(begun.elapsed())
}

fn send(port: u16, archive: &Archive, traces: usize, next: &AtomicUsize) -> Result<()> {
    let mut client = Client::new(port)?;
    let (mut spans, mut body) = (Vec::new(), Vec::new());
    loop {
        let first = next.fetch_add(TRACES, Ordering::Relaxed);
        if first >= traces {
            return Ok(());
        }
        spans.clear();
        spans.extend((first..traces.min(first + TRACES)).flat_map(|number| archive.trace(number)));
        body.clear();
        write_otlp(&spans, Protocol::Protobuf, Profile::Standard, &mut body);
        let (status, answer) = client.post("/v1/traces", &body)?;
        if status != 200 {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
        }
    }
}
