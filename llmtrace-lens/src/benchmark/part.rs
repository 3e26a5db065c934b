//! What a method scores.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::handmade::KnownNode;

/// What kind of parts a task asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The tokens of the prompt.
    Tokens,
    /// The attention heads.
    Heads,
    /// The neurons of the MLPs, at each position.
    Neurons,
    /// What one of these adds to another's input.
    Edges,
}

/// One part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A token of the prompt.
    Token {
        /// Where it stands.
        position: usize,
    },
    /// An attention head.
    Head {
        /// Its block.
        layer: usize,
        /// Which of the block's.
        head: usize,
    },
    /// A neuron of an MLP.
    Neuron {
        /// Its block.
        layer: usize,
        /// Where.
        position: usize,
        /// Which of the MLP's.
        neuron: usize,
    },
    /// The answer.
    Answer,
}

/// What is given one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A part of the run.
    Node(Place),
    /// What the first adds to the input of the second.
    Edge(Place, Place),
}

impl Level {
    /// Every level, as reports order them.
    pub const ALL: [Self; 4] = [Self::Tokens, Self::Heads, Self::Neurons, Self::Edges];

    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Heads => "heads",
            Self::Neurons => "neurons",
            Self::Edges => "edges",
        }
    }
}

impl From<KnownNode> for Place {
    fn from(node: KnownNode) -> Self {
        match node {
            KnownNode::Token { position } => Self::Token { position },
            KnownNode::Neuron { layer, position, neuron } => Self::Neuron { layer, position, neuron },
            KnownNode::Logit { .. } => Self::Answer,
        }
    }
}

/// `token 2`, `head 1.0`, `neuron 0.3 @2`, `answer`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { position } => write!(f, "token {position}"),
            Self::Head { layer, head } => write!(f, "head {layer}.{head}"),
            Self::Neuron { layer, position, neuron } => write!(f, "neuron {layer}.{neuron} @{position}"),
            Self::Answer => f.write_str("answer"),
        }
    }
}

/// A place, or two with ` > ` between them.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(place) => place.fmt(f),
            Self::Edge(from, to) => write!(f, "{from} > {to}"),
        }
    }
}

impl Serialize for Part {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
