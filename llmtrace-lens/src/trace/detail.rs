//! How much of a run is told.

use serde::Serialize;

/// How much of a run of a local model is told to the trace around it, and measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Nothing: no span, no allocation, no look at a clock.
    Off,
    /// One span for the whole: prompt and answer, tokens, first-token time, sampling, entropy, operations, memory.
    #[default]
    Summary,
    /// Also a span for each pass, and below that of the prompt one for the embedding, each block with its attention and
    /// its MLP, and the unembedding, with residual norms and findings.
    Layers,
    /// Also the blocks of every step: `3 L + 2` spans a token.
    Full,
}

impl Detail {
    /// `off`, `summary`, `layers` or `full`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Summary => "summary",
            Self::Layers => "layers",
            Self::Full => "full",
        }
    }
}
