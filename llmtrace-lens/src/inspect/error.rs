//! Why a prompt could not be inspected.

use crate::analysis::ReadError;
use crate::error::RunError;
use crate::explain::ExplainError;
use crate::generate::GenerateError;
use crate::report::PictureError;

/// Why a prompt could not be inspected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The model could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A run could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No answer could be written.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The answer could not be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// There is more than a picture can show.
    #[error(transparent)]
    Picture(#[from] PictureError),
}
