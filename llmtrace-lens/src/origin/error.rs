//! Why the origin of a text could not be judged.

use crate::error::RunError;

/// Why the origin of a text could not be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// A candidate could not read the text.
    #[error("{candidate}: {source}")]
    Read {
        /// Its name.
        candidate: String,
        /// Why.
        source: RunError,
    },
    /// What was asked for cannot be done.
    #[error("{0}")]
    Input(String),
    /// A saved classifier is broken, or that of other candidates.
    #[error("the classifier {0}")]
    Classifier(String),
}
