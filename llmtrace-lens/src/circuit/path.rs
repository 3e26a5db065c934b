//! The strongest chains of nodes that lead to a target.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde::Serialize;

/// Chains that are looked at for each one that is listed, at most.
const TRIED: usize = 10_000;

/// A chain of nodes, each adding to the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Path {
    /// Their numbers, from a token or an error to a target.
    pub nodes: Vec<usize>,
    /// Which share of all influence on the targets comes along it: the product of its edges, each as a share of the sizes of its
    /// target's row, and of the target's share of all targets. The shares of all paths of the whole graph sum to 1.
    pub share: f64,
    /// Whether it speaks for the target: an even number of its edges are below 0.
    pub supports: bool,
}

/// What leads to a node.
pub(super) enum Inputs {
    /// Nothing: a chain starts here.
    Start,
    /// Nodes, each with its share of all inputs, below 0 where it takes away.
    Of(Vec<(usize, f64)>),
}

/// The `count` chains with the largest shares that lead to the targets, each of these with its own share; the largest first.
pub(super) fn strongest(
    targets: impl Iterator<Item = (usize, f64)>,
    inputs: impl Fn(usize) -> Inputs,
    count: usize,
) -> Vec<Path> {
    let start = |(target, share)| Partial { share, supports: true, nodes: vec![target] };
    let mut heap: BinaryHeap<Partial> = targets.map(start).collect();
    let mut found = Vec::new();
    // Shares only fall on the way, so whole chains come out in their order.
    for _ in 0..count.saturating_mul(TRIED) {
        let Some(partial) = heap.pop().filter(|_| found.len() < count) else { break };
        let Some(here) = partial.nodes.last().copied() else { continue };
        match inputs(here) {
            Inputs::Start => {
                let nodes = partial.nodes.into_iter().rev().collect();
                found.push(Path { nodes, share: partial.share, supports: partial.supports });
            }
            Inputs::Of(sources) => heap.extend(sources.into_iter().map(|(source, share)| {
                let mut nodes = partial.nodes.clone();
                nodes.push(source);
                let supports = partial.supports == (share >= 0.0);
                Partial { share: partial.share * share.abs(), supports, nodes }
            })),
        }
    }
    found
}

/// A chain that has not come to its start yet; the one with the largest share is gone on with first.
struct Partial {
    share: f64,
    supports: bool,
    nodes: Vec<usize>,
}

impl Ord for Partial {
    fn cmp(&self, other: &Self) -> Ordering {
        self.share.total_cmp(&other.share).then_with(|| other.nodes.cmp(&self.nodes))
    }
}

impl PartialOrd for Partial {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Partial {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Partial {}
