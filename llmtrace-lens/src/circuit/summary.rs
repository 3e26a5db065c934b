//! A graph in a few figures and sentences.

use serde::Serialize;

use super::error::CircuitError;
use super::feature::TokenEffect;
use super::graph::{AttributionGraph, Node, TargetNode};
use super::intervene::Validation;
use super::paths::NamedPath;
use super::prune::Pruned;
use super::supernode::Supernode;
use super::transcoder::{TranscoderKind, Transcoders};
use crate::model::{Model, TokenLabel};

/// How many of the strongest paths are put together by their names, at least, and for each that is told.
const PATHS: usize = 64;
const PATHS_EACH: usize = 8;

/// What a graph says, in a few figures and sentences.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct GraphSummary {
    /// The model's name.
    pub model: String,
    /// The prompt as a text, special tokens included.
    pub prompt: String,
    /// The prompt's tokens.
    pub tokens: Vec<TokenLabel>,
    /// How the features are made.
    pub transcoders: TranscoderKind,
    /// How many features were active.
    pub active_features: usize,
    /// Nodes of the whole graph, and those that are kept.
    pub nodes: Kept,
    /// Its edges that are not 0, and those that are kept.
    pub edges: Kept,
    /// The nodes that are kept, by kind.
    pub kinds: Kinds,
    /// How much of the answer comes from the prompt through features alone: see [`Scores`](super::Scores).
    pub replacement: f64,
    /// The share of each node's input that is no error's.
    pub completeness: f64,
    /// What is explained.
    pub targets: Vec<TargetNode>,
    /// The strongest ways to the targets, told by the names of what they go through.
    pub paths: Vec<NamedPath>,
    /// The features with the most influence.
    pub features: Vec<StrongFeature>,
    /// Nodes that mean one thing together.
    pub supernodes: Vec<NamedGroup>,
    /// How well the graph foretells what the model does, where that was measured.
    pub validation: Option<Validation>,
}

/// How many there are, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Kept {
    /// All of them.
    pub all: usize,
    /// Those that are kept.
    pub kept: usize,
}

/// How many nodes there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Kinds {
    /// Features.
    pub features: usize,
    /// What features leave over of MLPs.
    pub errors: usize,
    /// Tokens.
    pub tokens: usize,
    /// Targets.
    pub targets: usize,
}

/// A feature that matters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StrongFeature {
    /// Its id in the graph's files.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its layer.
    pub layer: usize,
    /// Where it is active.
    pub position: usize,
    /// Which of the layer's.
    pub feature: usize,
    /// By how much.
    pub activation: f32,
    /// Which share of all that leads to the targets comes through it.
    pub share: f64,
    /// The tokens that it makes likelier by itself, the most first; none before [`GraphSummary::with_effects`].
    pub promoted: Vec<TokenEffect>,
}

/// A supernode by the ids of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NamedGroup {
    /// What they mean together.
    pub label: String,
    /// Their ids in the graph's files.
    pub nodes: Vec<String>,
}

impl AttributionGraph {
    /// What the kept part says: its `count` strongest paths and features, told by the labels of these supernodes where they are of one.
    pub fn summary(&self, pruned: &Pruned, supernodes: &[Supernode], count: usize) -> GraphSummary {
        let scores = self.scores();
        let kept = pruned.nodes.iter().filter(|kept| **kept).count();
        let edges = self.rows().map(|row| self.row(row).iter().filter(|edge| **edge != 0.0).count()).sum();
        let named = self.all_named(supernodes);
        let mut paths =
            self.named_paths(&self.paths(pruned, PATHS.max(PATHS_EACH.saturating_mul(count))), &named);
        paths.truncate(count);
        let groups = supernodes.iter().map(|group| NamedGroup {
            label: group.label.clone(),
            nodes: group.nodes.iter().map(|node| self.node_id(*node)).collect(),
        });
        GraphSummary {
            model: self.model.clone(),
            prompt: self.prompt.clone(),
            tokens: self.tokens.clone(),
            transcoders: self.transcoders,
            active_features: self.active,
            nodes: Kept { all: self.len(), kept },
            edges: Kept { all: edges, kept: pruned.edges.len() },
            kinds: self.kinds(pruned),
            replacement: scores.replacement,
            completeness: scores.completeness,
            targets: self.targets.clone(),
            paths,
            features: self.strongest(pruned, count),
            supernodes: groups.collect(),
            validation: None,
        }
    }

    fn kinds(&self, pruned: &Pruned) -> Kinds {
        let mut kinds = Kinds::default();
        for (node, _) in pruned.nodes.iter().enumerate().filter(|(_, kept)| **kept) {
            match self.node(node) {
                Some(Node::Feature(_)) => kinds.features += 1,
                Some(Node::Error { .. }) => kinds.errors += 1,
                Some(Node::Token { .. }) => kinds.tokens += 1,
                _ => kinds.targets += 1,
            }
        }
        kinds
    }

    /// The kept features with the most influence, the most influential first.
    fn strongest(&self, pruned: &Pruned, count: usize) -> Vec<StrongFeature> {
        let influence = self.influence();
        let all: f64 = self.targets.iter().map(|target| target.weight).sum();
        let mut order: Vec<usize> = (0..self.features.len())
            .filter(|node| pruned.nodes.get(*node).copied().unwrap_or(false))
            .collect();
        order.sort_by(|a, b| influence.of(*b).total_cmp(&influence.of(*a)).then(a.cmp(b)));
        let strongest = order.into_iter().take(count).filter_map(|node| {
            let at = self.features.get(node)?;
            Some(StrongFeature {
                id: self.node_id(node),
                name: self.node_label(node),
                layer: at.layer,
                position: at.position,
                feature: at.feature,
                activation: at.activation,
                share: influence.of(node) / all.max(f64::MIN_POSITIVE),
                promoted: Vec::new(),
            })
        });
        strongest.collect()
    }

    /// The supernodes, and each feature of none as one of its own, so that no step of a path is passed by.
    fn all_named(&self, supernodes: &[Supernode]) -> Vec<Supernode> {
        let mut of_one = vec![true; self.features.len()];
        for node in supernodes.iter().flat_map(|group| &group.nodes) {
            if let Some(of_one) = of_one.get_mut(*node) {
                *of_one = false;
            }
        }
        let single = of_one.iter().enumerate().filter(|(_, of_one)| **of_one);
        let single = single.map(|(node, _)| Supernode { label: self.node_label(node), nodes: vec![node] });
        supernodes.iter().cloned().chain(single).collect()
    }
}

impl GraphSummary {
    /// With the `count` tokens that each of its features makes likelier.
    ///
    /// # Errors
    /// These are not the transcoders of the graph, or a file cannot be read.
    pub fn with_effects(
        mut self,
        model: &Model,
        transcoders: &Transcoders,
        count: usize,
    ) -> Result<Self, CircuitError> {
        for feature in &mut self.features {
            let [promoted, _] = transcoders.effects(model, (feature.layer, feature.feature), count)?;
            feature.promoted = promoted;
        }
        Ok(self)
    }

    /// The strongest way to a target, in words: `"Dallas" -> L0 F12 "Dallas" -> "Austin"`.
    pub fn strongest_path(&self) -> Option<String> {
        self.paths.first().map(NamedPath::told)
    }
}
