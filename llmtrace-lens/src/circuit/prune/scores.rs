//! How far a graph may be trusted.

use serde::{Deserialize, Serialize};

use crate::circuit::graph::AttributionGraph;

/// How much of an answer a graph's features account for (Ameisen et al. 2025; `compute_graph_scores` of circuit-tracer); 1 is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Influence of the tokens over that of tokens and errors: how much of the answer comes from the prompt through features alone.
    pub replacement: f64,
    /// The share of each node's input that is no error's, weighed by the node's influence.
    pub completeness: f64,
}

impl AttributionGraph {
    /// How much of the answer its features account for.
    pub fn scores(&self) -> Scores {
        let influence = self.influence();
        let (features, sources) = (self.features.len(), self.sources());
        let first_token = sources - self.tokens.len();
        let sum = |nodes: std::ops::Range<usize>| nodes.map(|node| influence.of(node)).sum::<f64>();
        let (errors, tokens) = (sum(features..first_token), sum(first_token..sources));
        // Nodes without a row have no error in it.
        let (mut without, mut all) = (errors + tokens, errors + tokens);
        for target in self.rows() {
            let weight = influence.of(target) + self.weight(target);
            let row = self.row(target);
            let of_errors = row.iter().take(first_token).skip(features);
            let share =
                of_errors.map(|edge| f64::from(edge.abs())).sum::<f64>() / self.row_size(target, |_| true);
            without += weight * (1.0 - share);
            all += weight;
        }
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 1.0 };
        Scores { replacement: share(tokens, tokens + errors), completeness: share(without, all) }
    }
}
