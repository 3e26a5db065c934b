//! `GraphML`, as networkx, Gephi and yEd read it.

use std::fmt::Write as _;

use crate::circuit::graph::{AttributionGraph, Node};
use crate::circuit::prune::Pruned;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">
  <key id=\"label\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>
  <key id=\"kind\" for=\"node\" attr.name=\"kind\" attr.type=\"string\"/>
  <key id=\"position\" for=\"node\" attr.name=\"position\" attr.type=\"int\"/>
  <key id=\"influence\" for=\"node\" attr.name=\"influence\" attr.type=\"double\"/>
  <key id=\"activation\" for=\"node\" attr.name=\"activation\" attr.type=\"double\"/>
  <key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>
  <graph id=\"attribution\" edgedefault=\"directed\">
";

impl AttributionGraph {
    /// The part of it that is kept as `GraphML`: nodes with label, kind, position, influence and activation, edges with their weight.
    pub fn to_graphml(&self, pruned: &Pruned) -> String {
        let influence = self.influence();
        let mut xml = String::from(HEAD);
        let last = self.tokens.len().saturating_sub(1);
        for (node, _) in pruned.nodes.iter().enumerate().filter(|(_, kept)| **kept) {
            let (kind, position, activation) = match self.node(node) {
                Some(Node::Feature(at)) => ("feature", at.position, Some(at.activation)),
                Some(Node::Error { position, .. }) => ("error", position, None),
                Some(Node::Token { position }) => ("token", position, None),
                _ => ("target", last, None),
            };
            let _ = writeln!(xml, "    <node id=\"{}\">", escaped(&self.node_id(node)));
            let mut data = |key: &str, value: &str| {
                let _ = writeln!(xml, "      <data key=\"{key}\">{}</data>", escaped(value));
            };
            data("label", &self.node_label(node));
            data("kind", kind);
            data("position", &position.to_string());
            data("influence", &influence.of(node).to_string());
            if let Some(activation) = activation {
                data("activation", &activation.to_string());
            }
            xml.push_str("    </node>\n");
        }
        for (target, source) in &pruned.edges {
            let (from, to) = (escaped(&self.node_id(*source)), escaped(&self.node_id(*target)));
            let weight = self.edge(*target, *source);
            let _ = writeln!(
                xml,
                "    <edge source=\"{from}\" target=\"{to}\"><data key=\"weight\">{weight}</data></edge>"
            );
        }
        xml.push_str("  </graph>\n</graphml>\n");
        xml
    }
}

/// Text as XML 1.0 allows it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
