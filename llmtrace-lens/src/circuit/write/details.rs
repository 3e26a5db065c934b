//! What is known of a graph's features beyond its prompt.

use std::collections::{BTreeMap, BTreeSet};

use super::graph_json::feature_id;
use super::{FeatureContext, FeatureDetails, GraphFile};
use crate::circuit::error::CircuitError;
use crate::circuit::feature::{FeatureCard, TokenEffect};
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
        let mut known: BTreeMap<String, FeatureDetails> = BTreeMap::new();
        for (layer, feature) in self.leading_features(pruned) {
            let label = self.labels.of(layer, feature);
            if known.len() >= count && label.is_none() {
                continue;
            }
            let mut details =
                FeatureDetails { label: label.unwrap_or_default().to_owned(), ..FeatureDetails::default() };
            if known.len() < count {
                let [promoted, suppressed] = transcoders.effects(model, (layer, feature), TOKENS)?;
                (details.promoted, details.suppressed) = (texts(&promoted), texts(&suppressed));
            }
            known.insert(feature_id(layer, feature), details);
        }
        Ok(known)
    }

    /// The kept features by layer and number, those with the most influence first, each once whatever its positions.
    pub fn leading_features(&self, pruned: &Pruned) -> Vec<(usize, usize)> {
        let influence = self.influence();
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        order.retain(|node| pruned.nodes.get(*node).copied().unwrap_or(false));
        order.sort_by(|a, b| influence.of(*b).total_cmp(&influence.of(*a)).then(a.cmp(b)));
        let features = order.into_iter().filter_map(|node| self.features.get(node));
        let mut seen = BTreeSet::new();
        let features = features.map(|feature| (feature.layer, feature.feature));
        features.filter(|feature| seen.insert(*feature)).collect()
    }
}

impl GraphFile {
    /// Tells of features what a study of a text found: how often they are active in it, and where most.
    #[must_use]
    pub fn with_cards(mut self, cards: &[FeatureCard]) -> Self {
        for card in cards {
            let details = self.metadata.features.entry(feature_id(card.layer, card.feature)).or_default();
            if let Some(label) = &card.label {
                details.label.clone_from(label);
            }
            (details.promoted, details.suppressed) = (texts(&card.promoted), texts(&card.suppressed));
            details.density = Some(card.density);
            let contexts = card.contexts.iter().map(|context| FeatureContext {
                tokens: context.tokens.clone(),
                activations: context.activations.clone(),
            });
            details.contexts = contexts.collect();
        }
        self
    }
}

fn texts(effects: &[TokenEffect]) -> Vec<String> {
    effects.iter().map(|effect| effect.token.text.clone()).collect()
}
