//! For test suites: what was traced, in memory, with times and ids that never change.
//!
//! ```
//! use llmtrace::testing::Recording;
//!
//! let recording = Recording::start();
//! recording.run(|| {
//!     let span = tracing::info_span!("chat gpt-4o-mini", gen_ai.request.model = "gpt-4o-mini");
//!     span.record("gen_ai.request.model", "gpt-4o");
//! });
//! assert_eq!(recording.tree(), "chat gpt-4o-mini [generation] gpt-4o\n");
//! ```
//!
//! Each [`Recording`] is a subscriber of its own for the current thread, so tests run side by side. In async
//! tests, attach [`Recording::dispatch`] to the future (`tracing::instrument::WithSubscriber`).

mod memory;
mod tree;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

pub use memory::InMemory;
pub use tree::tree;

use crate::clock::Clock;
use crate::id::IdSource;
use crate::{Builder, Guard, SpanRecord};

/// A clock that moves only when it is told to. It starts at 2026-01-01T00:00:00Z.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<AtomicU64>);

/// 2026-01-01T00:00:00Z in nanoseconds since the epoch.
const START: u64 = 1_767_225_600_000_000_000;

impl Default for FixedClock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(START)))
    }
}

impl FixedClock {
    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// How long [`Recording`] waits for its own worker.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that is traced while it runs.
pub struct Recording {
    memory: InMemory,
    clock: FixedClock,
    guard: Guard,
    dispatch: Dispatch,
}

impl Recording {
    /// Starts recording with the defaults of [`builder`](crate::builder).
    pub fn start() -> Self {
        Self::with(|builder| builder)
    }

    /// Starts recording with settings of your own.
    pub fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let (memory, clock) = (InMemory::default(), FixedClock::default());
        let ids = IdSource::Sequential { traces: AtomicU64::new(0), spans: AtomicU64::new(0) };
        let builder = configure(crate::builder()).exporter(memory.clone());
        let (layer, guard) = builder.deterministic(Clock::Fixed(Arc::clone(&clock.0)), ids).build();
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        Self { memory, clock, guard, dispatch }
    }

    /// Runs a closure whose spans are recorded.
    pub fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.dispatch, body)
    }

    /// The subscriber, to be attached to futures and threads.
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// The clock that the spans are timed with.
    pub fn clock(&self) -> &FixedClock {
        &self.clock
    }

    /// The guard, for stats and totals.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The spans that have ended, in the order of their ends.
    ///
    /// # Panics
    ///
    /// If they are not delivered within 30 seconds.
    pub fn spans(&self) -> Vec<SpanRecord> {
        let report = self.guard.flush(TIMEOUT);
        assert!(report.is_complete, "spans were not delivered in time: {report:?}");
        self.memory.spans()
    }

    /// The one span of this name.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one.
    pub fn span(&self, name: &str) -> SpanRecord {
        let spans = self.spans();
        let mut named = spans.iter().filter(|span| span.name == name);
        match (named.next(), named.next()) {
            (Some(span), None) => span.clone(),
            (Some(_), Some(_)) => panic!("more than one span is named {name:?}:\n{}", tree(&spans)),
            _ => panic!("no span is named {name:?}:\n{}", tree(&spans)),
        }
    }

    /// All traces, drawn by [`tree`](fn@tree).
    ///
    /// # Panics
    ///
    /// As [`spans`](Self::spans).
    pub fn tree(&self) -> String {
        tree(&self.spans())
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("memory", &self.memory).finish_non_exhaustive()
    }
}
