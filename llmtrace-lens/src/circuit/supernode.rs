//! Nodes that mean one thing together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::CircuitError;
use super::graph::{AttributionGraph, floats};
use super::prune::Pruned;
use super::transcoder::Transcoders;
use super::write::GraphFile;

/// Nodes under one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supernode {
    /// What they mean together.
    pub label: String,
    /// Their numbers.
    pub nodes: Vec<usize>,
}

/// A supernode being made, and the direction of its first feature.
struct Group {
    key: (usize, usize),
    direction: Vec<f32>,
    nodes: Vec<usize>,
}

impl AttributionGraph {
    /// Proposes supernodes of the kept features: one feature over positions, and features that write in nearly the same direction, whose cosine to
    /// the group's most influential feature is at least `cosine`. Groups of one are left out; the label is the first feature's.
    /// Features with a label are left to [`labelled_supernodes`](Self::labelled_supernodes).
    ///
    /// # Errors
    /// The transcoders are not those of the graph, or a file cannot be read.
    pub fn propose_supernodes(
        &self,
        transcoders: &Transcoders,
        pruned: &Pruned,
        cosine: f32,
    ) -> Result<Vec<Supernode>, CircuitError> {
        let influence = self.influence();
        let mut order: Vec<usize> = self.kept_features(pruned).collect();
        order.retain(|node| self.label(*node).is_none());
        order.sort_by(|a, b| influence.of(*b).total_cmp(&influence.of(*a)));
        let mut groups: Vec<Group> = Vec::new();
        for node in order {
            let Some(at) = self.features.get(node) else { continue };
            let key = (at.layer, at.feature);
            if let Some(group) = groups.iter_mut().find(|group| group.key == key) {
                group.nodes.push(node);
                continue;
            }
            // The last layer that it writes to is the same for all where there are several.
            let to = transcoders.writes(at.layer).end.saturating_sub(1);
            let direction = unit(floats(&transcoders.decoders(at.layer, &[at.feature], to)?)?);
            let alike = |group: &&mut Group| {
                let products = group.direction.iter().zip(&direction).map(|(a, b)| a * b);
                products.sum::<f32>() >= cosine
            };
            match groups.iter_mut().find(alike) {
                Some(group) => group.nodes.push(node),
                None => groups.push(Group { key, direction, nodes: vec![node] }),
            }
        }
        let several = groups.into_iter().filter(|group| group.nodes.len() > 1);
        Ok(several
            .map(|group| Supernode {
                label: format!("L{} F{}", group.key.0, group.key.1),
                nodes: group.nodes,
            })
            .collect())
    }
}

impl AttributionGraph {
    /// The kept features that have labels, those of one label together, by label.
    pub fn labelled_supernodes(&self, pruned: &Pruned) -> Vec<Supernode> {
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for node in self.kept_features(pruned) {
            if let Some(label) = self.label(node) {
                groups.entry(label).or_default().push(node);
            }
        }
        let groups = groups.into_iter();
        groups.map(|(label, nodes)| Supernode { label: label.to_owned(), nodes }).collect()
    }

    fn kept_features(&self, pruned: &Pruned) -> impl Iterator<Item = usize> {
        (0..self.features.len()).filter(|node| pruned.nodes.get(*node).copied().unwrap_or(false))
    }

    fn label(&self, node: usize) -> Option<&str> {
        let at = self.features.get(node)?;
        self.labels.of(at.layer, at.feature)
    }
}

impl GraphFile {
    /// With these supernodes, of the graph that the file is of; nodes that the file does not have are left out.
    pub fn with_supernodes(mut self, graph: &AttributionGraph, supernodes: &[Supernode]) -> Self {
        let there = |id: &String| self.nodes.iter().any(|node| node.node_id == *id);
        let rows = supernodes.iter().map(|group| {
            let ids = group.nodes.iter().map(|node| graph.node_id(*node)).filter(there);
            std::iter::once(group.label.clone()).chain(ids).collect()
        });
        self.query.supernodes = rows.collect();
        self
    }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.into_iter().map(|value| value / length).collect()
}
