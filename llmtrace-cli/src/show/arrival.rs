//! Traces that are drawn as their spans arrive.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use llmtrace::{SpanRecord, TraceId};
use llmtrace_exporters::{ColorChoice, PendingTraces, TraceTree};

use crate::failure::Failure;
use crate::filter::{Filter, Met};
use crate::terminal;

/// Draws each trace when its root has ended, or when nothing more comes of it.
pub(super) struct Arrival {
    filter: Filter,
    color: ColorChoice,
    pending: PendingTraces,
    traces: HashMap<TraceId, Known>,
    drawn: u64,
}

/// What is kept of a trace after its spans are drawn: more of it may come.
struct Known {
    met: Met,
    last: Instant,
    is_open: bool,
}

/// How long a trace without a root waits for its next span.
const QUIET: Duration = Duration::from_secs(10);

/// Traces of which something is kept; the quietest half is forgotten when there are more.
const MAX_TRACES: usize = 100_000;

impl Arrival {
    pub(super) fn new(filter: Filter, color: ColorChoice) -> Self {
        Self { filter, color, pending: PendingTraces::new(), traces: HashMap::new(), drawn: 0 }
    }

    /// Traces drawn so far.
    pub(super) fn drawn(&self) -> u64 {
        self.drawn
    }

    /// Takes a span in, and draws what is complete by it.
    pub(super) fn add(&mut self, span: &SpanRecord) -> Result<(), Failure> {
        self.add_at(span, Instant::now())
    }

    fn add_at(&mut self, span: &SpanRecord, now: Instant) -> Result<(), Failure> {
        if !self.filter.covers(span.trace_id) {
            return Ok(());
        }
        if self.traces.len() >= MAX_TRACES {
            self.forget();
        }
        let new = Known { met: Met::default(), last: now, is_open: true };
        let known = self.traces.entry(span.trace_id).or_insert(new);
        (known.last, known.is_open) = (now, true);
        self.filter.note(&mut known.met, span);
        let trees = self.pending.add(std::slice::from_ref(span));
        self.draw(trees)
    }

    /// Draws the traces of which nothing more has come for a while.
    pub(super) fn settle(&mut self, now: Instant) -> Result<(), Failure> {
        let is_quiet = |known: &Known| known.is_open && now.duration_since(known.last) >= QUIET;
        let mut quiet: Vec<_> = self
            .traces
            .iter()
            .filter(|(_, known)| is_quiet(known))
            .map(|(id, known)| (known.last, *id))
            .collect();
        quiet.sort_unstable();
        let trees = quiet.into_iter().filter_map(|(_, trace_id)| {
            if let Some(known) = self.traces.get_mut(&trace_id) {
                known.is_open = false;
            }
            self.pending.take(trace_id)
        });
        let trees = trees.collect();
        self.draw(trees)
    }

    /// Draws all that is left.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        let trees = self.pending.drain();
        self.draw(trees)
    }

    fn draw(&mut self, trees: Vec<TraceTree>) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        for tree in trees {
            let met = self.traces.get(&tree.trace_id()).map(|known| known.met).unwrap_or_default();
            if self.filter.is_met(met) {
                out.write_all(tree.draw(terminal::columns(), self.color).as_bytes())?;
                self.drawn += 1;
            }
        }
        Ok(out.flush()?)
    }

    fn forget(&mut self) {
        let mut times: Vec<_> = self.traces.values().map(|known| known.last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        self.traces.retain(|_, known| known.last > median);
    }
}
