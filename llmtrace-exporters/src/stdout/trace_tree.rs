//! Trees for programs that read traces back.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};

use llmtrace::{SpanId, SpanRecord, TraceId};

use super::node::Node;
use super::pending::{Group, Pending, State};
use super::tree::{self, Look};
use super::{ColorChoice, figures};

/// The spans of one trace, to be drawn as [`Stdout::tree`](crate::Stdout::tree) draws them.
///
/// It keeps what is drawn, not the content, of at most 100,000 spans; more are counted. A span that is added
/// twice is drawn once.
///
/// ```
/// use llmtrace::{ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};
/// use llmtrace_exporters::{ColorChoice, TraceTree};
///
/// let (Some(trace), Some(span)) = (TraceId::from_bytes([1; 16]), SpanId::from_bytes([2; 8])) else { return };
/// let (start, end) = (Timestamp::from_unix_nanos(0), Timestamp::from_unix_nanos(1_240_000_000));
/// let mut tree = TraceTree::new(trace);
/// tree.add(&SpanRecord::new(trace, span, "chat gpt-4o", ObservationKind::Generation, start, end));
/// let drawn = tree.draw(80, ColorChoice::Never);
/// assert!(drawn.starts_with("generation chat gpt-4o  ━━━━━━━━━━━━ 1.24 s\n"), "{drawn}");
/// ```
#[derive(Debug)]
pub struct TraceTree {
    group: Group,
    ids: HashSet<SpanId>,
    left_out: u64,
}

/// Spans that arrive one by one, and trees of those whose root has ended.
///
/// At most 1,000 traces or 16 MiB of spans wait; when there are more, the oldest trace is given back unfinished.
#[derive(Debug, Default)]
pub struct PendingTraces(Pending);

/// Spans of one trace that are kept.
const MAX_SPANS: usize = 100_000;

impl TraceTree {
    /// A trace of which no span is known yet.
    pub fn new(trace_id: TraceId) -> Self {
        let group = Group { trace_id, nodes: Vec::new(), state: State::Rootless };
        Self { group, ids: HashSet::new(), left_out: 0 }
    }

    /// The trace.
    pub fn trace_id(&self) -> TraceId {
        self.group.trace_id
    }

    /// Adds a span of the trace, in any order.
    pub fn add(&mut self, span: &SpanRecord) {
        if self.ids.contains(&span.span_id) {
            return;
        }
        if self.ids.len() >= MAX_SPANS {
            self.left_out += 1;
            return;
        }
        self.ids.insert(span.span_id);
        if span.is_local_root() {
            self.group.state = State::Whole;
        }
        self.group.nodes.push(Node::new(span));
    }

    /// The tree, a line about the trace and an empty line; `columns` wide at most, between 60 and 500.
    ///
    /// Spans whose parent was in another process hang from it if it is there.
    pub fn draw(mut self, columns: usize, color: ColorChoice) -> String {
        for node in &mut self.group.nodes {
            node.is_local_root &= !node.parent.is_some_and(|parent| self.ids.contains(&parent));
        }
        let colored = color.applies_to(io::stdout().is_terminal());
        let mut text = String::new();
        tree::draw(&self.group, Look::new(columns, colored), &mut text);
        if self.left_out > 0 {
            text.truncate(text.trim_end().len());
            let more = figures::count(self.left_out);
            text.extend(["\n⋯ ", &more, " more spans are neither drawn nor counted\n\n"]);
        }
        text
    }
}

impl PendingTraces {
    /// No spans.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes finished spans in, and gives back the trees that can be drawn now: of traces whose root has ended,
    /// and of spans that came after their parent had been given back.
    pub fn add(&mut self, spans: &[SpanRecord]) -> Vec<TraceTree> {
        self.0.add(spans).into_iter().map(TraceTree::from).collect()
    }

    /// Gives back what waits of one trace, without its root; `None` if nothing does.
    pub fn take(&mut self, trace_id: TraceId) -> Option<TraceTree> {
        self.0.take_open(trace_id).map(TraceTree::from)
    }

    /// Gives back all that waits, the oldest trace first.
    pub fn drain(&mut self) -> Vec<TraceTree> {
        self.0.drain().into_iter().map(TraceTree::from).collect()
    }
}

impl From<Group> for TraceTree {
    fn from(group: Group) -> Self {
        let ids = group.nodes.iter().map(|node| node.id).collect();
        Self { group, ids, left_out: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn child(id: u64, parent: u64) -> SpanRecord {
        let mut span = testing::span(1, id, "s");
        span.parent_span_id = (parent > 0).then(|| testing::span_id(parent));
        span
    }

    #[test]
    fn spans_are_drawn_once_and_a_missing_root_is_said() {
        let check = |spans: &[(u64, u64)], first: &str, count: &str| {
            let mut tree = TraceTree::new(testing::trace_id(1));
            for (id, parent) in spans {
                tree.add(&child(*id, *parent));
            }
            let drawn = tree.draw(80, ColorChoice::Never);
            assert!(drawn.starts_with(first), "{drawn}");
            assert!(drawn.contains(count), "{drawn}");
        };
        check(&[(2, 1), (1, 0), (2, 1)], "span s", "2 spans");
        check(&[(2, 1), (3, 1)], "⋯ root not found", "without root · 2 spans");
    }

    #[test]
    fn spans_of_several_processes_are_one_tree() {
        let mut tree = TraceTree::new(testing::trace_id(1));
        let mut remote = child(2, 1);
        remote.parent_is_remote = true;
        tree.add(&remote);
        tree.add(&child(1, 0));
        assert!(tree.draw(80, ColorChoice::Never).contains("\n└─ span s"));
    }

    #[test]
    fn spans_over_the_bound_are_counted() {
        let mut tree = TraceTree::new(testing::trace_id(1));
        for id in 1..=MAX_SPANS as u64 + 2 {
            tree.add(&child(id, 0));
        }
        let drawn = tree.draw(80, ColorChoice::Never);
        assert!(drawn.ends_with("\n⋯ 2 more spans are neither drawn nor counted\n\n"));
    }

    #[test]
    fn a_trace_is_given_back_when_its_root_ends_or_when_it_is_asked_for() {
        let mut pending = PendingTraces::new();
        assert!(pending.add(&[child(2, 1)]).is_empty());
        assert_eq!(pending.add(&[child(1, 0)]).len(), 1);
        assert!(pending.add(&[child(4, 3)]).is_empty());
        let open = pending.take(testing::trace_id(1)).unwrap();
        assert!(open.draw(80, ColorChoice::Never).starts_with("⋯ root still open"));
        assert!(pending.take(testing::trace_id(1)).is_none());
        assert!(pending.drain().is_empty());
    }
}
