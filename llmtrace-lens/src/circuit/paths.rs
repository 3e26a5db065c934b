//! The ways that an answer came: chains of nodes from a token, or an error, to a target.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::graph::AttributionGraph;
use super::path::{self, Inputs, Path};
use super::prune::Pruned;
use super::supernode::Supernode;

/// The net share, of the whole, from which one side is twice the other.
const MOSTLY: f64 = 1.0 / 3.0;

/// Paths that go through the same named parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedPath {
    /// Labels of supernodes, tokens and targets, from first to last; a label that follows itself is said once.
    pub steps: Vec<String>,
    /// The sum of their shares.
    pub share: f64,
    /// The sum of the shares of those that speak for the target, less that of the others.
    pub net: f64,
}

/// What paths say of their target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Speaks {
    /// They make it likelier.
    For,
    /// They make it less likely.
    Against,
    /// Some the one and some the other, neither twice as much.
    Both,
}

impl NamedPath {
    /// Its steps in one line: `"Dallas" -> Texas -> "Austin"`.
    pub fn told(&self) -> String {
        // A target's label has the arrow already.
        let steps: Vec<&str> =
            self.steps.iter().map(|step| step.strip_prefix("-> ").unwrap_or(step)).collect();
        steps.join(" -> ")
    }

    /// What they say of their target.
    pub fn speaks(&self) -> Speaks {
        // Of a share, `(share + net) / 2` speaks for it.
        match self.net / self.share.max(f64::MIN_POSITIVE) {
            net if net >= MOSTLY => Speaks::For,
            net if net <= -MOSTLY => Speaks::Against,
            _ => Speaks::Both,
        }
    }
}

/// As people read it: `for`, `against`, `both`.
impl fmt::Display for Speaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::For => "for",
            Self::Against => "against",
            Self::Both => "both",
        })
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
        let targets = (self.sources()..self.len())
            .map(|target| (target, self.weight(target) / all.max(f64::MIN_POSITIVE)));
        let inputs = |here: usize| match sizes.get(&here) {
            None if here >= self.features.len() && here < self.sources() => Inputs::Start,
            size => {
                let share =
                    |source: &usize| size.map_or(0.0, |size| f64::from(self.edge(here, *source)) / size);
                let sources = incoming.get(&here).into_iter().flatten();
                Inputs::Of(sources.map(|source| (*source, share(source))).collect())
            }
        };
        path::strongest(targets, inputs, count)
    }

    /// Paths told by the labels of the supernodes they go through, those that say the same together, the largest share first; features
    /// of no supernode are passed by, tokens and targets are called by their text.
    pub fn named_paths(&self, paths: &[Path], supernodes: &[Supernode]) -> Vec<NamedPath> {
        let labels: BTreeMap<usize, &str> = supernodes
            .iter()
            .flat_map(|group| group.nodes.iter().map(|node| (*node, group.label.as_str())))
            .collect();
        let mut named: BTreeMap<Vec<String>, [f64; 2]> = BTreeMap::new();
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
            let [share, net] = named.entry(steps).or_default();
            *share += path.share;
            *net += if path.supports { path.share } else { -path.share };
        }
        let mut named: Vec<NamedPath> =
            named.into_iter().map(|(steps, [share, net])| NamedPath { steps, share, net }).collect();
        named.sort_by(|a, b| b.share.total_cmp(&a.share));
        named
    }
}
