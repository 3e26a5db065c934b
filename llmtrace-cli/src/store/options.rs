//! How a store is opened.

use std::time::Duration;

/// How a store is opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreOptions {
    pub(crate) retention: Retention,
    /// Bytes of spans that may wait to be written before [`Store::write`](super::Store::write) says busy.
    pub(crate) max_waiting_bytes: usize,
    /// Connections that read at once.
    pub(crate) readers: usize,
}

/// What is removed again; the oldest traces first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Traces that started longer ago are removed.
    pub(crate) keep: Option<Duration>,
    /// When the file holds more bytes, traces are removed.
    pub(crate) max_bytes: Option<u64>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { retention: Retention::default(), max_waiting_bytes: 32 << 20, readers: 4 }
    }
}
