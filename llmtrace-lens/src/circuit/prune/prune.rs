//! The part of a graph that carries most of its influence.

use serde::{Deserialize, Serialize};

use crate::circuit::graph::AttributionGraph;

/// Which share of influence is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Of that of all nodes.
    pub nodes: f64,
    /// Of that of the edges between the nodes kept.
    pub edges: f64,
}

impl Default for Thresholds {
    /// circuit-tracer's: 0.8 of the nodes' influence, 0.98 of the edges'.
    fn default() -> Self {
        Self { nodes: 0.8, edges: 0.98 }
    }
}

/// The nodes and edges that are kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pruned {
    /// How much was to be kept.
    pub thresholds: Thresholds,
    /// Whether each node is kept; tokens and targets always are.
    pub nodes: Vec<bool>,
    /// The edges that are kept, target and source, by number.
    pub edges: Vec<(usize, usize)>,
}

impl AttributionGraph {
    /// Keeps the nodes with the most influence up to a share of it, of the edges between them likewise, and then drops features and
    /// errors that lead nowhere and features that nothing leads to (`prune_graph` of circuit-tracer).
    pub fn prune(&self, thresholds: Thresholds) -> Pruned {
        let influence = self.influence();
        let least = threshold(influence.0.iter().copied(), thresholds.nodes);
        let always = self.sources() - self.tokens.len();
        let mut nodes: Vec<bool> =
            influence.0.iter().enumerate().map(|(node, score)| node >= always || *score >= least).collect();
        let mut edges = self.edges_within(&nodes, thresholds.edges);
        while self.drop_dead_ends(&mut nodes, &edges) {
            let kept = |node: &usize| nodes.get(*node).copied().unwrap_or(false);
            edges.retain(|(target, source)| kept(target) && kept(source));
        }
        Pruned { thresholds, nodes, edges }
    }

    /// The edges between kept nodes with most of the influence.
    fn edges_within(&self, nodes: &[bool], share: f64) -> Vec<(usize, usize)> {
        let kept = |node: usize| nodes.get(node).copied().unwrap_or(false);
        let influence = self.influence_within(nodes);
        // Twice over the rows: the scores of all edges with their ends would take thrice the memory of the graph.
        let scores = |target: usize| {
            let weight = influence.of(target) + self.weight(target);
            let size = self.row_size(target, kept);
            let edges = self.row(target).iter().enumerate();
            let edges = edges.filter(move |(source, edge)| **edge != 0.0 && kept(*source));
            edges.map(move |(source, edge)| (weight * f64::from(edge.abs()) / size, source))
        };
        let targets = || self.rows().filter(|target| kept(*target));
        let least = threshold(targets().flat_map(scores).map(|(score, _)| score), share);
        let edges = targets().flat_map(|target| scores(target).map(move |edge| (target, edge)));
        let edges = edges.filter(|(_, (score, _))| *score >= least && *score > 0.0);
        edges.map(|(target, (_, source))| (target, source)).collect()
    }

    /// Drops features and errors without an edge out and features without one in; tells whether there were any.
    fn drop_dead_ends(&self, nodes: &mut [bool], edges: &[(usize, usize)]) -> bool {
        let (mut led_to, mut leads) = (vec![false; nodes.len()], vec![false; nodes.len()]);
        for (target, source) in edges {
            if let (Some(to), Some(from)) = (led_to.get_mut(*target), leads.get_mut(*source)) {
                (*to, *from) = (true, true);
            }
        }
        let features = self.features.len();
        let inner = self.sources() - self.tokens.len();
        let mut dropped = false;
        for (node, kept) in nodes.iter_mut().enumerate().take(inner) {
            let from = leads.get(node) == Some(&true);
            let to = node >= features || led_to.get(node) == Some(&true);
            if *kept && !(from && to) {
                (*kept, dropped) = (false, true);
            }
        }
        dropped
    }
}

/// The score at which the largest scores reach a share of their sum.
fn threshold(scores: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut scores: Vec<f64> = scores.collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let total: f64 = scores.iter().sum();
    let mut sum = 0.0;
    for score in &scores {
        sum += score;
        if sum >= share * total {
            return *score;
        }
    }
    scores.last().copied().unwrap_or(0.0)
}
