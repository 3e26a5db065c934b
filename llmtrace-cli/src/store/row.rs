//! What is known of a trace and of a span without reading its messages.

use std::time::Duration;

use llmtrace::{ObservationKind, SpanId, Timestamp, TraceId, Usd};

/// What is known of a trace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TraceRow {
    /// Its number in the order of arrival.
    pub(crate) id: i64,
    pub(crate) trace_id: TraceId,
    /// The name of its root; until that is there, of its earliest span.
    pub(crate) name: String,
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) start: Timestamp,
    /// The latest end of its spans.
    pub(crate) end: Timestamp,
    pub(crate) spans: u64,
    /// Spans that failed.
    pub(crate) errors: u64,
    pub(crate) status: TraceStatus,
    /// What went wrong, where it failed: what its root says, else the first span that says it; 200 characters at most.
    pub(crate) error: Option<String>,
    /// Whether its root is there.
    pub(crate) has_root: bool,
    /// Calls of models; a call inside a call counts once.
    pub(crate) calls: u64,
    pub(crate) tokens: Tokens,
    /// The cost of the calls that have one.
    pub(crate) cost: Option<Usd>,
    /// Calls without a cost.
    pub(crate) unpriced: u64,
    /// Whether the cost is known to be too small.
    pub(crate) is_cost_lower_bound: bool,
    /// Calls whose tokens are not known in full.
    pub(crate) uncounted: u64,
    /// Calls whose tokens are an estimate.
    pub(crate) estimated: u64,
    /// From the start of the trace to the first content of a stream.
    pub(crate) first_chunk: Option<Duration>,
    pub(crate) session: Option<String>,
    pub(crate) user: Option<String>,
    /// The start of what went in: 200 characters at most.
    pub(crate) input: Option<String>,
    /// The start of what came out: 200 characters at most.
    pub(crate) output: Option<String>,
    pub(crate) models: Vec<String>,
    pub(crate) providers: Vec<String>,
    pub(crate) tags: Vec<String>,
    /// The number of the commit that last changed it.
    pub(crate) change: u64,
}

/// How a trace stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TraceStatus {
    /// Its root ended well, or did not say how.
    Ok,
    /// Its root failed, or a span of it failed and it has no root.
    Error,
    /// Its root has not come, and something came within five minutes.
    Running,
    /// Its root has not come, and nothing came for five minutes.
    Incomplete,
}

/// Token counts; `None` is what nobody stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// All input, cache reads and writes included.
    pub(crate) input: Option<u64>,
    /// All output, reasoning included.
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) reasoning: Option<u64>,
}

/// What is known of a span.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct SpanRow {
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) parent_is_remote: bool,
    pub(crate) name: String,
    pub(crate) kind: ObservationKind,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) status: SpanStatus,
    /// What went wrong: 200 characters at most.
    pub(crate) error: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) user: Option<String>,
    /// As the span states them.
    pub(crate) tokens: Tokens,
    pub(crate) cost: Option<Usd>,
    /// Whether fees are missing in the cost.
    pub(crate) is_cost_incomplete: bool,
    /// Whether the tokens are an estimate.
    pub(crate) is_estimated: bool,
    /// From the start of the span to the first content of a stream.
    pub(crate) first_chunk: Option<Duration>,
    /// Whether the span counts as a call: it is a call of a model, and not the same one that another span stands for.
    pub(crate) is_counted: bool,
}

/// How a span ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SpanStatus {
    /// Nobody said.
    Unset,
    Ok,
    Error,
    /// It was dropped before its end.
    Cancelled,
    /// It has not ended: its end is 0.
    Running,
}

impl TraceRow {
    /// From the start to the latest end.
    pub(crate) fn duration(&self) -> Duration {
        self.end.since(self.start)
    }
}

impl SpanRow {
    /// From the start to the end; zero while it runs.
    pub(crate) fn duration(&self) -> Duration {
        self.end.since(self.start)
    }
}

impl TraceStatus {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Ok, Self::Error, Self::Running, Self::Incomplete];

    /// The name in URLs and JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Running => "running",
            Self::Incomplete => "incomplete",
        }
    }

    /// The status of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl Tokens {
    /// Input and output together; `None` if neither is known.
    pub(crate) fn total(&self) -> Option<u64> {
        match (self.input, self.output) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }

    /// Adds what another states.
    pub(crate) fn add(&mut self, more: &Self) {
        let pairs = [
            (&mut self.input, more.input),
            (&mut self.output, more.output),
            (&mut self.cache_read, more.cache_read),
            (&mut self.cache_write, more.cache_write),
            (&mut self.reasoning, more.reasoning),
        ];
        for (sum, more) in pairs {
            *sum = more.map(|more| sum.unwrap_or(0).saturating_add(more)).or(*sum);
        }
    }
}
