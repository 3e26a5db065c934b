//! The graph of one prompt.

use serde::{Deserialize, Serialize};

use super::active::ActiveFeature;
use crate::circuit::label::Labels;
use crate::circuit::transcoder::TranscoderKind;
use crate::model::TokenLabel;

/// Which features, errors and tokens add how much to each feature and each target of one prompt.
///
/// Nodes are numbered: features (by layer, position, number), errors (by layer, then position), tokens, targets. An edge is what its source
/// adds to its target's input, before the nonlinearity: a source's edges plus the row's constant and what features left out of
/// the graph add are the target's pre-activation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct AttributionGraph {
    /// The model's name.
    pub model: String,
    /// The number of layers.
    pub layers: usize,
    /// How the features are made.
    pub transcoders: TranscoderKind,
    /// The prompt as a text, special tokens included.
    pub prompt: String,
    /// The prompt's tokens.
    pub tokens: Vec<TokenLabel>,
    /// At so many first positions there are no features and errors.
    pub masked: usize,
    /// How many features were active, those left out included.
    pub active: usize,
    /// Those of the graph.
    pub features: Vec<ActiveFeature>,
    /// What it explains.
    pub targets: Vec<TargetNode>,
    /// What features mean, where somebody said so.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// For each feature and each target, what no node adds to it: biases, position embeddings, MLPs at masked positions.
    pub constants: Vec<f32>,
    /// For each feature and each target, what the active features that are left out add to it.
    pub left_out: Vec<f32>,
    /// For each feature and each target: the edges from features, errors and tokens.
    #[serde(skip)]
    pub(super) edges: Vec<f32>,
}

/// What a graph explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetNode {
    /// Its token; none of a direction or a difference.
    pub token: Option<u32>,
    /// Its text, or the direction's name.
    pub name: String,
    /// How much it counts in influences.
    pub weight: f64,
    /// How probable the token is.
    pub probability: Option<f64>,
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Node {
    /// An active feature.
    Feature(ActiveFeature),
    /// What features leave over of an MLP's output.
    Error {
        /// The MLP's layer.
        layer: usize,
        /// Where.
        position: usize,
    },
    /// A token's embedding.
    Token {
        /// Where it stands.
        position: usize,
    },
    /// What is explained: its number among the targets.
    Target(usize),
}

impl AttributionGraph {
    /// Calls features by what they mean, in paths, supernodes and files.
    #[must_use]
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.sources() + self.targets.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A node by its number.
    pub fn node(&self, index: usize) -> Option<Node> {
        let steps = self.tokens.len();
        if let Some(feature) = self.features.get(index) {
            return Some(Node::Feature(*feature));
        }
        let rest = index - self.features.len();
        if rest < self.layers * steps {
            return Some(Node::Error { layer: rest / steps, position: rest % steps });
        }
        let rest = rest - self.layers * steps;
        if rest < steps {
            return Some(Node::Token { position: rest });
        }
        (rest - steps < self.targets.len()).then_some(Node::Target(rest - steps))
    }

    /// The number of a feature's node.
    pub fn feature(&self, layer: usize, position: usize, feature: usize) -> Option<usize> {
        let key = (layer, position, feature);
        self.features.binary_search_by_key(&key, |node| (node.layer, node.position, node.feature)).ok()
    }

    /// The number of an error's node; none outside the prompt or the model.
    pub fn error(&self, layer: usize, position: usize) -> Option<usize> {
        let steps = self.tokens.len();
        (layer < self.layers && position < steps).then(|| self.features.len() + layer * steps + position)
    }

    /// The number of a token's node.
    pub fn token(&self, position: usize) -> Option<usize> {
        let steps = self.tokens.len();
        (position < steps).then(|| self.features.len() + self.layers * steps + position)
    }

    /// The number of a target's node.
    pub fn target(&self, target: usize) -> Option<usize> {
        (target < self.targets.len()).then(|| self.sources() + target)
    }

    /// The number of nodes that have edges out: all but the targets, which are numbered last.
    pub fn sources(&self) -> usize {
        self.features.len() + (self.layers + 1) * self.tokens.len()
    }

    /// What each source adds to a node; empty for errors and tokens, which nothing adds to.
    pub fn row(&self, target: usize) -> &[f32] {
        let width = self.sources();
        self.row_index(target)
            .and_then(|row| self.edges.get(row * width..(row + 1) * width))
            .unwrap_or_default()
    }

    /// What `source` adds to `target`; 0 where there is no edge.
    pub fn edge(&self, target: usize, source: usize) -> f32 {
        self.row(target).get(source).copied().unwrap_or(0.0)
    }

    /// What no node of the graph adds to a node that has a row.
    pub fn constant(&self, target: usize) -> Option<f32> {
        self.constants.get(self.row_index(target)?).copied()
    }

    /// The sum of a node's row, its constant and what is left out: a feature's pre-activation, a target's value.
    pub fn total(&self, target: usize) -> Option<f64> {
        let row = self.row_index(target)?;
        let sum: f64 = self.row(target).iter().copied().map(f64::from).sum();
        Some(sum + f64::from(*self.constants.get(row)?) + f64::from(*self.left_out.get(row)?))
    }

    /// The numbers of the nodes that have rows: features, then targets.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (features, sources, targets) = (self.features.len(), self.sources(), self.targets.len());
        (0..features).chain(sources..sources + targets)
    }

    /// Whether anything can add to a node: errors and tokens are where a graph begins.
    pub(crate) fn has_row(&self, node: usize) -> bool {
        self.row_index(node).is_some()
    }

    /// How much a node counts as a target; 0 for all others.
    pub(crate) fn weight(&self, node: usize) -> f64 {
        let target = node.checked_sub(self.sources()).and_then(|target| self.targets.get(target));
        target.map_or(0.0, |target| target.weight)
    }

    fn row_index(&self, node: usize) -> Option<usize> {
        let features = self.features.len();
        if node < features {
            return Some(node);
        }
        let target = node.checked_sub(self.sources())?;
        (target < self.targets.len()).then_some(features + target)
    }
}
