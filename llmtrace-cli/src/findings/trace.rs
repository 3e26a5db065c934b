//! One trace, as rules look at it.

use std::collections::HashMap;

use llmtrace::{ObservationKind, SpanRecord, Usage};

use super::counted;
use super::summary::{self, Figures, Key};

/// One trace: its spans in order of their starts, each once.
#[derive(Clone, Debug)]
pub(crate) struct Trace<'a> {
    nodes: Vec<Node<'a>>,
}

/// A span in its trace.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(super) span: &'a SpanRecord,
    /// The place of its parent, where that is in the trace.
    pub(super) parent: Option<usize>,
    /// Whether it is a call of a model that stands for itself, and for no other call within it or around it.
    pub(super) is_counted: bool,
    pub(super) usage: Usage,
    pub(super) figures: Figures,
    pub(super) key: Key,
}

/// Spans above one that are looked at.
const MAX_DEPTH: usize = 64;

impl<'a> Trace<'a> {
    pub(super) fn new(spans: &'a [SpanRecord]) -> Self {
        let mut last: HashMap<_, &SpanRecord> = HashMap::with_capacity(spans.len());
        for span in spans {
            last.insert(span.span_id, span);
        }
        let mut spans: Vec<&SpanRecord> = last.into_values().collect();
        spans.sort_unstable_by_key(|span| (span.start, span.span_id));
        let usages: Vec<Usage> = spans.iter().map(|span| span.usage()).collect();
        let links: Vec<_> =
            spans.iter().zip(&usages).map(|(span, usage)| summary::link(span, usage)).collect();
        let tree = counted::tree(&links);
        let nodes = spans.into_iter().zip(usages).zip(tree.parents.into_iter().zip(tree.counted));
        let nodes = nodes.map(|((span, usage), (parent, is_counted))| Node {
            span,
            parent,
            is_counted,
            figures: summary::figures(span, &usage),
            usage,
            key: Key::of(span),
        });
        Self { nodes: nodes.collect() }
    }

    /// All spans.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a SpanRecord> {
        self.nodes.iter().map(|node| node.span)
    }

    /// All spans but calls that stand for another one.
    pub(super) fn spans(&self) -> impl Iterator<Item = &Node<'a>> {
        self.nodes.iter().filter(|node| node.is_counted || !node.span.kind.is_model_call())
    }

    /// The spans that a span lies in, the nearest first; at most [`MAX_DEPTH`] of them, as they may be a circle.
    pub(super) fn above(&self, node: &Node<'a>) -> impl Iterator<Item = &Node<'a>> {
        let parent_of = |node: &Node<'a>| node.parent.and_then(|place| self.nodes.get(place));
        std::iter::successors(parent_of(node), move |node| parent_of(node)).take(MAX_DEPTH)
    }

    /// Calls of models.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Node<'a>> {
        self.nodes.iter().filter(|node| node.is_counted)
    }

    /// Calls of models that write text.
    pub(super) fn generations(&self) -> impl Iterator<Item = &Node<'a>> {
        self.calls().filter(|node| node.span.kind == ObservationKind::Generation)
    }
}

/// The calls of a trace that count, in order of their starts; of those within each other, one.
pub(crate) fn counted_calls(spans: &[SpanRecord]) -> Vec<&SpanRecord> {
    Trace::new(spans).calls().map(|node| node.span).collect()
}
