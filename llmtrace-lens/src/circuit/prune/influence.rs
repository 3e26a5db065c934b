//! How much each node matters to a graph's targets.

use serde::Serialize;

use crate::circuit::graph::AttributionGraph;

/// Below this a row counts as empty (circuit-tracer's bound).
const EMPTY: f64 = 1e-10;

/// How much each node matters to the targets, directly or through other nodes: edges by size, each row made to sum to 1, and the
/// weights of the targets followed down all paths (`compute_influence` of circuit-tracer).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Influence(pub Vec<f64>);

impl AttributionGraph {
    /// How much each node matters to the targets; targets themselves have 0.
    pub fn influence(&self) -> Influence {
        self.influence_within(&vec![true; self.len()])
    }

    /// The same with the nodes that are not `kept` taken out.
    pub(super) fn influence_within(&self, kept: &[bool]) -> Influence {
        let kept = |node: usize| kept.get(node).copied().unwrap_or(false);
        let mut influence = vec![0.0; self.len()];
        // Sources are numbered before what they add to, so from the last row to the first every node is whole when it is read.
        for target in self.rows().rev().filter(|target| kept(*target)) {
            let weight = self.weight(target) + influence.get(target).copied().unwrap_or(0.0);
            let size = self.row_size(target, kept);
            if weight == 0.0 {
                continue;
            }
            for (source, edge) in self.row(target).iter().enumerate().filter(|(source, _)| kept(*source)) {
                if let Some(sum) = influence.get_mut(source) {
                    *sum += weight * f64::from(edge.abs()) / size;
                }
            }
        }
        Influence(influence)
    }

    /// The sum of the sizes of a row's edges from nodes that are kept.
    pub(crate) fn row_size(&self, target: usize, kept: impl Fn(usize) -> bool) -> f64 {
        let edges = self.row(target).iter().enumerate().filter(|(source, _)| kept(*source));
        edges.map(|(_, edge)| f64::from(edge.abs())).sum::<f64>().max(EMPTY)
    }
}

impl Influence {
    /// A node's influence; 0 of a node that is not there.
    pub fn of(&self, node: usize) -> f64 {
        self.0.get(node).copied().unwrap_or(0.0)
    }

    /// For each node, which share of all influence it and the nodes above it have: the smaller, the more it matters.
    pub fn cumulative(&self) -> Vec<f64> {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by(|a, b| self.of(*b).total_cmp(&self.of(*a)));
        let total: f64 = self.0.iter().sum();
        let mut shares = vec![0.0; self.0.len()];
        let mut sum = 0.0;
        for node in order {
            sum += self.of(node);
            if let Some(share) = shares.get_mut(node) {
                *share = if total > 0.0 { sum / total } else { 1.0 };
            }
        }
        shares
    }
}
