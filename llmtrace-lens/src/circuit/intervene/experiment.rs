//! One prompt whose features are changed.

use candle_core::Tensor;
use serde::Serialize;
use tracing::Span;

use super::change::{Change, Held};
use super::encoders::ActiveEncoder;
use super::run::Answers;
use crate::circuit::error::CircuitError;
use crate::circuit::graph::{ActiveFeature, AttributionGraph, Local, Tracer};

/// One prompt's run, its graph, and what comes of changing its features.
#[derive(Debug)]
pub struct Experiment<'m> {
    pub(super) local: Local<'m>,
    graph: AttributionGraph,
    /// It tells the graph and how it was held to the model; it ends with the experiment.
    pub(super) span: Span,
    pub(super) encoders: Vec<ActiveEncoder>,
    /// Directions of the normed stream that the targets read, `[D, targets]`, and what is added.
    pub(super) targets: (Tensor, Vec<f32>),
}

/// What came of changing features.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The features that were active, as they are after the change; one that is changed itself is as the model would have it.
    pub features: Vec<ActiveFeature>,
    /// The graph's targets.
    pub targets: Vec<f64>,
    /// Logits of the last position, before any softcap.
    pub logits: Vec<f32>,
}

impl<'m> Tracer<'m> {
    /// Traces one prompt and stays with it, so that its features can be changed.
    ///
    /// # Errors
    /// As for [`trace`](Self::trace).
    pub fn experiment(&self, tokens: &[u32]) -> Result<Experiment<'m>, CircuitError> {
        let (local, graph, span) = self.traced(tokens)?;
        let (directions, constants) = self.directions(&local)?;
        let mut encoders = Vec::new();
        let mut first = 0;
        for layer in 0..local.layers.len() {
            let of_layer = local.features.iter().filter(|active| active.layer == layer);
            let active: Vec<usize> = of_layer.map(|active| active.feature).collect();
            encoders.push(ActiveEncoder::of(local.transcoders, layer, first, &active)?);
            first += active.len();
        }
        Ok(Experiment { local, graph, span, encoders, targets: (directions, constants) })
    }
}

impl Experiment<'_> {
    /// The prompt's graph.
    pub fn graph(&self) -> &AttributionGraph {
        &self.graph
    }

    /// The prompt's graph, to go on with.
    pub fn into_graph(self) -> AttributionGraph {
        self.graph
    }

    /// Every active feature, those that are no nodes included.
    pub fn features(&self) -> &[ActiveFeature] {
        &self.local.features
    }

    /// Runs the prompt again with features changed.
    ///
    /// A change sets an activation whatever other changes do to it: where MLPs answer, the difference to what the feature has come
    /// to by itself is added (as in circuit-tracer). Of several changes of one feature the last counts.
    /// Where features write before a norm that follows the MLP, that norm's divisor is held in their change.
    ///
    /// # Errors
    /// A feature is not there, or a hook failed.
    pub fn run(&self, changes: &[Change], held: Held) -> Result<Outcome, CircuitError> {
        let answers = if held == Held::Everything { Answers::Nobody } else { Answers::Model };
        self.run_with(changes, held, answers)
    }

    /// Runs the prompt's replacement model with features changed: its active features answer in the place of the MLPs, errors
    /// are as they were, and nothing else becomes active.
    ///
    /// With [`Held::PatternsAndNorms`] this is the graph's own arithmetic. With [`Held::Patterns`] norms answer too.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_features(&self, changes: &[Change], held: Held) -> Result<Outcome, CircuitError> {
        let answers = if held == Held::Everything { Answers::Nobody } else { Answers::Features };
        self.run_with(changes, held, answers)
    }

    /// The activation of a feature in the prompt; 0 where it is not active.
    pub fn activation(&self, layer: usize, position: usize, feature: usize) -> f32 {
        self.find(layer, position, feature).map_or(0.0, |active| active.activation)
    }

    pub(super) fn find(&self, layer: usize, position: usize, feature: usize) -> Option<&ActiveFeature> {
        self.local.features.get(self.place(layer, position, feature)?)
    }

    /// The place of a feature among those that are active.
    pub(super) fn place(&self, layer: usize, position: usize, feature: usize) -> Option<usize> {
        let key = (layer, position, feature);
        let features = &self.local.features;
        features.binary_search_by_key(&key, |node| (node.layer, node.position, node.feature)).ok()
    }

    /// The activation of an active feature, had its pre-activation been this one.
    pub(super) fn would_be(&self, feature: &ActiveFeature, pre: f32) -> f32 {
        self.encoders.get(feature.layer).map_or(pre, |encoder| encoder.activation.of(feature.feature, pre))
    }
}
