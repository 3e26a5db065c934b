//! Two traces side by side.

use llmtrace::SpanRecord;
use serde::Serialize;

use super::align::align;
use super::delta::Delta;
use super::diff::{Budget, MessageDiff};
use super::side::{SpanSide, TraceSide};
use super::tree::{Tree, likeness};

/// Two traces side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TraceComparison {
    pub(crate) a: TraceSide,
    pub(crate) b: TraceSide,
    /// The sums of both.
    pub(crate) totals: Vec<Delta>,
    /// Their spans in the order of one tree, those that answer each other in one row.
    pub(crate) rows: Vec<SpanPair>,
    /// Rows beyond the bound, which are left out.
    pub(crate) left_out: u64,
}

/// Two spans that answer each other, or one that only one side has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SpanPair {
    /// How many spans it lies in.
    pub(crate) depth: u32,
    pub(crate) a: Option<SpanSide>,
    pub(crate) b: Option<SpanSide>,
    /// The figures of both.
    pub(crate) deltas: Vec<Delta>,
    /// How what was said differs; `None` where it does not, or where only one side has the span.
    pub(crate) messages: Option<MessageDiff>,
}

/// Rows that are kept.
const MAX_ROWS: usize = 5_000;

/// Puts two traces side by side.
///
/// Children are aligned in order, those that are alike in kind, name and input in one row. It is linear in the number of
/// spans but for siblings, of which up to a million pairs are weighed.
pub(crate) fn traces(a: &[SpanRecord], b: &[SpanRecord]) -> Option<TraceComparison> {
    let (sides, trees) = ((TraceSide::of(a)?, TraceSide::of(b)?), (Tree::new(a), Tree::new(b)));
    let totals = Delta::of(Some(&sides.0.figures), Some(&sides.1.figures));
    let (mut rows, mut left_out, mut budget) = (Vec::new(), 0, Budget::default());
    let mut stack = vec![(None, None, 0)];
    let mut is_top = true;
    while let Some((a, b, depth)) = stack.pop() {
        if !is_top {
            if rows.len() < MAX_ROWS {
                rows.push(pair(&trees, (a, b), depth - 1, &mut budget));
            } else {
                left_out += 1;
            }
        }
        // A span that only one side has takes nothing of the other with it.
        let below = |tree: &Tree<'_>, place: Option<usize>| {
            if is_top || place.is_some() { tree.below(place).to_vec() } else { Vec::new() }
        };
        let (of_a, of_b) = (below(&trees.0, a), below(&trees.1, b));
        is_top = false;
        let pairs = align(of_a.len(), of_b.len(), |i, j| {
            let a = of_a.get(i).and_then(|place| trees.0.span(*place))?;
            likeness(a, of_b.get(j).and_then(|place| trees.1.span(*place))?)
        });
        stack.extend(pairs.into_iter().rev().map(|(i, j)| {
            let place = |children: &[usize], number: Option<usize>| children.get(number?).copied();
            (place(&of_a, i), place(&of_b, j), depth + 1)
        }));
    }
    let (a, b) = sides;
    Some(TraceComparison { a, b, totals, rows, left_out })
}

fn pair(
    trees: &(Tree<'_>, Tree<'_>),
    (a, b): (Option<usize>, Option<usize>),
    depth: u32,
    budget: &mut Budget,
) -> SpanPair {
    let a = a.and_then(|place| trees.0.span(place));
    let b = b.and_then(|place| trees.1.span(place));
    let messages = a.zip(b).and_then(|(a, b)| MessageDiff::of(a, b, budget));
    let (a, b) = (a.map(SpanSide::of), b.map(SpanSide::of));
    let figures = |side: &Option<SpanSide>| side.as_ref().map(|side| side.figures);
    let deltas = Delta::of(figures(&a).as_ref(), figures(&b).as_ref());
    SpanPair { depth, a, b, deltas, messages }
}

impl SpanPair {
    /// Whether both sides have it, and neither its status nor its model nor its messages differ.
    pub(crate) fn is_alike(&self) -> bool {
        let both = self.a.as_ref().zip(self.b.as_ref());
        both.is_some_and(|(a, b)| (a.status, &a.model) == (b.status, &b.model)) && self.messages.is_none()
    }
}
