//! The strongest chains of nodes that lead to a target.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

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
    let mut search = Search { inputs, known: BTreeMap::new(), steps: Vec::new(), heap: BinaryHeap::new() };
    for (node, share) in targets {
        search.enter(Step { node, after: None }, share, true, None);
    }
    let mut found = Vec::new();
    // Shares only fall on the way, so whole chains come out in their order.
    for _ in 0..count.saturating_mul(TRIED) {
        let Some(partial) = search.heap.pop().filter(|_| found.len() < count) else { break };
        if search.go_on(&partial) {
            found.push(Path {
                nodes: search.nodes(partial.step),
                share: partial.share,
                supports: partial.supports,
            });
        }
    }
    found
}

/// The chains that are gone on with. Of a node's inputs the next one enters when the one before it was the best of all, so that a
/// chain costs the same whatever the number of inputs.
struct Search<F> {
    inputs: F,
    /// The inputs of nodes, the largest first; none where a chain starts.
    known: BTreeMap<usize, Option<Vec<(usize, f64)>>>,
    steps: Vec<Step>,
    heap: BinaryHeap<Partial>,
}

/// A node of chains, and the step that comes after it towards the target.
#[derive(Clone, Copy)]
struct Step {
    node: usize,
    after: Option<usize>,
}

/// A chain that has not come to its start yet; the one with the largest share is gone on with first.
#[derive(Clone, Copy)]
struct Partial {
    share: f64,
    supports: bool,
    /// Its first step.
    step: usize,
    /// Which input of the step after it this is; none of a target.
    input: Option<Input>,
}

/// One of the inputs of a step, and what its chains have of their own.
#[derive(Clone, Copy)]
struct Input {
    rank: usize,
    share: f64,
    supports: bool,
}

impl<F: Fn(usize) -> Inputs> Search<F> {
    /// Goes on with the chains that end like this one; tells whether it is whole.
    fn go_on(&mut self, partial: &Partial) -> bool {
        let Some(step) = self.steps.get(partial.step).copied() else { return false };
        if let (Some(after), Some(input)) = (step.after, partial.input) {
            self.enter_input(after, Input { rank: input.rank + 1, ..input });
        }
        let whole = self.inputs_of(step.node).is_none();
        if !whole {
            self.enter_input(
                partial.step,
                Input { rank: 0, share: partial.share, supports: partial.supports },
            );
        }
        whole
    }

    /// Enters the chain through one input of a step, where there is that many.
    fn enter_input(&mut self, after: usize, input: Input) {
        let Some(node) = self.steps.get(after).map(|step| step.node) else { return };
        let source = self.inputs_of(node).and_then(|inputs| inputs.get(input.rank)).copied();
        let Some((source, share)) = source else { return };
        let supports = input.supports == (share >= 0.0);
        self.enter(
            Step { node: source, after: Some(after) },
            input.share * share.abs(),
            supports,
            Some(input),
        );
    }

    fn enter(&mut self, step: Step, share: f64, supports: bool, input: Option<Input>) {
        self.heap.push(Partial { share, supports, step: self.steps.len(), input });
        self.steps.push(step);
    }

    fn inputs_of(&mut self, node: usize) -> Option<&[(usize, f64)]> {
        let inputs = &self.inputs;
        let known = self.known.entry(node).or_insert_with(|| match inputs(node) {
            Inputs::Start => None,
            Inputs::Of(mut sources) => {
                sources.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
                Some(sources)
            }
        });
        known.as_deref()
    }

    /// The nodes from a step to the target.
    fn nodes(&self, first: usize) -> Vec<usize> {
        let step = |at: &usize| self.steps.get(*at);
        let chain = std::iter::successors(Some(first), |at| step(at).and_then(|step| step.after));
        chain.filter_map(|at| step(&at).map(|step| step.node)).collect()
    }
}

impl Ord for Partial {
    fn cmp(&self, other: &Self) -> Ordering {
        self.share.total_cmp(&other.share).then(other.step.cmp(&self.step))
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
