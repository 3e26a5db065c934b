//! The drawing of a graph's file.

use std::collections::{BTreeMap, BTreeSet};

use crate::circuit::path::{self, Inputs};
use crate::circuit::write::{GraphFile, GraphNode};
use crate::report::{CircuitKind, CircuitLink, CircuitMap, CircuitNode, CircuitWay, PictureError};

/// The ways that are listed.
const WAYS: usize = 12;

/// The name of the most probable answer.
pub(super) fn answer(file: &GraphFile) -> Option<String> {
    let answers = file.nodes.iter().filter(|node| kind(node) == CircuitKind::Answer);
    let first = answers.max_by(|a, b| a.token_prob.total_cmp(&b.token_prob))?;
    Some(name(file, first))
}

/// The graph as a picture.
pub(super) fn figure(file: &GraphFile) -> Result<CircuitMap, PictureError> {
    let numbers: BTreeMap<&str, usize> =
        file.nodes.iter().enumerate().rev().map(|(number, node)| (node.node_id.as_str(), number)).collect();
    let layers: BTreeSet<i64> = file.nodes.iter().map(height).collect();
    let row = |node: &GraphNode| layers.iter().take_while(|layer| **layer < height(node)).count();
    let rows = layers.iter().map(|layer| match *layer {
        TOKENS => "tokens".to_owned(),
        ANSWERS => "answers".to_owned(),
        layer => format!("layer {layer}"),
    });
    let nodes = file.nodes.iter().map(|node| CircuitNode {
        name: name(file, node),
        kind: kind(node),
        column: node.ctx_idx,
        row: row(node),
        influence: node.influence.map_or(0.0, |share| 1.0 - share),
    });
    let links: Vec<CircuitLink> = file
        .links
        .iter()
        .filter_map(|link| {
            let number = |id: &str| numbers.get(id).copied();
            Some(CircuitLink { from: number(&link.source)?, to: number(&link.target)?, weight: link.weight })
        })
        .collect();
    let ways = ways(file, &links);
    let columns = file.metadata.prompt_tokens.len();
    Ok(CircuitMap::new("Tokens, features, answers", columns, rows.collect(), nodes.collect(), links)?
        .ways(ways))
}

/// The strongest ways, by the names of their nodes.
fn ways(file: &GraphFile, links: &[CircuitLink]) -> Vec<CircuitWay> {
    let mut inputs: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
    for link in links.iter().filter(|link| link.weight != 0.0) {
        inputs.entry(link.to).or_default().push((link.from, f64::from(link.weight)));
    }
    for (node, sources) in &mut inputs {
        // Of all that enters it, where the file says how much that is: what was pruned away is no way that is listed.
        let kept: f64 = sources.iter().map(|(_, weight)| weight.abs()).sum();
        let whole = file.nodes.get(*node).and_then(|node| node.input_size).filter(|size| size.is_finite());
        let size = kept.max(whole.unwrap_or(0.0));
        for (_, weight) in sources {
            *weight /= size.max(f64::MIN_POSITIVE);
        }
    }
    let answers: Vec<(usize, f64)> = file
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| kind(node) == CircuitKind::Answer)
        .map(|(number, node)| (number, node.token_prob.max(0.0)))
        .collect();
    let all: f64 = answers.iter().map(|(_, weight)| weight).sum();
    let even = 1.0 / answers.len().max(1) as f64;
    let targets = answers.iter().map(|(node, weight)| (*node, if all > 0.0 { weight / all } else { even }));
    let is_start = |number: usize| {
        let node = file.nodes.get(number);
        node.is_some_and(|node| matches!(kind(node), CircuitKind::Token | CircuitKind::Error))
    };
    let of = |number: usize| match inputs.get(&number) {
        None if is_start(number) => Inputs::Start,
        sources => Inputs::Of(sources.cloned().unwrap_or_default()),
    };
    let named = |number: &usize| file.nodes.get(*number).map_or_else(String::new, |node| name(file, node));
    let ways = path::strongest(targets, of, WAYS).into_iter();
    ways.map(|way| CircuitWay {
        steps: way.nodes.iter().map(named).collect(),
        share: way.share,
        supports: way.supports,
    })
    .collect()
}

fn kind(node: &GraphNode) -> CircuitKind {
    match node.feature_type.as_str() {
        "embedding" => CircuitKind::Token,
        "mlp reconstruction error" => CircuitKind::Error,
        "logit" => CircuitKind::Answer,
        _ => CircuitKind::Feature,
    }
}

const TOKENS: i64 = i64::MIN;
const ANSWERS: i64 = i64::MAX;

/// The layer of a node; tokens are below all, answers above.
fn height(node: &GraphNode) -> i64 {
    match kind(node) {
        CircuitKind::Token => TOKENS,
        CircuitKind::Answer => ANSWERS,
        CircuitKind::Feature | CircuitKind::Error => node.layer.parse().unwrap_or(0),
    }
}

/// What a node is called where there is room for a few words.
fn name(file: &GraphFile, node: &GraphNode) -> String {
    let label = node.clerp.trim();
    match kind(node) {
        CircuitKind::Token => file.metadata.prompt_tokens.get(node.ctx_idx).cloned().unwrap_or_default(),
        CircuitKind::Error => format!("error L{}", node.layer),
        CircuitKind::Answer => {
            let said = label.strip_prefix("Output \"").and_then(|rest| rest.rsplit_once('"'));
            said.map_or(label, |(text, _)| text).replace("\\\"", "\"")
        }
        CircuitKind::Feature if label.is_empty() => {
            let details = file.metadata.features.get(&node.js_node_id);
            let label = details.map(|details| details.label.trim()).filter(|label| !label.is_empty());
            let number = node.js_node_id.split(['_', '-']).nth(1).unwrap_or("");
            label.map_or_else(|| format!("L{} F{number}", node.layer), str::to_owned)
        }
        CircuitKind::Feature => label.to_owned(),
    }
}
