//! Why a circuit could not be traced.

use std::io;
use std::path::PathBuf;

use crate::error::{LoadError, RunError};

/// Why a circuit could not be traced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// A file of transcoders is missing, broken, or of another shape than the model needs.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// These transcoders cannot stand for the MLPs of this model.
    #[error("{model}: {problem}")]
    Transcoders {
        /// The model.
        model: String,
        /// Why not, and what would.
        problem: String,
    },
    /// What was asked for is not there.
    #[error("{0}")]
    Input(String),
    /// The graph would take more memory than it may.
    #[error(
        "{rows} rows of {columns} edges take {bytes} bytes, more than the {limit} allowed: ask for fewer feature nodes"
    )]
    Memory {
        /// Rows: features and targets.
        rows: usize,
        /// Edges of a row.
        columns: usize,
        /// What they take.
        bytes: usize,
        /// What they may take.
        limit: usize,
    },
    /// Rows that are too many for memory cannot be kept on disk meanwhile.
    #[error(
        "cannot keep rows in a temporary file in {}: {source}; name a folder with room in TMPDIR, or allow more memory",
        folder.display()
    )]
    Scratch {
        /// Where temporary files are.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<candle_core::Error> for CircuitError {
    fn from(error: candle_core::Error) -> Self {
        Self::Run(error.into())
    }
}
