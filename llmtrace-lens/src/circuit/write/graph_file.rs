//! The JSON of Neuronpedia and of Anthropic's attribution graph viewer.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The most nodes, links and tokens of a graph that is read.
const NODES: usize = 20_000;
const LINKS: usize = 600_000;
const TOKENS: usize = 4_096;

/// A pruned graph as Neuronpedia's schema "Anthropic Attribution Graph" has it (`graph-schema.json`, draft 7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphFile {
    /// What it is of.
    pub metadata: GraphMetadata,
    /// What the viewer shows at first.
    #[serde(default, rename = "qParams")]
    pub query: GraphQuery,
    /// The nodes that are kept.
    pub nodes: Vec<GraphNode>,
    /// The edges that are kept.
    pub links: Vec<GraphLink>,
}

/// What a graph is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphMetadata {
    /// The graph's name: lower-case letters, digits and `-`.
    pub slug: String,
    /// The model's name.
    pub scan: String,
    /// The prompt's tokens.
    pub prompt_tokens: Vec<String>,
    /// The prompt.
    pub prompt: String,
    /// The share of the nodes' influence that is kept.
    #[serde(default = "whole")]
    pub node_threshold: f64,
    /// The schema's version: 1.
    #[serde(default)]
    pub schema_version: u32,
    /// Who made it, and how far it may be trusted.
    #[serde(default)]
    pub info: Value,
    /// How it was pruned.
    #[serde(default)]
    pub pruning_settings: Value,
    /// What is known of features beyond this prompt, by [`GraphNode::js_node_id`]; no part of Neuronpedia's schema, which allows it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, FeatureDetails>,
}

/// What is known of a feature beyond one prompt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeatureDetails {
    /// What it means, in a few words.
    pub label: String,
    /// Tokens that it makes likelier, the most first.
    pub promoted: Vec<String>,
    /// Tokens that it makes less likely, the most first.
    pub suppressed: Vec<String>,
    /// On which share of the tokens that it was looked for in it is active.
    pub density: Option<f64>,
    /// Where it is most active, the most first.
    pub contexts: Vec<FeatureContext>,
}

/// A piece of text in which a feature is active.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeatureContext {
    /// Its tokens.
    pub tokens: Vec<String>,
    /// How active the feature is at each.
    pub activations: Vec<f32>,
}

/// What the viewer shows at first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GraphQuery {
    /// Ids of pinned nodes.
    pub pinned_ids: Vec<String>,
    /// Each a label and the ids of its nodes.
    pub supernodes: Vec<Vec<String>>,
    /// `both`, `input` or `output`.
    pub link_type: String,
    /// The id of the node that is looked at.
    pub clicked_id: String,
    /// Positions in the subgraph, as the viewer writes them.
    #[serde(rename = "sg_pos")]
    pub sg_pos: String,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphNode {
    /// Its id, unlike any other's.
    pub node_id: String,
    /// Cantor's pairing of layer and feature; -1 of an error; a token's id or its position.
    #[serde(deserialize_with = "number_or_none")]
    pub feature: i64,
    /// Its layer: `E` of a token, the number of layers and one more of a target.
    #[serde(deserialize_with = "text_or_number")]
    pub layer: String,
    /// Its position.
    pub ctx_idx: usize,
    /// `cross layer transcoder` (whatever the transcoders), `mlp reconstruction error`, `embedding`, `logit`.
    pub feature_type: String,
    /// How probable its token is.
    #[serde(default)]
    pub token_prob: f64,
    /// Whether it is the most probable token's.
    #[serde(default)]
    pub is_target_logit: bool,
    /// Always 0.
    #[serde(default)]
    pub run_idx: usize,
    /// Always 0.
    #[serde(default)]
    pub reverse_ctx_idx: usize,
    /// The id of its kind over positions.
    #[serde(default, rename = "jsNodeId")]
    pub js_node_id: String,
    /// What it is called.
    #[serde(default, deserialize_with = "text_or_number")]
    pub clerp: String,
    /// The share of influence that it and the nodes above it have.
    #[serde(default)]
    pub influence: Option<f64>,
    /// The feature's activation.
    #[serde(default)]
    pub activation: Option<f32>,
    /// The sum of the sizes of all edges into it in the whole graph, of which its links are a part; no part of Neuronpedia's schema, which
    /// allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_size: Option<f64>,
}

/// One edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphLink {
    /// The id of what adds.
    pub source: String,
    /// The id of what is added to.
    pub target: String,
    /// How much is added.
    pub weight: f32,
}

/// Why a text is no graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphFileError {
    /// It is not JSON, or something is missing.
    #[error("this is no graph's JSON, which has \"metadata\", \"nodes\" and \"links\": {0}")]
    Json(#[from] serde_json::Error),
    /// There are more than can be shown.
    #[error("the graph has {found} {what}; at most {limit} can be shown: prune it more")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much of it there is.
        found: usize,
        /// The most that is shown.
        limit: usize,
    },
    /// A node stands at no position of the prompt.
    #[error("the node {id:?} stands at position {position}, but the prompt has {tokens} tokens")]
    Position {
        /// The node's id.
        id: String,
        /// Where it stands.
        position: usize,
        /// How many tokens there are.
        tokens: usize,
    },
    /// No node is a possible answer.
    #[error("no node has the feature_type \"logit\", so there is no answer to explain")]
    NoAnswer,
}

impl GraphFile {
    /// Reads a graph of `llmtrace`, circuit-tracer, Neuronpedia or Anthropic.
    ///
    /// # Errors
    /// It is no such JSON, is larger than can be shown, or a node stands outside the prompt.
    pub fn read(text: &str) -> Result<Self, GraphFileError> {
        let file: Self = serde_json::from_str(text)?;
        let tokens = file.metadata.prompt_tokens.len();
        let sizes = [
            ("nodes", file.nodes.len(), NODES),
            ("links", file.links.len(), LINKS),
            ("tokens", tokens, TOKENS),
        ];
        for (what, found, limit) in sizes {
            if found > limit {
                return Err(GraphFileError::TooLarge { what, found, limit });
            }
        }
        if let Some(node) = file.nodes.iter().find(|node| node.ctx_idx >= tokens) {
            let id = node.node_id.chars().take(60).collect();
            return Err(GraphFileError::Position { id, position: node.ctx_idx, tokens });
        }
        if !file.nodes.iter().any(|node| node.feature_type == "logit") {
            return Err(GraphFileError::NoAnswer);
        }
        Ok(file)
    }
}

/// A layer may be written as a number, a label be missing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose {
    Text(String),
    Number(i64),
    None(()),
}

fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Loose::deserialize(from)? {
        Loose::Text(text) => text,
        Loose::Number(number) => number.to_string(),
        Loose::None(()) => String::new(),
    })
}

fn number_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    Ok(Option::<i64>::deserialize(from)?.unwrap_or(-1))
}

fn whole() -> f64 {
    1.0
}
