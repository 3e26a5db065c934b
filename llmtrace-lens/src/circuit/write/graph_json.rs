//! A graph as the JSON of Neuronpedia and of Anthropic's attribution graph viewer.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use crate::circuit::error::CircuitError;
use crate::circuit::graph::{AttributionGraph, Node};
use crate::circuit::prune::Pruned;
use crate::circuit::transcoder::TranscoderKind;
use crate::circuit::write::{GraphFile, GraphLink, GraphMetadata, GraphNode, GraphQuery};

impl AttributionGraph {
    /// The part of it that is kept, for Neuronpedia's and Anthropic's viewers.
    pub fn graph_file(&self, slug: &str, pruned: &Pruned) -> GraphFile {
        let shares = self.influence().cumulative();
        let kept = pruned.nodes.iter().enumerate().filter(|(_, kept)| **kept);
        let nodes = kept.filter_map(|(node, _)| self.graph_node(node, shares.get(node).copied())).collect();
        let links = pruned.edges.iter().map(|(target, source)| GraphLink {
            source: self.node_id(*source),
            target: self.node_id(*target),
            weight: self.edge(*target, *source),
        });
        let scores = self.scores();
        GraphFile {
            metadata: GraphMetadata {
                slug: slugged(slug),
                scan: self.model.clone(),
                prompt_tokens: self.tokens.iter().map(|token| token.text.clone()).collect(),
                prompt: self.prompt.clone(),
                node_threshold: pruned.thresholds.nodes,
                schema_version: 1,
                info: json!({
                    "generator": {"name": "llmtrace", "version": env!("CARGO_PKG_VERSION"), "url": env!("CARGO_PKG_REPOSITORY")},
                    "transcoders": match self.transcoders {
                        TranscoderKind::PerLayer => "per layer",
                        TranscoderKind::CrossLayer => "cross layer",
                        TranscoderKind::Neurons => "neurons",
                    },
                    "active_features": self.active,
                    "replacement_score": scores.replacement,
                    "completeness_score": scores.completeness,
                }),
                pruning_settings: json!({
                    "node_threshold": pruned.thresholds.nodes,
                    "edge_threshold": pruned.thresholds.edges,
                }),
                features: BTreeMap::new(),
            },
            query: GraphQuery { link_type: "both".to_owned(), ..GraphQuery::default() },
            nodes,
            links: links.collect(),
        }
    }

    fn graph_node(&self, node: usize, influence: Option<f64>) -> Option<GraphNode> {
        let last = self.tokens.len().saturating_sub(1);
        let plain = |layer: String, position: usize, kind: &str, js_node_id: String| GraphNode {
            node_id: self.node_id(node),
            feature: 0,
            layer,
            ctx_idx: position,
            feature_type: kind.to_owned(),
            token_prob: 0.0,
            is_target_logit: false,
            run_idx: 0,
            reverse_ctx_idx: 0,
            js_node_id,
            clerp: String::new(),
            influence,
            activation: None,
            input_size: self.has_row(node).then(|| self.row_size(node, |_| true)),
        };
        Some(match self.node(node)? {
            Node::Feature(at) => {
                let name = feature_id(at.layer, at.feature);
                let base = plain(at.layer.to_string(), at.position, "cross layer transcoder", name);
                let clerp = self.labels.of(at.layer, at.feature).unwrap_or_default().to_owned();
                GraphNode {
                    feature: paired(at.layer, at.feature),
                    activation: Some(at.activation),
                    clerp,
                    ..base
                }
            }
            Node::Error { layer, position } => {
                let name = format!("err_{layer}-0");
                let base = plain(layer.to_string(), position, "mlp reconstruction error", name);
                GraphNode { feature: -1, clerp: format!("MLP error of layer {layer}"), ..base }
            }
            Node::Token { position } => {
                let base = plain(
                    "E".to_owned(),
                    position,
                    "embedding",
                    format!("E_{}-{position}", self.token_at(position)),
                );
                let text = self.tokens.get(position).map_or("", |token| token.text.as_str());
                let feature = i64::try_from(position).unwrap_or(0);
                GraphNode { feature, clerp: format!("Embedding {text:?}"), ..base }
            }
            Node::Target(index) => {
                let target = self.targets.get(index)?;
                let feature = target.token.map_or_else(|| i64::try_from(index).unwrap_or(0), i64::from);
                let base = plain((self.layers + 1).to_string(), last, "logit", format!("L_{feature}-{last}"));
                let probability = target.probability.unwrap_or(0.0);
                let clerp = match target.probability {
                    Some(probability) => format!("Output {:?} (p={probability:.3})", target.name),
                    None => format!("Output {:?}", target.name),
                };
                GraphNode {
                    feature,
                    token_prob: probability,
                    is_target_logit: self.likeliest() == Some(index),
                    clerp,
                    influence: None,
                    ..base
                }
            }
        })
    }

    /// The most probable target, or the first where none has a probability.
    fn likeliest(&self) -> Option<usize> {
        let probability = |target: usize| self.targets.get(target).and_then(|target| target.probability);
        // Of equals the first.
        (0..self.targets.len())
            .rev()
            .max_by(|a, b| probability(*a).unwrap_or(0.0).total_cmp(&probability(*b).unwrap_or(0.0)))
    }

    /// Writes that part as JSON.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save_json(&self, path: impl AsRef<Path>, slug: &str, pruned: &Pruned) -> Result<(), CircuitError> {
        let path = path.as_ref();
        let failed = |source| CircuitError::Write { path: path.to_owned(), source };
        let text =
            serde_json::to_vec(&self.graph_file(slug, pruned)).map_err(|error| failed(error.into()))?;
        std::fs::write(path, text).map_err(failed)
    }
}

/// The id of a feature over positions, by which viewers know what is said of it.
pub(super) fn feature_id(layer: usize, feature: usize) -> String {
    format!("{layer}_{feature}-0")
}

/// Cantor's pairing function, by which Neuronpedia finds a feature.
fn paired(layer: usize, feature: usize) -> i64 {
    let (layer, feature) = (layer as u128, feature as u128);
    i64::try_from((layer + feature) * (layer + feature + 1) / 2 + feature).unwrap_or(i64::MAX)
}

/// Lower-case letters and digits, with `-` for whatever is between them.
fn slugged(name: &str) -> String {
    let name = name.to_lowercase();
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let slug = parts.collect::<Vec<_>>().join("-");
    if slug.is_empty() { "graph".to_owned() } else { slug }
}
