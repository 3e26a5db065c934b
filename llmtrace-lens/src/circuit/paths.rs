//! The ways that an answer came: chains of nodes from a token, or an error, to a target.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use serde::Serialize;

use super::graph::AttributionGraph;
use super::prune::Pruned;
use super::supernode::Supernode;

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

/// Paths that go through the same named parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedPath {
    /// Labels of supernodes, tokens and targets, from first to last; a label that follows itself is said once.
    pub steps: Vec<String>,
    /// The sum of their shares.
    pub share: f64,
}

impl NamedPath {
    /// Its steps in one line: `"Dallas" -> Texas -> "Austin"`.
    pub fn told(&self) -> String {
        // A target's label has the arrow already.
        let steps: Vec<&str> =
            self.steps.iter().map(|step| step.strip_prefix("-> ").unwrap_or(step)).collect();
        steps.join(" -> ")
    }
}

impl AttributionGraph {
    /// The `count` paths with the largest shares through the nodes and edges that are kept, the largest first.
    pub fn paths(&self, pruned: &Pruned, count: usize) -> Vec<Path> {
        let mut incoming: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (target, source) in &pruned.edges {
            incoming.entry(*target).or_default().push(*source);
        }
        let sizes: BTreeMap<usize, f64> =
            incoming.keys().map(|target| (*target, self.row_size(*target, |_| true))).collect();
        let all: f64 = self.targets.iter().map(|target| target.weight).sum();
        let mut heap: BinaryHeap<Partial> = (self.sources()..self.len())
            .map(|target| Partial {
                share: self.weight(target) / all.max(f64::MIN_POSITIVE),
                supports: true,
                nodes: vec![target],
            })
            .collect();
        let mut found = Vec::new();
        // Shares only fall on the way, so whole paths come out in their order.
        for _ in 0..count.saturating_mul(TRIED) {
            let Some(partial) = heap.pop().filter(|_| found.len() < count) else { break };
            let Some(here) = partial.nodes.last().copied() else { continue };
            let Some(size) = sizes.get(&here) else {
                if here >= self.features.len() && here < self.sources() {
                    let nodes = partial.nodes.into_iter().rev().collect();
                    found.push(Path { nodes, share: partial.share, supports: partial.supports });
                }
                continue;
            };
            for source in incoming.get(&here).into_iter().flatten() {
                let edge = self.edge(here, *source);
                let mut nodes = partial.nodes.clone();
                nodes.push(*source);
                let share = partial.share * f64::from(edge.abs()) / size;
                heap.push(Partial { share, supports: partial.supports == (edge >= 0.0), nodes });
            }
        }
        found
    }

    /// Paths told by the labels of the supernodes they go through, those that say the same together, the largest share first; features
    /// of no supernode are passed by, tokens and targets are called by their text.
    pub fn named_paths(&self, paths: &[Path], supernodes: &[Supernode]) -> Vec<NamedPath> {
        let labels: BTreeMap<usize, &str> = supernodes
            .iter()
            .flat_map(|group| group.nodes.iter().map(|node| (*node, group.label.as_str())))
            .collect();
        let mut named: BTreeMap<Vec<String>, f64> = BTreeMap::new();
        for path in paths {
            let mut steps: Vec<String> = Vec::new();
            for node in &path.nodes {
                let step = match labels.get(node) {
                    Some(label) => (*label).to_owned(),
                    None if *node < self.features.len() => continue,
                    None => self.node_label(*node),
                };
                if steps.last() != Some(&step) {
                    steps.push(step);
                }
            }
            *named.entry(steps).or_default() += path.share;
        }
        let mut named: Vec<NamedPath> =
            named.into_iter().map(|(steps, share)| NamedPath { steps, share }).collect();
        named.sort_by(|a, b| b.share.total_cmp(&a.share));
        named
    }
}

/// A chain that has not come to a token yet; the one with the largest share is gone on with first.
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
