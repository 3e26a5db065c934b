//! Graphviz.

use std::fmt::Write as _;

use crate::circuit::graph::{AttributionGraph, Node};
use crate::circuit::prune::Pruned;

impl AttributionGraph {
    /// The part of it that is kept, in Graphviz's language: tokens at the bottom, targets at the top, thicker lines for larger edges, dashed ones for
    /// edges below 0.
    pub fn to_dot(&self, pruned: &Pruned) -> String {
        let mut dot =
            String::from("digraph attribution {\n  rankdir=BT;\n  node [fontname=\"sans-serif\"];\n");
        for (node, _) in pruned.nodes.iter().enumerate().filter(|(_, kept)| **kept) {
            let shape = match self.node(node) {
                Some(Node::Feature(_)) => "ellipse",
                Some(Node::Error { .. }) => "diamond",
                _ => "box",
            };
            let (id, label) = (quoted(&self.node_id(node)), quoted(&self.node_label(node)));
            let _ = writeln!(dot, "  {id} [label={label}, shape={shape}];");
        }
        let largest = pruned.edges.iter().map(|(target, source)| self.edge(*target, *source).abs());
        let largest = largest.fold(f32::MIN_POSITIVE, f32::max);
        for (target, source) in &pruned.edges {
            let weight = self.edge(*target, *source);
            let (from, to) = (quoted(&self.node_id(*source)), quoted(&self.node_id(*target)));
            let style = if weight < 0.0 { "dashed" } else { "solid" };
            let width = 0.3 + 3.0 * weight.abs() / largest;
            let _ = writeln!(dot, "  {from} -> {to} [value={weight}, penwidth={width:.2}, style={style}];");
        }
        dot.push_str("}\n");
        dot
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
