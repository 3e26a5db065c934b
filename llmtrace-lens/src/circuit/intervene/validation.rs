//! A graph against the model: what it foretells and what is measured.

use serde::Serialize;

use super::change::{Change, Held};
use super::experiment::{Experiment, Outcome};
use crate::circuit::error::CircuitError;
use crate::circuit::graph::ActiveFeature;
use crate::statistics;

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
    /// What the graph foretells against whole effects with nothing held: what it does not know of, attention and norms that answer
    /// too, counts.
    pub free: Agreement,
    /// What the graph's features foretell when norms' divisors follow them ([`Experiment::run_features`] with
    /// [`Held::Patterns`]), against whole effects with nothing held: what is left is attention's, and that of features which were not active.
    pub with_norms: Agreement,
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
    /// By how much each target changes.
    pub targets: Vec<TargetCheck>,
}

/// By how much a target changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TargetCheck {
    /// As the graph foretells.
    pub foretold: f64,
    /// As its features foretell when norms' divisors follow them.
    pub with_norms: f64,
    /// As it does with attention patterns and norms' divisors held.
    pub held: f64,
    /// As it does with nothing held.
    pub free: f64,
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
        self.validate_telling(count, |_, _| {})
    }

    /// The same, telling after each feature how many are done, of how many.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn validate_telling(
        &self,
        count: usize,
        mut tell: impl FnMut(usize, usize),
    ) -> Result<Validation, CircuitError> {
        let graph = self.graph();
        let influence = graph.influence();
        let mut order: Vec<usize> = (0..graph.features.len()).collect();
        order.sort_by(|a, b| influence.of(*b).total_cmp(&influence.of(*a)));
        order.truncate(count);
        let all = order.len();
        let before = self.run(&[], Held::Everything)?;
        let (mut nodes, mut direct) = (Vec::new(), Vec::new());
        for (done, node) in order.into_iter().enumerate() {
            let Some(feature) = graph.features.get(node).copied() else { continue };
            let change = [Change::scale(&feature, 0.0)];
            let constrained = self.run(&change, Held::Everything)?;
            let pairs = self.direct_pairs(node, &before, &constrained);
            nodes.push(NodeCheck {
                node,
                feature,
                influence: influence.of(node),
                direct: Agreement::of(&pairs),
                targets: self.target_checks(node, &change, &before)?,
            });
            direct.extend(pairs);
            tell(done + 1, all);
        }
        let of = |foretold: fn(&TargetCheck) -> f64, measured: fn(&TargetCheck) -> f64| {
            let all = nodes.iter().flat_map(|check| &check.targets);
            Agreement::of(&all.map(|check| (foretold(check), measured(check))).collect::<Vec<_>>())
        };
        let total = of(|check| check.foretold, |check| check.held);
        let free = of(|check| check.foretold, |check| check.free);
        let with_norms = of(|check| check.with_norms, |check| check.free);
        let validation = Validation { nodes, direct: Agreement::of(&direct), total, free, with_norms };
        validation.record_on(&self.span);
        Ok(validation)
    }

    /// Foretold and measured changes of each target when one feature is ablated.
    fn target_checks(
        &self,
        node: usize,
        change: &[Change],
        before: &Outcome,
    ) -> Result<Vec<TargetCheck>, CircuitError> {
        let outcomes = [
            self.run_features(change, Held::Patterns)?,
            self.run(change, Held::PatternsAndNorms)?,
            self.run(change, Held::Nothing)?,
        ];
        let moved = |outcome: &Outcome, target: usize| {
            let (after, before) = (outcome.targets.get(target), before.targets.get(target));
            after.zip(before).map_or(0.0, |(after, before)| after - before)
        };
        let checks = self.foretold(node, 0.0).into_iter().enumerate().map(|(target, foretold)| {
            let [with_norms, held, free] = outcomes.each_ref().map(|outcome| moved(outcome, target));
            TargetCheck { foretold, with_norms, held, free }
        });
        Ok(checks.collect())
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

impl Validation {
    /// What was found, one sentence a comparison, the graph's own claim first.
    pub fn told(&self) -> Vec<String> {
        let count = self.nodes.len();
        let of = |agreement: &Agreement| match agreement.correlation {
            Some(correlation) => format!("correlate with {correlation:.3}"),
            None => "do not vary, so that there is no correlation".to_owned(),
        };
        vec![
            format!("{count} features were ablated one by one, and the changes of the targets compared"),
            format!(
                "attention and norms held, as the graph has them: foretold and measured {}",
                of(&self.total)
            ),
            format!("nothing held: what the graph foretells and what the model does {}", of(&self.free)),
            format!(
                "nothing held, norms following the graph's features: foretold and measured {}",
                of(&self.with_norms)
            ),
        ]
    }
}

impl Agreement {
    /// Of foretold and measured changes.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let (foretold, measured): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let largest = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).fold(0.0, f64::max);
        Self {
            count: pairs.len(),
            correlation: statistics::correlation(&foretold, &measured),
            largest_error: largest(|(a, b)| (a - b).abs()),
            largest_change: largest(|(_, b)| b.abs()),
        }
    }
}
