//! Spans that wait for the root of their trace.

use std::collections::{HashMap, HashSet, VecDeque};

use llmtrace::{SpanId, SpanRecord, TraceId};

use super::node::Node;

/// Spans that wait for the root of their trace, within bounds of number and memory.
#[derive(Debug, Default)]
pub(super) struct Pending {
    traces: HashMap<TraceId, Waiting>,
    bytes: usize,
    arrivals: u64,
    printed: Printed,
}

/// Spans to print together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) trace_id: TraceId,
    pub(super) nodes: Vec<Node>,
    pub(super) state: State,
}

/// What is known of the trace when it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its root has ended.
    Whole,
    /// The spans came after their parent had been printed.
    Late,
    /// Its root has not ended.
    Open,
    /// Its root has not ended, and too much waits to keep it any longer.
    Crowded,
    /// Its root is not among the spans that were read.
    Rootless,
}

#[derive(Debug, Default)]
struct Waiting {
    nodes: Vec<Node>,
    /// When its first span arrived, in spans that had arrived before.
    since: u64,
}

/// The spans that were printed last.
#[derive(Debug, Default)]
struct Printed {
    ids: HashSet<(TraceId, SpanId)>,
    order: VecDeque<(TraceId, SpanId)>,
}

/// Traces that wait for their root.
const MAX_TRACES: usize = 1_000;

/// Memory for spans that wait, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Printed spans that are remembered, so that a late child is told from an early one.
const MAX_PRINTED: usize = 10_000;

impl Pending {
    /// Takes finished spans in, and gives back what can be printed now.
    pub(super) fn add(&mut self, batch: &[SpanRecord]) -> Vec<Group> {
        let (mut roots, mut late) = (Vec::new(), Vec::new());
        for span in batch {
            let node = Node::new(span);
            let (trace_id, id) = (span.trace_id, node.id);
            if node.is_local_root {
                roots.push((trace_id, id));
            } else if node.parent.is_some_and(|parent| self.printed.ids.contains(&(trace_id, parent))) {
                late.push((trace_id, id));
            }
            self.bytes += node.bytes();
            self.arrivals += 1;
            let since = self.arrivals;
            let waiting = self.traces.entry(trace_id).or_insert_with(|| Waiting { nodes: Vec::new(), since });
            waiting.nodes.push(node);
        }
        let whole = roots.into_iter().map(|(trace_id, id)| self.take(trace_id, &[id], State::Whole));
        let mut groups: Vec<_> = whole.collect();
        for of_trace in late.chunk_by(|a, b| a.0 == b.0) {
            let heads: Vec<_> = of_trace.iter().map(|(_, id)| *id).collect();
            if let Some((trace_id, _)) = of_trace.first() {
                groups.push(self.take(*trace_id, &heads, State::Late));
            }
        }
        while self.traces.len() > MAX_TRACES || self.bytes > MAX_BYTES {
            let Some((_, trace_id)) = self.traces.iter().map(|(id, waiting)| (waiting.since, *id)).min()
            else {
                break;
            };
            groups.push(self.take_all(trace_id, State::Crowded));
        }
        groups.retain(|group| !group.nodes.is_empty());
        groups
    }

    /// Gives back all that waits, the oldest trace first.
    pub(super) fn drain(&mut self) -> Vec<Group> {
        let mut ids: Vec<_> = self.traces.iter().map(|(id, waiting)| (waiting.since, *id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, trace_id)| self.take_all(trace_id, State::Open)).collect()
    }

    /// Gives back what waits of one trace.
    pub(super) fn take_open(&mut self, trace_id: TraceId) -> Option<Group> {
        self.traces.contains_key(&trace_id).then(|| self.take_all(trace_id, State::Open))
    }

    /// Takes the spans `heads` and those below them.
    fn take(&mut self, trace_id: TraceId, heads: &[SpanId], state: State) -> Group {
        let Some(waiting) = self.traces.get_mut(&trace_id) else {
            return Group { trace_id, nodes: Vec::new(), state };
        };
        let mut children: HashMap<SpanId, Vec<SpanId>> = HashMap::new();
        for node in waiting.nodes.iter().filter(|node| !node.is_local_root) {
            if let Some(parent) = node.parent {
                children.entry(parent).or_default().push(node.id);
            }
        }
        let mut taken: HashSet<SpanId> = HashSet::new();
        let mut open = heads.to_vec();
        while let Some(id) = open.pop() {
            if taken.insert(id) {
                open.extend(children.get(&id).into_iter().flatten());
            }
        }
        let nodes = waiting.nodes.extract_if(.., |node| taken.contains(&node.id)).collect();
        if waiting.nodes.is_empty() {
            self.traces.remove(&trace_id);
        }
        self.print(trace_id, nodes, state)
    }

    fn take_all(&mut self, trace_id: TraceId, state: State) -> Group {
        let nodes = self.traces.remove(&trace_id).map(|waiting| waiting.nodes).unwrap_or_default();
        self.print(trace_id, nodes, state)
    }

    /// Forgets spans, save that they were printed.
    fn print(&mut self, trace_id: TraceId, nodes: Vec<Node>, state: State) -> Group {
        for node in &nodes {
            self.bytes = self.bytes.saturating_sub(node.bytes());
            self.printed.add((trace_id, node.id));
        }
        Group { trace_id, nodes, state }
    }
}

impl Printed {
    fn add(&mut self, span: (TraceId, SpanId)) {
        if self.ids.insert(span) {
            self.order.push_back(span);
        }
        if self.order.len() > MAX_PRINTED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}
