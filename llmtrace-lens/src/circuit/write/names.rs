//! What nodes are called in files.

use crate::circuit::graph::{AttributionGraph, Node};

impl AttributionGraph {
    /// A node's id in files, unlike that of any other node: `1_12_7` for feature 12 of layer 1 at position 7, `err_1_7`, `E_84_7` for token 84
    /// at position 7, `4_84_7` for a target in the layer after the last and one more, where 84 is its token or its number.
    ///
    /// They are circuit-tracer's ids but for errors, whose `0_1_7` can be that of a feature.
    pub fn node_id(&self, node: usize) -> String {
        let last = self.tokens.len().saturating_sub(1);
        match self.node(node) {
            Some(Node::Feature(at)) => format!("{}_{}_{}", at.layer, at.feature, at.position),
            Some(Node::Error { layer, position }) => format!("err_{layer}_{position}"),
            Some(Node::Token { position }) => format!("E_{}_{position}", self.token_at(position)),
            Some(Node::Target(target)) => {
                let what = self.targets.get(target).and_then(|target| target.token);
                let what = what.map_or_else(|| format!("target{target}"), |token| token.to_string());
                format!("{}_{what}_{last}", self.layers + 1)
            }
            None => format!("none_{node}"),
        }
    }

    /// A node as people read it: `L1 F12 " is"`, or `Texas " is"` where the feature has a label; `error L1 " is"`, `" is"`, `-> " Austin"`.
    pub fn node_label(&self, node: usize) -> String {
        let text = |position: usize| self.tokens.get(position).map_or("", |token| token.text.as_str());
        match self.node(node) {
            Some(Node::Feature(at)) => {
                format!("{} {:?}", self.feature_name(at.layer, at.feature), text(at.position))
            }
            Some(Node::Error { layer, position }) => format!("error L{layer} {:?}", text(position)),
            Some(Node::Token { position }) => format!("{:?}", text(position)),
            Some(Node::Target(target)) => {
                format!("-> {:?}", self.targets.get(target).map_or("", |target| target.name.as_str()))
            }
            None => String::new(),
        }
    }

    /// A feature as people read it: its label, or `L1 F12`.
    pub fn feature_name(&self, layer: usize, feature: usize) -> String {
        let label = self.labels.of(layer, feature).map(str::to_owned);
        label.unwrap_or_else(|| format!("L{layer} F{feature}"))
    }

    pub(super) fn token_at(&self, position: usize) -> u32 {
        self.tokens.get(position).map_or(0, |token| token.id)
    }
}
