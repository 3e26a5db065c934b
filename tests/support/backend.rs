//! A pipeline that sends to a [`FaultServer`], and what arrived there.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::{Duration, Instant};

use llmtrace::{Builder, DropReason, ExporterStats, Guard};
use tracing::{Dispatch, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::fault::{FaultServer, Request};

/// Longer than any test waits.
pub const LONG: Duration = Duration::from_secs(30);

/// A program that traces.
#[derive(Debug)]
pub struct Program {
    dispatch: Dispatch,
    /// Its guard.
    pub guard: Guard,
}

impl Program {
    /// Starts it.
    pub fn start(builder: Builder) -> Self {
        let (layer, guard) = builder.quiet().build();
        Self { dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)), guard }
    }

    /// Runs a part of the program that opens spans of its own.
    pub fn enter(&self, part: impl FnOnce()) {
        tracing::dispatcher::with_default(&self.dispatch, part);
    }

    /// Ends this many spans.
    pub fn run(&self, spans: usize) {
        tracing::dispatcher::with_default(&self.dispatch, || {
            for _ in 0..spans {
                info_span!("chat", gen_ai.request.model = "m");
            }
        });
    }

    /// Ends a span with a text of this many bytes, and delivers it.
    ///
    /// # Panics
    ///
    /// If it is neither delivered nor counted in time.
    pub fn large(&self, bytes: usize) -> ExporterStats {
        let text = "x".repeat(bytes);
        self.enter(|| drop(info_span!("chat", gen_ai.request.model = "m", text)));
        self.deliver(0)
    }

    /// Ends this many spans and delivers them.
    ///
    /// # Panics
    ///
    /// If they are neither delivered nor counted in time.
    pub fn deliver(&self, spans: usize) -> ExporterStats {
        self.run(spans);
        let report = self.guard.flush(LONG);
        assert!(report.is_complete, "{report:?}");
        self.stats()
    }

    /// How its first exporter stands. The accounts are checked on the way.
    ///
    /// # Panics
    ///
    /// If `started` is not `exported + dropped + queued`.
    pub fn stats(&self) -> ExporterStats {
        let stats = self.guard.stats().exporters.remove(0);
        assert_eq!(stats.started, stats.exported + stats.dropped_total() + stats.queued, "{stats:?}");
        stats
    }

    /// Waits until its first exporter stands as it should.
    ///
    /// # Panics
    ///
    /// If it does not in time.
    pub fn wait_until(&self, is_reached: impl Fn(&ExporterStats) -> bool) -> ExporterStats {
        let deadline = Instant::now() + LONG;
        loop {
            let stats = self.stats();
            if is_reached(&stats) {
                return stats;
            }
            assert!(Instant::now() < deadline, "{stats:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// How often each span came, in requests that were answered with one of `statuses`; records of losses are not counted.
pub fn arrived(server: &FaultServer, statuses: std::ops::RangeInclusive<u16>) -> BTreeMap<String, usize> {
    let mut spans = BTreeMap::new();
    for request in server.requests() {
        if statuses.contains(&request.answered) {
            for id in span_ids(&request) {
                *spans.entry(id).or_default() += 1;
            }
        }
    }
    spans
}

/// The ids of the spans in a request of OTLP in JSON; records of losses are not among them.
///
/// # Panics
///
/// If the request is none.
#[allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]
pub fn span_ids(request: &Request) -> Vec<String> {
    let mut plain = Vec::new();
    if request.header("content-encoding") == Some("gzip") {
        flate2::read::GzDecoder::new(&request.body[..]).read_to_end(&mut plain).unwrap();
    } else {
        plain.clone_from(&request.body);
    }
    let json: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    let list = |json: &serde_json::Value, key: &str| json[key].as_array().cloned().unwrap_or_default();
    let mut ids = Vec::new();
    for resource in list(&json, "resourceSpans") {
        for scope in list(&resource, "scopeSpans") {
            for span in list(&scope, "spans") {
                if span["name"] != "llmtrace.dropped" {
                    ids.push(span["spanId"].as_str().unwrap().to_owned());
                }
            }
        }
    }
    ids
}

/// Spans that were lost for a reason.
pub fn dropped(stats: &ExporterStats, reason: DropReason) -> u64 {
    stats.dropped.get(&reason).copied().unwrap_or_default()
}
