//! What changed between two versions of a model.

use serde::Serialize;

use super::answers::{AnswerChange, AnswerStatus};
use super::limits::Limits;
use super::same_shape::SettingChange;
use super::weights::{WeightChange, WeightStatus};

/// What changed between two versions of a model, each kind with the largest change first; made by [`Comparison`](super::Comparison).
///
/// It prints as a report, serializes, and becomes a page by [`page`](Self::page).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VersionDiff {
    /// The older model.
    pub before: String,
    /// The newer one.
    pub after: String,
    /// How many tokens were read, of all prompts together.
    pub tokens: usize,
    /// Settings in which the two differ.
    pub settings: Vec<SettingChange>,
    /// Every tensor.
    pub weights: Vec<WeightChange>,
    /// The stream as it enters the first block and leaves each, in this order.
    pub layers: Vec<LayerDrift>,
    /// How much of the change of the answers each part of the model carries, in the order of the forward pass; empty where no answer moved.
    pub parts: Vec<PartEffect>,
    /// Every head.
    pub heads: Vec<HeadChange>,
    /// Every neuron that changed, at most [`NEURONS`](Self::NEURONS) of them.
    pub neurons: Vec<NeuronChange>,
    /// How many neurons changed by themselves, and how many there are.
    pub neurons_changed: (usize, usize),
    /// The features that changed most, at most [`NEURONS`](Self::NEURONS) of them.
    pub features: Vec<FeatureChange>,
    /// How many features changed, and how many there are; none where no transcoders were given.
    pub features_changed: Option<(usize, usize)>,
    /// What each prompt is answered with, in the order of the prompts.
    pub answers: Vec<AnswerChange>,
    /// Above which a change is reported.
    pub limits: Limits,
}

/// A word of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// Which prompt, from 0.
    pub prompt: usize,
    /// Which of its tokens, from 0.
    pub position: usize,
    /// That token's text.
    pub token: String,
}

/// How far the residual stream has drifted at a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerDrift {
    /// The point: `blocks.1.hook_resid_post`.
    pub point: String,
    /// Its short name: `embeddings`, `L1`.
    pub label: String,
    /// Linear CKA of the two streams over all positions ([`linear_cka`](super::linear_cka)).
    pub cka: Option<f64>,
    /// The mean cosine of the two streams at a position.
    pub cosine: f64,
    /// The least of them.
    pub least_cosine: f64,
    /// `KL(after || before)` of the next token as the logit lens reads it there, each with its own model's end, in nats: the mean of all positions.
    pub divergence: f64,
    /// The largest of them.
    pub largest_divergence: f64,
    /// Where that was.
    pub place: Place,
    /// Whether any of these is above its limit.
    pub changed: bool,
}

/// How much of the change of the answers one part of the model carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PartEffect {
    /// The part: `embeddings`, `attention of L1`, `MLP of L2`, `final norm and unembedding`.
    pub part: String,
    /// Its block.
    pub layer: Option<usize>,
    /// What the older model gains when this part alone does what it does in the newer one: 1 where its answers become the newer
    /// one's, 0 where nothing happens, below 0 where they go elsewhere.
    ///
    /// `1 - KL(after || patched) / KL(after || before)` at the end of a prompt, the mean over those whose answers moved.
    pub effect: f64,
}

/// What a head does otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HeadChange {
    /// Its block.
    pub layer: usize,
    /// Which of the block's heads.
    pub head: usize,
    /// The attention that has moved to other positions when both versions read the older one's stream: 0 to 1, the most at any position.
    pub pattern: f64,
    /// The norm of the difference of what they write then, as a share of the stream's norm, the most at any position.
    pub output: f64,
    /// Where that was.
    pub place: Place,
    /// The same when each version reads its own stream: what earlier parts have changed is in it.
    pub with_inputs: f64,
    /// As of a [part](PartEffect::effect), where it was measured.
    pub effect: Option<f64>,
    /// Whether the head itself changed: pattern or output is above its limit.
    pub changed: bool,
}

/// What a neuron does otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NeuronChange {
    /// Its block.
    pub layer: usize,
    /// Which of the block's neurons.
    pub neuron: usize,
    /// Its activation in the older version where it changed most.
    pub before: f32,
    /// That in the newer version, which reads the older one's stream.
    pub after: f32,
    /// The norm of the difference of what they write there, as a share of the stream's norm.
    pub written: f64,
    /// Where that was.
    pub place: Place,
    /// The most when each version reads its own stream: what earlier parts have changed is in it.
    pub with_inputs: f64,
    /// As of a [part](PartEffect::effect), where it was measured.
    pub effect: Option<f64>,
}

/// A feature of the older model's transcoders that is active otherwise in the newer one's stream.
///
/// Both streams are read with the same encoder: a layer whose own MLP changed shows in the features of the layers above it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FeatureChange {
    /// Its layer.
    pub layer: usize,
    /// Which of the layer's features.
    pub feature: usize,
    /// Its activation in the older version where it changed most.
    pub before: f32,
    /// That in the newer version.
    pub after: f32,
    /// The norm of the difference of what it writes there, as a share of the stream's norm.
    pub written: f64,
    /// Where that was.
    pub place: Place,
    /// The tokens that it makes likelier by itself, the most first.
    pub promoted: Vec<String>,
}

impl VersionDiff {
    /// The most neurons, and the most features, that are told one by one.
    pub const NEURONS: usize = 50;

    /// Whether anything changed, beyond what noise explains.
    pub fn changed(&self) -> bool {
        !self.settings.is_empty()
            || self.changed_weights().next().is_some()
            || self.changed_layers().next().is_some()
            || self.changed_heads().next().is_some()
            || self.neurons_changed.0 > 0
            || self.features_changed.is_some_and(|(changed, _)| changed > 0)
            || self.changed_answers().next().is_some()
    }

    /// Tensors that hold something else.
    pub fn changed_weights(&self) -> impl Iterator<Item = &WeightChange> {
        self.weights.iter().filter(|weight| weight.status == WeightStatus::Changed)
    }

    /// Points at which the stream has drifted.
    pub fn changed_layers(&self) -> impl Iterator<Item = &LayerDrift> {
        self.layers.iter().filter(|layer| layer.changed)
    }

    /// Heads that do something else given the same stream.
    pub fn changed_heads(&self) -> impl Iterator<Item = &HeadChange> {
        self.heads.iter().filter(|head| head.changed)
    }

    /// Prompts that are answered with other words, or with probabilities that have moved.
    pub fn changed_answers(&self) -> impl Iterator<Item = &AnswerChange> {
        self.answers.iter().filter(|answer| answer.status >= AnswerStatus::Moved)
    }

    /// The same, other words first, then by how far they moved.
    pub(super) fn answers_by_change(&self) -> impl Iterator<Item = &AnswerChange> {
        let mut found: Vec<_> = self.changed_answers().collect();
        found.sort_by(|a, b| b.status.cmp(&a.status).then(b.divergence.total_cmp(&a.divergence)));
        found.into_iter()
    }
}
