//! What is known of a graph's features beyond its prompt.

use std::collections::BTreeMap;

use super::FeatureDetails;
use super::graph_json::feature_id;
use crate::circuit::error::CircuitError;
use crate::circuit::feature::TokenEffect;
use crate::circuit::graph::AttributionGraph;
use crate::circuit::prune::Pruned;
use crate::circuit::transcoder::Transcoders;
use crate::model::Model;

/// How many tokens are told that a feature makes likelier, and less likely.
const TOKENS: usize = 8;

impl AttributionGraph {
    /// For [`GraphMetadata::features`](super::GraphMetadata::features): the labels of kept features, and which tokens the `count` of them with the most
    /// influence make likelier and less likely by themselves.
    ///
    /// # Errors
    /// These are not the model and the transcoders of the graph, or a file cannot be read.
    pub fn feature_details(
        &self,
        pruned: &Pruned,
        model: &Model,
        transcoders: &Transcoders,
        count: usize,
    ) -> Result<BTreeMap<String, FeatureDetails>, CircuitError> {
        let influence = self.influence();
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        order.retain(|node| pruned.nodes.get(*node).copied().unwrap_or(false));
        order.sort_by(|a, b| influence.of(*b).total_cmp(&influence.of(*a)).then(a.cmp(b)));
        let mut known: BTreeMap<String, FeatureDetails> = BTreeMap::new();
        for at in order.into_iter().filter_map(|node| self.features.get(node)) {
            let id = feature_id(at.layer, at.feature);
            let label = self.labels.of(at.layer, at.feature);
            if known.contains_key(&id) || (known.len() >= count && label.is_none()) {
                continue;
            }
            let mut details =
                FeatureDetails { label: label.unwrap_or_default().to_owned(), ..FeatureDetails::default() };
            if known.len() < count {
                let [promoted, suppressed] = transcoders.effects(model, (at.layer, at.feature), TOKENS)?;
                let texts =
                    |effects: Vec<TokenEffect>| effects.into_iter().map(|effect| effect.token.text).collect();
                (details.promoted, details.suppressed) = (texts(promoted), texts(suppressed));
            }
            known.insert(id, details);
        }
        Ok(known)
    }
}
