//! A graph against the model: what it foretells and what is measured.

use serde::Serialize;

use super::change::{Change, Held};
use super::experiment::{Experiment, Outcome};
use crate::circuit::error::CircuitError;
use crate::circuit::graph::ActiveFeature;

/// How far a graph may be trusted: its most influential features ablated one by one, what the graph foretells against what the model does.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Validation {
    /// The features tried, the most influential first.
    pub nodes: Vec<NodeCheck>,
    /// Direct effects on all features and targets with everything held: the graph's own arithmetic, 1 up to rounding.
    pub direct: Agreement,
    /// Whole effects on the targets with attention patterns and norms' divisors held, features answering each other: how well the
    /// graph foretells what it claims to.
    pub total: Agreement,
    /// The same with nothing held: what the graph does not know of, attention and norms that answer too, counts.
    pub free: Agreement,
}

/// One feature ablated.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct NodeCheck {
    /// Its node's number.
    pub node: usize,
    /// The feature.
    pub feature: ActiveFeature,
    /// Its influence.
    pub influence: f64,
    /// Direct effects on features and targets.
    pub direct: Agreement,
    /// By how much each target changes as the graph foretells, as it does with patterns and norms held, and with nothing held.
    pub targets: Vec<[f64; 3]>,
}

/// Foretold and measured changes side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Agreement {
    /// How many were compared.
    pub count: usize,
    /// Pearson's correlation; none where one side does not vary.
    pub correlation: Option<f64>,
    /// The largest difference.
    pub largest_error: f64,
    /// The largest measured change.
    pub largest_change: f64,
}

impl Experiment<'_> {
    /// Ablates the graph's `count` most influential features, one at a time.
    ///
    /// The whole effect is foretold by the graph alone: each feature's pre-activation is moved by its edges' shares, its
    /// activation follows, and so on to the targets.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn validate(&self, count: usize) -> Result<Validation, CircuitError> {
        let graph = self.graph();
        let influence = graph.influence();
        let mut order: Vec<usize> = (0..graph.features.len()).collect();
        order.sort_by(|a, b| influence.of(*b).total_cmp(&influence.of(*a)));
        let before = self.run(&[], Held::Everything)?;
        let free_before = self.run(&[], Held::Nothing)?;
        let (mut nodes, mut direct) = (Vec::new(), Vec::new());
        for node in order.into_iter().take(count) {
            let Some(feature) = graph.features.get(node).copied() else { continue };
            let change = [Change::scale(&feature, 0.0)];
            let constrained = self.run(&change, Held::Everything)?;
            let pairs = self.direct_pairs(node, &before, &constrained);
            let total = self.run(&change, Held::PatternsAndNorms)?;
            let free = self.run(&change, Held::Nothing)?;
            let moved = self.foretold(node, 0.0);
            let measured = moved.iter().zip(&total.targets).zip(&free.targets).zip(&free_before.targets);
            let targets =
                measured.map(|(((moved, total), free), was)| [*moved, total - was, free - was]).collect();
            nodes.push(NodeCheck {
                node,
                feature,
                influence: influence.of(node),
                direct: Agreement::of(&pairs),
                targets,
            });
            direct.extend(pairs);
        }
        let on_targets = |column: usize| -> Vec<(f64, f64)> {
            let all = nodes.iter().flat_map(|check| &check.targets);
            all.filter_map(|row| Some((*row.first()?, *row.get(column)?))).collect()
        };
        let (total, free) = (Agreement::of(&on_targets(1)), Agreement::of(&on_targets(2)));
        Ok(Validation { nodes, direct: Agreement::of(&direct), total, free })
    }

    /// By how much each target changes if a feature's activation becomes `factor` times what it was, as the graph has it.
    pub fn foretold(&self, node: usize, factor: f64) -> Vec<f64> {
        let graph = self.graph();
        // By how much each source changes, as a share of itself.
        let mut moved: Vec<(usize, f64)> = vec![(node, factor - 1.0)];
        let change = |target: usize, moved: &[(usize, f64)]| -> f64 {
            moved.iter().map(|(source, share)| f64::from(graph.edge(target, *source)) * share).sum()
        };
        for (target, feature) in graph.features.iter().enumerate().skip(node + 1) {
            let more = change(target, &moved);
            if more == 0.0 || feature.activation == 0.0 {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
            let after = self.would_be(feature, (f64::from(feature.pre_activation) + more) as f32);
            moved.push((target, f64::from(after / feature.activation) - 1.0));
        }
        let targets = graph.sources()..graph.len();
        targets.map(|target| change(target, &moved)).collect()
    }

    /// Foretold and measured direct changes of every feature that could change and every target.
    fn direct_pairs(&self, node: usize, before: &Outcome, after: &Outcome) -> Vec<(f64, f64)> {
        let graph = self.graph();
        let features = graph.features.iter().enumerate().filter_map(|(target, feature)| {
            let key = (feature.layer, feature.position, feature.feature);
            let at = |outcome: &Outcome| {
                let found = outcome
                    .features
                    .binary_search_by_key(&key, |node| (node.layer, node.position, node.feature))
                    .ok()?;
                outcome.features.get(found).map(|node| f64::from(node.pre_activation))
            };
            Some((-f64::from(graph.edge(target, node)), at(after)? - at(before)?))
        });
        let first = graph.sources();
        let targets = after.targets.iter().zip(&before.targets).enumerate();
        let targets = targets
            .map(|(target, (after, before))| (-f64::from(graph.edge(first + target, node)), after - before));
        features.chain(targets).collect()
    }
}

impl Agreement {
    /// Of foretold and measured changes.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let count = pairs.len() as f64;
        let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / count.max(1.0);
        let (foretold, measured) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
        for (a, b) in pairs {
            let (a, b) = (a - foretold, b - measured);
            both += a * b;
            first += a * a;
            second += b * b;
        }
        let largest = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).fold(0.0, f64::max);
        Self {
            count: pairs.len(),
            correlation: (first > 0.0 && second > 0.0).then(|| both / (first * second).sqrt()),
            largest_error: largest(|(a, b)| (a - b).abs()),
            largest_change: largest(|(_, b)| b.abs()),
        }
    }
}
