//! Why a run is not read.

use crate::error::RunError;
use crate::hooks::HookPoint;
use crate::report::PictureError;

/// Why a run was not read: a wrong answer is refused rather than given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// What is not the residual stream cannot be read as the final norm and the unembedding read it.
    #[error(
        "{point} is no point of the residual stream: the logit lens reads hook_resid_pre, hook_resid_mid and hook_resid_post"
    )]
    NotResidual {
        /// The point.
        point: HookPoint,
    },
    /// The cache was filled by another model, or by another load of this one.
    #[error("the cache is that of another model than {model:?}, or of another load of it")]
    OtherModel {
        /// The model that was to read it.
        model: String,
    },
    /// The value has another shape than one run over these tokens gives.
    #[error(
        "{point} has shape {found:?}, expected {expected:?}: the cache is not that of one run of these tokens"
    )]
    Shape {
        /// The point.
        point: HookPoint,
        /// What the tokens make it.
        expected: Vec<usize>,
        /// What the cache has.
        found: Vec<usize>,
    },
    /// The stream has numbers that are infinite or none at all, so nothing can be said of it.
    #[error("{point} gives logits that are not finite")]
    NotFinite {
        /// The point.
        point: HookPoint,
    },
    /// There is no such block, head, position or token, or so many were not there.
    #[error("there is no {what} {index}: there are {count}")]
    OutOfRange {
        /// What was asked for.
        what: &'static str,
        /// Which.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// There is more than a picture can show.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The model could not be run, or the run did not keep a value.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<candle_core::Error> for ReadError {
    fn from(error: candle_core::Error) -> Self {
        Self::Run(error.into())
    }
}

impl ReadError {
    /// Refuses an index that is not below `count`.
    pub(super) fn check(what: &'static str, index: usize, count: usize) -> Result<(), Self> {
        if index < count { Ok(()) } else { Err(Self::OutOfRange { what, index, count }) }
    }
}
