//! What stands in place of a part that is masked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stands in the prompt in place of a part that is masked. It decides what "without this part" means, and so moves
/// an attribution more than the choice of a method does; every result states it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "convention", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Masking {
    /// Nothing. The blanks around it close: one is left where text stands on both sides.
    #[default]
    Delete,
    /// A text for each masked part.
    Replace {
        /// The text.
        with: String,
    },
    /// One text for each run of masked parts between which only blanks stand (as the text masker of shap 0.51 does).
    Collapse {
        /// The text.
        with: String,
    },
    /// A token id for each token of a masked part: the length of the prompt stays.
    TokenId {
        /// The id.
        id: u32,
    },
    /// Another embedding in place of each token's: a method that reads gradients compares with it.
    Embedding {
        /// What the embeddings are.
        with: String,
    },
    /// Nothing is masked: a method that reads the run of the whole prompt.
    Unmasked,
}

impl fmt::Display for Masking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delete => write!(f, "masked parts deleted"),
            Self::Replace { with } => write!(f, "masked parts replaced by {with:?}"),
            Self::Collapse { with } => write!(f, "runs of masked parts replaced by {with:?}"),
            Self::TokenId { id } => write!(f, "tokens of masked parts replaced by id {id}"),
            Self::Embedding { with } => write!(f, "compared with {with}"),
            Self::Unmasked => f.write_str("nothing masked"),
        }
    }
}
