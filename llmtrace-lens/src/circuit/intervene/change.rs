//! What is done to a feature, and what is held meanwhile.

use serde::{Deserialize, Serialize};

use crate::circuit::graph::ActiveFeature;

/// A feature's activation at one position, changed: what it writes changes along its decoder.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change {
    /// To this activation.
    Set {
        /// The feature's layer.
        layer: usize,
        /// Where.
        position: usize,
        /// Which of the layer's.
        feature: usize,
        /// The activation.
        to: f32,
    },
    /// To so many times what it was.
    Scale {
        /// The feature's layer.
        layer: usize,
        /// Where.
        position: usize,
        /// Which of the layer's.
        feature: usize,
        /// What it is multiplied by.
        by: f32,
    },
}

impl Change {
    /// To an activation, where this feature is.
    pub fn set(at: &ActiveFeature, to: f32) -> Self {
        Self::Set { layer: at.layer, position: at.position, feature: at.feature, to }
    }

    /// To so many times what it was: 0 ablates it.
    pub fn scale(at: &ActiveFeature, by: f32) -> Self {
        Self::Scale { layer: at.layer, position: at.position, feature: at.feature, by }
    }

    /// The one as strong as the other is, and the other way round.
    pub fn swap(one: &ActiveFeature, other: &ActiveFeature) -> [Self; 2] {
        [Self::set(one, other.activation), Self::set(other, one.activation)]
    }

    /// Layer, position and number of the feature.
    pub fn feature(self) -> (usize, usize, usize) {
        match self {
            Self::Set { layer, position, feature, .. } | Self::Scale { layer, position, feature, .. } => {
                (layer, position, feature)
            }
        }
    }

    /// The activation after it, given the one before.
    pub fn apply(self, before: f32) -> f32 {
        match self {
            Self::Set { to, .. } => to,
            Self::Scale { by, .. } => before * by,
        }
    }
}

/// What stays as it was while features are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Held {
    /// Attention patterns, norms' divisors and MLPs: effects are direct, and those of the graph's edges (circuit-tracer's `constrained_layers`).
    Everything,
    /// Attention patterns and norms' divisors: features answer each other, as in the graph.
    PatternsAndNorms,
    /// Attention patterns alone, as circuit-tracer has it by default.
    Patterns,
    /// Nothing: the model answers as it will.
    Nothing,
}
